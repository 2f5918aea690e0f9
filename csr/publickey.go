package csr

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/md5"
	"crypto/rsa"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"reflect"
)

// PubMD5 returns the handle of a key: the MD5 of its public key's DER SubjectPublicKeyInfo (RFC 5280 section 4.1.2.7) in
// 32 lower-case hex digits. This is the library's own definition for a local CSR; which bytes the CDN hashes for its
// own is not published. The key is an *rsa.PublicKey, an *ecdsa.PublicKey or an ed25519.PublicKey that is whole;
// anything else is an error.
func PubMD5(pub crypto.PublicKey) (string, error) {
	sum, err := pubMD5(pub)
	if err != nil {
		return "", fmt.Errorf("csr: %w", err)
	}
	return sum, nil
}

func pubMD5(pub crypto.PublicKey) (string, error) {
	if err := checkPublicKey(pub); err != nil {
		return "", err
	}
	der, err := x509.MarshalPKIXPublicKey(pub)
	if err != nil {
		return "", fmt.Errorf("public key: %w", err)
	}
	sum := md5.Sum(der)
	return hex.EncodeToString(sum[:]), nil
}

// checkPublicKey returns an error for what crypto/x509 can't encode, some of which makes it panic.
func checkPublicKey(pub crypto.PublicKey) error {
	if isNil(pub) {
		return errors.New("public key: is nil: give one of RSA, ECDSA or Ed25519")
	}
	switch pub := pub.(type) {
	case *rsa.PublicKey:
		if pub.N == nil || pub.N.Sign() <= 0 || pub.N.Bit(0) == 0 || pub.E < 3 || pub.E%2 == 0 {
			return errors.New("public key: RSA whose modulus or exponent is missing or even: load the whole key")
		}
	case *ecdsa.PublicKey:
		//lint:ignore SA1019 Bytes, which should be used instead, panics without them
		if pub.Curve == nil || pub.X == nil || pub.Y == nil {
			return errors.New("public key: ECDSA without a curve or a point: load the whole key")
		}
	case ed25519.PublicKey:
		if len(pub) != ed25519.PublicKeySize {
			return fmt.Errorf("public key: Ed25519 of %d bytes: want %d", len(pub), ed25519.PublicKeySize)
		}
	default:
		return fmt.Errorf("public key: type %T: want RSA, ECDSA or Ed25519", pub)
	}
	return nil
}

// signatureAlgorithm returns the algorithm with which a key signs its CSR. A key that is too weak, or of a kind that no
// public CA takes, is an error; so is one that is not whole.
func signatureAlgorithm(pub crypto.PublicKey) (x509.SignatureAlgorithm, error) {
	if err := checkPublicKey(pub); err != nil {
		return 0, err
	}
	switch pub := pub.(type) {
	case *rsa.PublicKey:
		return rsaAlgorithm(pub.N.BitLen())
	case *ecdsa.PublicKey:
		switch pub.Curve {
		case elliptic.P256():
			return x509.ECDSAWithSHA256, nil
		case elliptic.P384():
			return x509.ECDSAWithSHA384, nil
		case elliptic.P521():
			return x509.ECDSAWithSHA512, nil
		}
		return 0, errors.New("public key: an elliptic curve other than P-256, P-384 and P-521: take one of these")
	}
	return x509.PureEd25519, nil
}

// rsaAlgorithm returns the hash that fits the strength of an RSA key (NIST SP 800-57 part 1, table 2).
func rsaAlgorithm(bits int) (x509.SignatureAlgorithm, error) {
	switch {
	case bits < 2048:
		return 0, fmt.Errorf("public key: RSA of %d bits: want 2048 or more", bits)
	case bits < 3072:
		return x509.SHA256WithRSA, nil
	}
	return x509.SHA384WithRSA, nil
}

// isNil tells whether v is nil or holds a nil pointer, map, slice or function: a typed nil in an interface.
func isNil(v any) bool {
	if v == nil {
		return true
	}
	switch r := reflect.ValueOf(v); r.Kind() {
	case reflect.Pointer, reflect.Map, reflect.Slice, reflect.Func, reflect.Chan:
		return r.IsNil()
	}
	return false
}
