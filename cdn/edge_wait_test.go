package cdn_test

import (
	"context"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/cdn"
)

// TestEdgeWait_SaysWhyThereIsNoCertificate: the error names what failed last,
// be it the look-up of the host, or an address that was still silent when the
// context ended.
func TestEdgeWait_SaysWhyThereIsNoCertificate(t *testing.T) {
	noHost := &net.DNSError{Err: "no such host", Name: "example.com"}
	for name, test := range map[string]struct {
		change func(*edgeNet)
		want   string
	}{
		"no address": {func(n *edgeNet) { n.err = noHost }, "no such host"},
		"silence":    {func(n *edgeNet) { n.set("192.0.2.1", edgeServer{swallows: true}) }, "192.0.2.1: "},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := newEdgeNet(t, "192.0.2.1")
				test.change(n)
				ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second) // before an address is given up
				defer cancel()
				e := cdn.Edge{Resolver: n, Dialer: n}
				err := e.Wait(ctx, "example.com", edgeCert(t, newTestCA(t)).Leaf)
				require.ErrorIs(t, err, context.DeadlineExceeded)
				require.ErrorContains(t, err, test.want)
			})
		})
	}
}
