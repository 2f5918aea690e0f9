package cdn_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/netip"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/cdn"
	"github.com/cdncsr/cdncsr/csr"
)

// An edgeNet is a network of edge servers in memory. It is the Resolver and the
// Dialer of an Edge.
type edgeNet struct {
	t     *testing.T
	addrs []netip.Addr
	err   error // of the resolver

	mu      sync.Mutex
	servers map[string]edgeServer // by address and port
	dialed  []string
	hosts   []string // that the resolver was asked for
	names   []string // that were asked for by SNI
}

// An edgeServer presents a certificate, fails, or swallows what it gets.
type edgeServer struct {
	cert     tls.Certificate
	err      error
	swallows bool
}

func newEdgeNet(t *testing.T, addrs ...string) *edgeNet {
	n := &edgeNet{t: t, servers: map[string]edgeServer{}}
	for _, addr := range addrs {
		n.addrs = append(n.addrs, netip.MustParseAddr(addr))
	}
	return n
}

func (n *edgeNet) LookupNetIP(_ context.Context, network, host string) ([]netip.Addr, error) {
	require.Equal(n.t, "ip", network)
	n.hosts = append(n.hosts, host)
	return n.addrs, n.err
}

func (n *edgeNet) set(addr string, s edgeServer) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.servers[net.JoinHostPort(addr, "443")] = s
}

func (n *edgeNet) DialContext(_ context.Context, network, address string) (net.Conn, error) {
	require.Equal(n.t, "tcp", network)
	n.mu.Lock()
	defer n.mu.Unlock()
	n.dialed = append(n.dialed, address)
	s, ok := n.servers[address]
	switch {
	case !ok:
		return nil, &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}
	case s.err != nil:
		return nil, &net.OpError{Op: "dial", Err: s.err}
	}
	ours, theirs := net.Pipe()
	if !s.swallows {
		go n.serve(theirs, s.cert)
	}
	return ours, nil
}

func (n *edgeNet) serve(conn net.Conn, cert tls.Certificate) {
	server := tls.Server(conn, &tls.Config{GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
		n.mu.Lock()
		defer n.mu.Unlock()
		n.names = append(n.names, hello.ServerName)
		return &cert, nil
	}})
	_ = server.HandshakeContext(context.Background()) // the client finds out
	_ = server.Close()                                // nothing is lost with it
}

func edgeCert(t *testing.T, ca *testCA) tls.Certificate {
	t.Helper()
	key := newKey(t, csr.P256)
	leaf := ca.issue(t, key.Public(), nil)
	return tls.Certificate{Certificate: [][]byte{leaf.Raw, ca.intermediate.Raw}, PrivateKey: key, Leaf: leaf}
}

func TestEdgeLeaf_OneFailureHidesNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ca := newTestCA(t)
		cert := edgeCert(t, ca)
		n := newEdgeNet(t, "192.0.2.1", "::ffff:192.0.2.2", "192.0.2.3", "2001:db8::4", "2001:db8::5", "192.0.2.1")
		n.set("192.0.2.1", edgeServer{cert: cert})
		n.set("192.0.2.2", edgeServer{cert: cert})
		n.set("192.0.2.3", edgeServer{swallows: true})
		n.set("2001:db8::4", edgeServer{cert: cert})
		n.set("2001:db8::5", edgeServer{err: syscall.ENETUNREACH})
		e := cdn.Edge{Resolver: n, Dialer: n}
		start := time.Now()
		leaves, err := e.Leaf(t.Context(), "www.example.com")
		require.Equal(t, 10*time.Second, time.Since(start), "for the address that swallows")
		require.Len(t, leaves, 3)
		for _, addr := range []string{"192.0.2.1", "192.0.2.2", "2001:db8::4"} {
			require.True(t, leaves[netip.MustParseAddr(addr)].Equal(cert.Leaf), addr)
		}
		require.ErrorIs(t, err, syscall.ENETUNREACH)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorContains(t, err, "192.0.2.3")
		require.ErrorContains(t, err, "2001:db8::5")
		require.Equal(t, []string{"www.example.com", "www.example.com", "www.example.com"}, n.names, "SNI")
		require.Len(t, n.dialed, 5, "each address once")
	})
}

func TestEdge_HostsThatHaveNoEdge(t *testing.T) {
	n := newEdgeNet(t)
	e := cdn.Edge{Resolver: n, Dialer: n}
	leaf := edgeCert(t, newTestCA(t)).Leaf
	for _, host := range []string{
		"", ".", "*.example.com", "＊.example.com", ".example.com", "192.0.2.1", "::1", " example.com", "exa mple.com", "exa\x00mple.com",
		"example..com", "example.com..", "-a.example.com", "https://example.com", "example.com:443", "xn--a.example",
		strings.Repeat("a", 64) + ".example",
	} {
		_, err := e.Leaf(t.Context(), host)
		require.ErrorContains(t, err, "cdn: edge: host")
		require.ErrorContains(t, e.Wait(t.Context(), host, leaf), "cdn: edge: host")
	}
	require.Empty(t, n.hosts, "nothing is sent")
	require.ErrorContains(t, e.Wait(t.Context(), "example.com", nil), "nil certificate")
	leaves, err := e.Leaf(t.Context(), "example.com")
	require.ErrorContains(t, err, "no address")
	require.Nil(t, leaves)
	n.err = &net.DNSError{Err: "no such host", Name: "example.com", IsNotFound: true}
	_, err = e.Leaf(t.Context(), "example.com")
	var notFound *net.DNSError
	require.True(t, errors.As(err, &notFound))
}

