package cli

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"net/netip"
)

// Leaf returns the first certificate of a chain in PEM.
func Leaf(chain []byte) (*x509.Certificate, error) {
	block, _ := pem.Decode(chain)
	if block == nil {
		return nil, errors.New("no certificate in PEM")
	}
	return x509.ParseCertificate(block.Bytes)
}

// OneAddr is a resolver that returns the same address for every name.
type OneAddr netip.Addr

// LookupNetIP returns a.
func (a OneAddr) LookupNetIP(context.Context, string, string) ([]netip.Addr, error) {
	return []netip.Addr{netip.Addr(a)}, nil
}
