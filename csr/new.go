package csr

import (
	"crypto"
	"fmt"
	"strings"

	"github.com/google/uuid"
)

// New makes a CSR for a key of the caller, which may be in an HSM or a KMS: RSA
// of 2048 bits or more, ECDSA on P-256, P-384 or P-521, or Ed25519. New does
// not store the key; the caller must be able to find it by Response.PubMd5.
//
// If req is invalid, the error is that of [Request.Validate]. New also returns
// an error if key is nil, incomplete or of another kind, or if its signature is
// wrong. It does not change req.
func New(req *Request, key crypto.Signer) (*Response, error) {
	normal, err := req.Normalize()
	if err != nil {
		return nil, err
	}
	resp, err := sign(normal, key)
	if err != nil {
		return nil, fmt.Errorf("csr: %w", err)
	}
	return resp, nil
}

// sign is New for a normalized request.
func sign(req *Request, key crypto.Signer) (*Response, error) {
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
	pem, err := encode(req, key, algorithm)
	if err != nil {
		return nil, err
	}
	return &Response{
		RequestId:  strings.ToUpper(uuid.NewString()),
		CommonName: req.CommonName,
		Csr:        string(pem),
		PubMd5:     pubMd5,
		Origin:     OriginLocal,
	}, nil
}
