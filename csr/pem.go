package csr

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
)

const keyPEMType = "PRIVATE KEY" // PKCS #8: RFC 5958, RFC 7468 section 10

// encodeKey returns key as PKCS #8 in PEM. A key that is not in this program's
// memory, such as an HSM's, matches errors.ErrUnsupported.
func encodeKey(key crypto.Signer) ([]byte, error) {
	switch key.(type) {
	case *rsa.PrivateKey, *ecdsa.PrivateKey, ed25519.PrivateKey:
	default:
		return nil, fmt.Errorf("a %T can't be written to a file: %w", key, errors.ErrUnsupported)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: keyPEMType, Bytes: der}), nil
}

// decodeKey decodes what encodeKey returned, and nothing else.
func decodeKey(data []byte) (crypto.Signer, error) {
	der, err := decodePEM(data, keyPEMType)
	if err != nil {
		return nil, err
	}
	key, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, err
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("a %T, which does not sign", key)
	}
	return signer, nil
}

// decodePEM returns the content of data, which must be one PEM block with that
// label (RFC 7468) and nothing but white space around it. encoding/pem alone
// skips what it doesn't understand, so that two readers may see two different
// blocks.
func decodePEM(data []byte, label string) ([]byte, error) {
	begin := []byte("-----BEGIN ")
	block, rest := pem.Decode(data)
	switch {
	case block == nil:
		return nil, errors.New("no PEM block")
	case !bytes.HasPrefix(bytes.TrimSpace(data), begin):
		return nil, errors.New("text before the PEM block")
	case len(bytes.TrimSpace(rest)) > 0:
		return nil, errors.New("data after the PEM block")
	case bytes.Count(data, begin) > 1:
		return nil, errors.New("more than one PEM block")
	case block.Type != label:
		return nil, fmt.Errorf("PEM label %q: want %q", block.Type, label)
	case len(block.Headers) > 0:
		return nil, errors.New("headers in the PEM block")
	}
	return block.Bytes, nil
}
