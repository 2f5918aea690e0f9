package csr

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"errors"
	"fmt"
	"strings"

	"github.com/google/uuid"
)

// New makes a CSR for a key of the caller's own, which may be in an HSM or a KMS: RSA of 2048 bits or more, P-256, P-384,
// P-521 or Ed25519. New keeps nothing: whoever has the key must be able to find it again by the Response's PubMd5.
//
// The error is [FieldErrors] if the request is wrong. A key that is nil, not whole or of another kind, and one that
// signs wrongly, are errors too. Neither req nor key is changed.
func New(req *Request, key crypto.Signer) (*Response, error) {
	s, err := normalize(req)
	if err != nil {
		return nil, err
	}
	resp, err := sign(s, key)
	if err != nil {
		return nil, fmt.Errorf("csr: %w", err)
	}
	return resp, nil
}

// sign is New for a request that has been checked.
func sign(s *subject, key crypto.Signer) (*Response, error) {
	pub, err := publicKey(key)
	if err != nil {
		return nil, err
	}
	algorithm, err := signatureAlgorithm(pub)
	if err != nil {
		return nil, err
	}
	pubMd5, err := pubMD5(pub)
	if err != nil {
		return nil, err
	}
	pem, err := encode(s, key, algorithm)
	if err != nil {
		return nil, err
	}
	return &Response{
		RequestId:  strings.ToUpper(uuid.NewString()),
		CommonName: s.commonName,
		Csr:        string(pem),
		PubMd5:     pubMd5,
		Origin:     OriginLocal,
	}, nil
}

// publicKey returns the public part of key. A key that has none, or that would panic when asked, is an error.
func publicKey(key crypto.Signer) (crypto.PublicKey, error) {
	if isNil(key) {
		return nil, errors.New("key: is nil: give one that signs")
	}
	if err := checkPrivateKey(key); err != nil {
		return nil, err
	}
	pub := key.Public()
	if isNil(pub) {
		return nil, fmt.Errorf("key: %T has no public key: its method Public must return one", key)
	}
	return pub, nil
}

// checkPrivateKey returns an error for a key in memory that lacks a part, which would panic when it is used.
func checkPrivateKey(key crypto.Signer) error {
	switch key := key.(type) {
	case *rsa.PrivateKey:
		if key.D == nil {
			return errors.New("key: RSA without its private exponent: load the whole private key")
		}
	case *ecdsa.PrivateKey:
		//lint:ignore SA1019 Bytes, which should be used instead, panics without it
		if key.D == nil {
			return errors.New("key: ECDSA without its secret number: load the whole private key")
		}
	case ed25519.PrivateKey:
		if len(key) != ed25519.PrivateKeySize {
			return fmt.Errorf("key: Ed25519 of %d bytes: want %d", len(key), ed25519.PrivateKeySize)
		}
	case *ed25519.PrivateKey:
		return checkPrivateKey(*key)
	}
	return nil
}
