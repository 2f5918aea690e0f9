package sealed

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"

	"github.com/cdncsr/cdncsr/csr"
)

var (
	errPlaintext = errors.New("the store has it in the clear, as this package never writes it")
	errOtherKey  = errors.New("its name is that of another key")
)

// checkName returns an error unless name is 32 lower-case hex digits.
func checkName(name string) error {
	if len(name) != 32 || strings.Trim(name, "0123456789abcdef") != "" {
		return errors.New("the name is not a PubMd5, 32 lower-case hex digits")
	}
	return nil
}

// marshalKey returns key as PKCS #8 in DER, if pubMd5 is its name.
func marshalKey(pubMd5 string, key crypto.Signer) ([]byte, error) {
	if key == nil {
		return nil, errors.New("the key is nil")
	}
	if !isExportable(key) {
		return nil, fmt.Errorf("a %T can't be exported: %w", key, errors.ErrUnsupported)
	}
	if err := checkOwnName(pubMd5, key); err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	if _, ok := key.(*rsa.PrivateKey); ok {
		return der, nil // which the encoder has validated; to parse it would take 0.4 ms
	}
	if _, err := parseKey(pubMd5, der); err != nil {
		clear(der)
		return nil, fmt.Errorf("read the encoded key back: %w", err) // such as a private part of another key
	}
	return der, nil
}

// parseKey reads what marshalKey returned.
func parseKey(pubMd5 string, der []byte) (crypto.Signer, error) {
	parsed, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, fmt.Errorf("it is not a private key: %w", err)
	}
	key, ok := parsed.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("it is a %T, which does not sign", parsed)
	}
	if err := checkOwnName(pubMd5, key); err != nil {
		return nil, err
	}
	return key, nil
}

// isExportable reports whether PKCS #8 can hold key, and this program has it.
func isExportable(key crypto.Signer) bool {
	switch key.(type) {
	case *rsa.PrivateKey, *ecdsa.PrivateKey, ed25519.PrivateKey:
		return true
	}
	return false
}

// checkOwnName returns an error unless pubMd5 is the name of key.
func checkOwnName(pubMd5 string, key crypto.Signer) error {
	pub, err := publicKey(key)
	if err != nil {
		return err
	}
	own, err := csr.PubMD5(pub)
	if err != nil {
		return err
	}
	if own != pubMd5 {
		return fmt.Errorf("%w: its own is %s", errOtherKey, own)
	}
	return nil
}

// publicKey returns the public part of key, or an error if key is nil or lacks
// its private part, for which key.Public or crypto/x509 panics.
func publicKey(key crypto.Signer) (crypto.PublicKey, error) {
	switch key := key.(type) {
	case *rsa.PrivateKey:
		if key == nil || key.D == nil {
			return nil, errors.New("the RSA key is nil or has no private exponent")
		}
	case *ecdsa.PrivateKey:
		//lint:ignore SA1019 Bytes, which should be used instead, panics without it
		if key == nil || key.D == nil {
			return nil, errors.New("the ECDSA key is nil or has no private scalar")
		}
	case ed25519.PrivateKey:
		if len(key) != ed25519.PrivateKeySize {
			return nil, fmt.Errorf("the Ed25519 key has %d bytes, want %d", len(key), ed25519.PrivateKeySize)
		}
	}
	return key.Public(), nil
}

// isPlaintext reports whether blob is a private key that anyone can read.
func isPlaintext(blob []byte) bool {
	if bytes.Contains(blob, []byte("PRIVATE KEY-----")) {
		return true
	}
	if _, err := x509.ParsePKCS8PrivateKey(blob); err == nil {
		return true
	}
	if _, err := x509.ParseECPrivateKey(blob); err == nil {
		return true
	}
	_, err := x509.ParsePKCS1PrivateKey(blob)
	return err == nil
}
