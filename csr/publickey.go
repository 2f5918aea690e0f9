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

// PubMD5 returns the name under which the key of a local CSR is stored: the MD5
// of the public key's DER SubjectPublicKeyInfo (RFC 5280 section 4.1.2.7) as 32
// lower-case hex digits. Which bytes the CDN hashes for its own PubMd5 is not
// documented. PubMD5 returns an error unless pub is a complete *rsa.PublicKey,
// *ecdsa.PublicKey or ed25519.PublicKey.
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

// publicKey returns the public part of key, or an error if key has none or
// would panic when asked for it.
func publicKey(key crypto.Signer) (crypto.PublicKey, error) {
	if isNil(key) {
		return nil, errors.New("key is nil")
	}
	if err := checkPrivateKey(key); err != nil {
		return nil, err
	}
	pub := key.Public()
	if isNil(pub) {
		return nil, fmt.Errorf("key of type %T: its Public method returned nil", key)
	}
	return pub, nil
}

// checkPrivateKey returns an error if key is incomplete in a way that would
// make it panic when it is used.
func checkPrivateKey(key crypto.Signer) error {
	switch key := key.(type) {
	case *rsa.PrivateKey:
		if key.D == nil {
			return errors.New("RSA key without a private exponent")
		}
	case *ecdsa.PrivateKey:
		//lint:ignore SA1019 Bytes, which should be used instead, panics without it
		if key.D == nil {
			return errors.New("ECDSA key without a private scalar")
		}
	case ed25519.PrivateKey:
		if len(key) != ed25519.PrivateKeySize {
			return fmt.Errorf("Ed25519 key of %d bytes: want %d", len(key), ed25519.PrivateKeySize)
		}
	case *ed25519.PrivateKey:
		return checkPrivateKey(*key)
	}
	return nil
}

// checkPublicKey returns an error if crypto/x509 could not encode pub, or would
// panic.
func checkPublicKey(pub crypto.PublicKey) error {
	if isNil(pub) {
		return errors.New("public key is nil")
	}
	switch pub := pub.(type) {
	case *rsa.PublicKey:
		if pub.N == nil || pub.N.Sign() != 1 || pub.N.Bit(0) == 0 || pub.E < 3 || pub.E%2 == 0 {
			return errors.New("RSA public key without an odd modulus and an odd exponent of 3 or more")
		}
	case *ecdsa.PublicKey:
		//lint:ignore SA1019 Bytes, which should be used instead, panics without them
		if pub.Curve == nil || pub.X == nil || pub.Y == nil {
			return errors.New("ECDSA public key without a curve or a point")
		}
	case ed25519.PublicKey:
		if len(pub) != ed25519.PublicKeySize {
			return fmt.Errorf("Ed25519 public key of %d bytes: want %d", len(pub), ed25519.PublicKeySize)
		}
	default:
		return fmt.Errorf("public key of type %T: want RSA, ECDSA or Ed25519", pub)
	}
	return nil
}

// signatureAlgorithm returns the algorithm with which the key of pub signs its
// CSR, or an error if no public CA accepts such a key.
func signatureAlgorithm(pub crypto.PublicKey) (x509.SignatureAlgorithm, error) {
	if err := checkPublicKey(pub); err != nil {
		return 0, err
	}
	switch pub := pub.(type) {
	case *rsa.PublicKey:
		return rsaAlgorithm(pub.N.BitLen())
	case *ecdsa.PublicKey:
		return ecdsaAlgorithm(pub.Curve)
	}
	return x509.PureEd25519, nil
}

// rsaAlgorithm returns the algorithm whose hash fits the strength of an RSA key
// (NIST SP 800-57 part 1, table 2).
func rsaAlgorithm(bits int) (x509.SignatureAlgorithm, error) {
	switch {
	case bits < 2048:
		return 0, fmt.Errorf("RSA key of %d bits: want 2048 or more", bits)
	case bits < 3072:
		return x509.SHA256WithRSA, nil
	}
	return x509.SHA384WithRSA, nil
}

func ecdsaAlgorithm(curve elliptic.Curve) (x509.SignatureAlgorithm, error) {
	switch curve {
	case elliptic.P256():
		return x509.ECDSAWithSHA256, nil
	case elliptic.P384():
		return x509.ECDSAWithSHA384, nil
	case elliptic.P521():
		return x509.ECDSAWithSHA512, nil
	}
	return 0, errors.New("ECDSA key on another curve than P-256, P-384 and P-521")
}

// isNil reports whether v is nil or holds a nil pointer, map, slice, function
// or channel.
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
