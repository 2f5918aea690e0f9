package cdn_test

import (
	"context"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/cdn"
)

// dialConn is a Dialer that ignores its context.
type dialConn func() (net.Conn, error)

func (f dialConn) DialContext(context.Context, string, string) (net.Conn, error) { return f() }

func TestEdge_DialerWithoutAConnection(t *testing.T) {
	leaf := edgeCert(t, newTestCA(t)).Leaf
	n := newEdgeNet(t, "192.0.2.1")
	for name, test := range map[string]struct {
		edge cdn.Edge
		want string
	}{
		"a nil pointer":      {cdn.Edge{Resolver: n, Dialer: (*net.Dialer)(nil)}, "cdn: Edge.Dialer holds a nil *net.Dialer"},
		"a nil function":     {cdn.Edge{Resolver: n, Dialer: dialConn(nil)}, "cdn: Edge.Dialer holds a nil cdn_test.dialConn"},
		"nil and nil":        {cdn.Edge{Resolver: n, Dialer: dialConn(func() (net.Conn, error) { return nil, nil })}, "no connection and no error"},
		"a nil *net.TCPConn": {cdn.Edge{Resolver: n, Dialer: dialConn(func() (net.Conn, error) { return (*net.TCPConn)(nil), nil })}, "no connection and no error"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				leaves, err := test.edge.Leaf(t.Context(), "example.com")
				require.ErrorContains(t, err, test.want)
				require.Empty(t, leaves)
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				require.ErrorContains(t, test.edge.Wait(ctx, "example.com", leaf), test.want)
			})
		})
	}
}

// TestEdgeLeaf_DialerThatIgnoresItsContext: Leaf returns after the documented
// 10 s, and nobody loses the connection that comes an hour later.
func TestEdgeLeaf_DialerThatIgnoresItsContext(t *testing.T) {
	for name, late := range map[string]func(net.Conn) (net.Conn, error){
		"late":       func(c net.Conn) (net.Conn, error) { return c, nil },
		"late error": func(c net.Conn) (net.Conn, error) { _ = c.Close(); return nil, io.ErrClosedPipe },
		"late panic": func(c net.Conn) (net.Conn, error) { _ = c.Close(); panic("late") },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ours, theirs := net.Pipe()
				dialer := dialConn(func() (net.Conn, error) {
					time.Sleep(time.Hour)
					return late(ours)
				})
				start := time.Now()
				leaves, err := (&cdn.Edge{Resolver: newEdgeNet(t, "192.0.2.1"), Dialer: dialer}).Leaf(t.Context(), "example.com")
				require.Equal(t, 10*time.Second, time.Since(start))
				require.ErrorIs(t, err, context.DeadlineExceeded)
				require.Empty(t, leaves)
				_, err = theirs.Read(make([]byte, 1))
				require.ErrorIs(t, err, io.EOF, "it is closed")
			})
		})
	}
}
