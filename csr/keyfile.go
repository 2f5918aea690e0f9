package csr

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
)

const (
	keyFileSuffix = ".pem"
	keyPEMType    = "PRIVATE KEY" // PKCS #8: RFC 5958, RFC 7468 section 10
	maxKeyFile    = 64 << 10      // bytes; a key of RSA-16384 has less than 16 KiB
)

// encodeKeyFile returns key as PKCS #8 in PEM. A key that is not in this program's memory, such as an HSM's, matches
// errors.ErrUnsupported.
func encodeKeyFile(key crypto.Signer) ([]byte, error) {
	switch key.(type) {
	case *rsa.PrivateKey, *ecdsa.PrivateKey, ed25519.PrivateKey:
	default:
		return nil, fmt.Errorf("a %T can't be written to a file, so keep it in another KeyStore: %w", key, errors.ErrUnsupported)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: keyPEMType, Bytes: der}), nil
}

// decodeKeyFile reads what encodeKeyFile wrote, and nothing else.
func decodeKeyFile(data []byte) (crypto.Signer, error) {
	der, err := decodePEM(data, keyPEMType)
	if err != nil {
		return nil, err
	}
	key, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, err
	}
	switch key := key.(type) {
	case *rsa.PrivateKey:
		return key, nil
	case *ecdsa.PrivateKey:
		return key, nil
	case ed25519.PrivateKey:
		return key, nil
	}
	return nil, fmt.Errorf("a %T, which does not sign", key)
}