// TestEdge_AsksForTheASCIIForm: a server selects its certificate by that, and an
// Installer takes the domain in either form.
func TestEdge_AsksForTheASCIIForm(t *testing.T) {
	cert := edgeCert(t, newTestCA(t))
	for _, test := range []struct{ host, asked, sni string }{
		{"www.example.com", "www.example.com", "www.example.com"},
		{"WWW.example.com", "www.example.com", "www.example.com"},
		{"bücher.example", "xn--bcher-kva.example", "xn--bcher-kva.example"},
		{"BÜCHER.example", "xn--bcher-kva.example", "xn--bcher-kva.example"},
		{"例え。テスト", "xn--r8jz45g.xn--zckzah", "xn--r8jz45g.xn--zckzah"},
		{"bücher.example.", "xn--bcher-kva.example.", "xn--bcher-kva.example"}, // absolute: no search domain is tried
	} {
		n := newEdgeNet(t, "192.0.2.1")
		n.set("192.0.2.1", edgeServer{cert: cert})
		e := cdn.Edge{Resolver: n, Dialer: n}
		leaves, err := e.Leaf(t.Context(), test.host)
		require.NoError(t, err, test.host)
		require.Len(t, leaves, 1)
		require.NoError(t, e.Wait(t.Context(), test.host, cert.Leaf))
		require.Equal(t, []string{test.asked, test.asked}, n.hosts)
		require.Equal(t, []string{test.sni, test.sni}, n.names)
	}
}

func TestEdgeWait_UntilEveryAddressPresentsIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ca := newTestCA(t)
		older, newer := edgeCert(t, ca), edgeCert(t, ca)
		n := newEdgeNet(t, "192.0.2.1", "2001:db8::2")
		n.set("192.0.2.1", edgeServer{cert: older})
		n.set("2001:db8::2", edgeServer{err: syscall.ECONNREFUSED})
		time.AfterFunc(20*time.Second, func() { n.set("192.0.2.1", edgeServer{cert: newer}) })
		time.AfterFunc(40*time.Second, func() { n.set("2001:db8::2", edgeServer{cert: older}) })
		time.AfterFunc(60*time.Second, func() { n.set("2001:db8::2", edgeServer{cert: newer}) })
		start := time.Now()
		e := cdn.Edge{Resolver: n, Dialer: n}
		require.NoError(t, e.Wait(t.Context(), "example.com", newer.Leaf))
		require.GreaterOrEqual(t, time.Since(start), time.Minute)
		require.Less(t, len(n.dialed), 40, "pauses grow")
	})
}

func TestEdgeWait_LeavesOutAddressesWithoutARoute(t *testing.T) {
	cert := edgeCert(t, newTestCA(t))
	for _, noRoute := range []error{syscall.ENETUNREACH, syscall.EHOSTUNREACH, syscall.EADDRNOTAVAIL} {
		synctest.Test(t, func(t *testing.T) {
			n := newEdgeNet(t, "192.0.2.1", "2001:db8::2")
			n.set("192.0.2.1", edgeServer{cert: cert})
			n.set("2001:db8::2", edgeServer{err: noRoute})
			e := cdn.Edge{Resolver: n, Dialer: n}
			require.NoError(t, e.Wait(t.Context(), "example.com", cert.Leaf))

			n.set("192.0.2.1", edgeServer{err: noRoute})
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			require.ErrorIs(t, e.Wait(ctx, "example.com", cert.Leaf), context.DeadlineExceeded, "nobody presents it")
		})
	}
}

func TestEdgeWait_SaysWhichAddressPresentsWhat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ca := newTestCA(t)
		older, newer := edgeCert(t, ca), edgeCert(t, ca)
		n := newEdgeNet(t, "192.0.2.1", "192.0.2.2", "192.0.2.3")
		n.set("192.0.2.1", edgeServer{cert: older})
		n.set("192.0.2.2", edgeServer{cert: newer})
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		e := cdn.Edge{Resolver: n, Dialer: n}
		err := e.Wait(ctx, "example.com", newer.Leaf)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		serial := func(c *x509.Certificate) string { return "serial " + c.SerialNumber.Text(16) }
		for _, part := range []string{
			"192.0.2.1 presents " + serial(older.Leaf), "192.0.2.2 presents " + serial(newer.Leaf), "192.0.2.3: ",
			"want " + serial(newer.Leaf), newer.Leaf.NotAfter.UTC().Format(time.RFC3339),
		} {
			require.ErrorContains(t, err, part)
		}
	})
}

func TestEdge_ByDefaultAsksPort443OfThisMachine(t *testing.T) {
	e := cdn.Edge{Resolver: loopback{}, Port: "1"} // where nothing listens
	leaves, err := e.Leaf(t.Context(), "example.com")
	require.Empty(t, leaves)
	require.Error(t, err)
	require.ErrorContains(t, err, "127.0.0.1")
}
