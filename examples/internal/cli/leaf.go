package cli

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
)

// Leaf returns the first certificate of a chain in PEM.
func Leaf(chain []byte) (*x509.Certificate, error) {
	block, _ := pem.Decode(chain)
	if block == nil {
		return nil, errors.New("no certificate in PEM")
	}
	return x509.ParseCertificate(block.Bytes)
}
