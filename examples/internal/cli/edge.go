package cli

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"net/netip"
	"strconv"

	"github.com/cdncsr/cdncsr/cdn"
)

// Leaf returns the first certificate of a chain in PEM.
func Leaf(chain []byte) (*x509.Certificate, error) {
	block, _ := pem.Decode(chain)
	if block == nil {
		return nil, errors.New("no certificate in PEM")
	}
	return x509.ParseCertificate(block.Bytes)
}

// WildcardLabel is a label that no domain has by itself, to ask for a name below
// a wildcard.
const WildcardLabel = "cdncsr-check"

// OneAddr is a resolver that returns the same address for every name.
type OneAddr netip.Addr

// LookupNetIP returns a.
func (a OneAddr) LookupNetIP(context.Context, string, string) ([]netip.Addr, error) {
	return []netip.Addr{netip.Addr(a)}, nil
}

// ParseEdge returns an Edge that asks one edge server, IP:PORT, whatever the
// name: the value of the flag -edge.
func ParseEdge(text string) (cdn.Edge, error) {
	addr, err := netip.ParseAddrPort(text)
	if err != nil {
		return cdn.Edge{}, errors.New("want an address and a port, such as 192.0.2.1:443")
	}
	return cdn.Edge{Resolver: OneAddr(addr.Addr()), Port: strconv.Itoa(int(addr.Port()))}, nil
}
