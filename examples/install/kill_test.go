package main

import (
	"bytes"
	"crypto/x509"
	"math/rand/v2"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/cdn"
	"github.com/cdncsr/cdncsr/cdn/cdntest"
	"github.com/cdncsr/cdncsr/csr"
	"github.com/cdncsr/cdncsr/examples/internal/cli"
)

// A killer kills the program during a request to the fake CDN.
type killer struct {
	mu   sync.Mutex
	in   int // requests left until it kills; negative: it does not
	kill func()
}

func (k *killer) onRequest(cdntest.Request) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.in--; k.in == 0 {
		k.kill()
	}
}

// The program is killed during one of its requests, before or after the work is
// done. Then each domain serves its old certificate or the new one, no key is
// lost, and the next run finishes with the same chain.
func TestInstall_SurvivesKills(t *testing.T) {
	domains := []string{"a.example.com", "b.example.com", "c.example.com"}
	f := newFixture(t, domains...)
	k := &killer{in: -1}
	f.srv.API.OnRequest = k.onRequest
	makers := []cdn.CSRCreator{f.local(), f.srv.NewClient(t, nil)}
	served := map[string]*x509.Certificate{}
	for range 200 {
		domain := domains[rand.IntN(len(domains))]
		chain := f.chainFile(t, makers[rand.IntN(len(makers))], domain)
		leaf := leafOfFile(t, chain)
		if rand.IntN(2) == 0 { // dies after the work, before the answer
			f.srv.API.Inject(cdntest.Fault{
				Match: func(p map[string]string) bool { return p["SSLPub"]+p["ServerCertificate"] != "" },
				Drop:  cdntest.DropConnection,
			})
		}
		f.killDuring(t, k, 1+rand.IntN(3), domain, chain)
		if now := f.served(t, domain); !now.Equal(leaf) {
			require.Equal(t, served[domain], now, "neither the old nor the new certificate")
		}
		f.finish(t, domain, chain)
		served[domain] = f.served(t, domain)
		require.True(t, served[domain].Equal(leaf))
		f.requireKey(t, leaf)
	}
}

// killDuring runs the program and kills it during its nth request.
func (f *fixture) killDuring(t *testing.T, k *killer, nth int, domain, chain string) {
	t.Helper()
	var stderr bytes.Buffer
	cmd := program(t, &stderr, f.flags(domain, chain)...)
	k.mu.Lock() // until there is a process to kill
	k.in, k.kill = nth, func() { _ = cmd.Process.Kill() }
	err := cmd.Start()
	k.mu.Unlock()
	require.NoError(t, err)
	_ = cmd.Wait() // it may have ended before the nth request
	k.mu.Lock()
	k.in = -1
	k.mu.Unlock()
}

// finish runs the program to its end.
func (f *fixture) finish(t *testing.T, domain, chain string) {
	t.Helper()
	var stderr bytes.Buffer
	require.NoError(t, program(t, &stderr, f.flags(domain, chain)...).Run(), &stderr)
}

// served returns what the edge presents for a domain; nil for nothing.
func (f *fixture) served(t *testing.T, domain string) *x509.Certificate {
	t.Helper()
	addr := netip.MustParseAddrPort(f.edge.TLSAddr)
	e := cdn.Edge{Resolver: cli.OneAddr(addr.Addr()), Port: strconv.Itoa(int(addr.Port()))}
	leaves, err := e.Leaf(t.Context(), domain)
	if f.srv.API.Certificate(domain) != nil {
		require.NoError(t, err)
	}
	return leaves[addr.Addr()]
}

// requireKey fails unless the key of a certificate is in one of the two places.
func (f *fixture) requireKey(t *testing.T, leaf *x509.Certificate) {
	t.Helper()
	name, err := csr.PubMD5(leaf.PublicKey)
	require.NoError(t, err)
	_, localErr := f.keys.Get(t.Context(), name)
	_, remoteErr := f.srv.API.Keys.Get(t.Context(), name)
	require.True(t, localErr == nil || remoteErr == nil, "%v; %v", localErr, remoteErr)
}

func leafOfFile(t *testing.T, file string) *x509.Certificate {
	t.Helper()
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	require.False(t, strings.Contains(string(data), "PRIVATE"))
	leaf, err := cli.Leaf(data)
	require.NoError(t, err)
	return leaf
}
