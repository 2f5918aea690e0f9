package main

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/pem"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	pebbleacme "github.com/letsencrypt/pebble/v2/acme"
	pebbleca "github.com/letsencrypt/pebble/v2/ca"
	"github.com/letsencrypt/pebble/v2/core"
	pebbledb "github.com/letsencrypt/pebble/v2/db"
	pebbleva "github.com/letsencrypt/pebble/v2/va"
	pebblewfe "github.com/letsencrypt/pebble/v2/wfe"
	"github.com/miekg/dns"
	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/cdn/cdntest"
	"github.com/cdncsr/cdncsr/csr"
	"github.com/cdncsr/cdncsr/examples/internal/cli"
	"github.com/cdncsr/cdncsr/examples/renew/internal/state"
)

// asProgram is set in the environment of a test binary that runs as the program
// itself, so that it can be killed.
const asProgram = "RENEW_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
	}
	os.Exit(m.Run())
}

// caOptions say what the CA is like.
type caOptions struct {
	profiles    map[string]uint64 // days of a life by profile; nil: classic with 90
	eab         string            // the ID of an external account, whose key is eabKey
	badNonces   int               // in a hundred
	alwaysValid bool              // no proof is looked at
	origin      http.Handler      // nil: a server of the folder of -http-dir
}

const eabKey = "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W"

// A testCA is pebble, in process.
type testCA struct {
	db      *pebbledb.MemoryStore
	handler http.Handler

	mu       sync.Mutex
	accounts []string
	requests []string                                      // the paths
	before   func(w http.ResponseWriter, path string) bool // if non-nil and true, it has answered instead
}

// newValidator returns what proves names for a CA, by the edge at httpAddr and
// the name server at dnsAddr. Its goroutine never ends.
func newValidator(t *testing.T, httpAddr, dnsAddr string, opts caOptions) (*pebbledb.MemoryStore, *pebbleva.VAImpl) {
	t.Helper()
	t.Setenv("PEBBLE_VA_NOSLEEP", "1")
	t.Setenv("PEBBLE_WFE_NONCEREJECT", strconv.Itoa(opts.badNonces))
	t.Setenv("PEBBLE_AUTHZREUSE", "0")
	t.Setenv("PEBBLE_VA_ALWAYS_VALID", map[bool]string{true: "1", false: ""}[opts.alwaysValid])
	port := 0
	if httpAddr != "" {
		port = int(netip.MustParseAddrPort(httpAddr).Port())
	}
	db := pebbledb.NewMemoryStore()
	return db, pebbleva.New(log.New(io.Discard, "", 0), port, 0, false, dnsAddr, db)
}

// newTestCA returns a CA.
func newTestCA(t *testing.T, db *pebbledb.MemoryStore, validator *pebbleva.VAImpl, opts caOptions) *testCA {
	t.Helper()
	if opts.eab != "" {
		require.NoError(t, db.AddExternalAccountKeyByID(opts.eab, eabKey))
	}
	if opts.profiles == nil {
		opts.profiles = map[string]uint64{"classic": 90}
	}
	profiles := map[string]pebbleca.Profile{}
	for name, days := range opts.profiles {
		profiles[name] = pebbleca.Profile{PromoteCommonName: true, ValidityPeriod: days * 24 * 60 * 60}
	}
	logger := log.New(io.Discard, "", 0)
	issuer := pebbleca.New(logger, db, "", "ecdsa", 0, 1, profiles)
	front := pebblewfe.New(logger, db, validator, issuer, []string{"ca.example.net"}, false, opts.eab != "", 0, 0)
	return &testCA{db: db, handler: front.Handler()}
}

// ServeHTTP implements http.Handler.
func (c *testCA) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	c.requests = append(c.requests, r.URL.Path)
	before := c.before
	c.mu.Unlock()
	if before != nil && before(w, r.URL.Path) {
		return
	}
	c.handler.ServeHTTP(w, r)
	if _, id, ok := strings.Cut(w.Header().Get("Location"), "/my-account/"); ok {
		c.mu.Lock()
		defer c.mu.Unlock()
		if !slices.Contains(c.accounts, id) {
			c.accounts = append(c.accounts, id)
		}
	}
	if id, ok := strings.CutPrefix(r.URL.Path, "/certZ/"); ok {
		c.alias(c.db.GetCertificateByID(id))
	}
}

// alias puts right that pebble stores the order of a certificate by its serial,
// but looks for it by the serial's DER, which may begin with a zero (one in 512).
func (c *testCA) alias(cert *core.Certificate) {
	if cert == nil || cert.Cert.SerialNumber.BitLen()%8 != 0 {
		return
	}
	order := &core.Order{AccountID: cert.AccountID, CertificateObject: &core.Certificate{ID: "00" + cert.ID}}
	for _, name := range cert.Cert.DNSNames {
		order.Identifiers = append(order.Identifiers, pebbleacme.Identifier{Type: pebbleacme.IdentifierDNS, Value: name})
	}
	_ = c.db.AddOrderByIssuedSerial(order) // it has a certificate
}

// intercept sets what answers instead of the CA; nil for the CA.
func (c *testCA) intercept(before func(w http.ResponseWriter, path string) bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.before = before
}

// asked returns how many requests had a path with that in it.
func (c *testCA) asked(part string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := 0
	for _, path := range c.requests {
		if strings.Contains(path, part) {
			n++
		}
	}
	return n
}

// An issuance is a certificate and the one that its order replaces.
type issuance struct {
	*x509.Certificate
	replaces string
}

// all returns what the CA has issued, oldest first.
func (c *testCA) all() []issuance {
	c.mu.Lock()
	defer c.mu.Unlock()
	var all []issuance
	for _, account := range c.accounts {
		for _, order := range c.db.GetOrdersByAccountID(account) {
			order.RLock()
			if cert := order.CertificateObject; cert != nil {
				all = append(all, issuance{cert.Cert, order.Replaces})
			}
			order.RUnlock()
		}
	}
	slices.SortFunc(all, func(a, b issuance) int { return a.NotBefore.Compare(b.NotBefore) })
	return all
}

// issued returns the certificates that have a name.
func (c *testCA) issued(name string) []issuance {
	return slices.DeleteFunc(c.all(), func(i issuance) bool { return !slices.Contains(i.DNSNames, name) })
}

// A fixture is a fake CDN with an edge, a CA, a name server, and a folder.
type fixture struct {
	cdn   *cdntest.Server
	edge  *cdntest.Edge
	ca    *testCA
	caURL string
	http  http.RoundTripper
	dns   *fakeDNS
	dir   string
	made  atomic.Int32 // keys, by the CDN
}

func newFixture(t *testing.T, opts caOptions, domains ...string) *fixture {
	t.Helper()
	t.Setenv("ALIBABA_CLOUD_ACCESS_KEY_ID", "testid")
	t.Setenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "testsecret")
	t.Setenv("ALIBABA_CLOUD_SECURITY_TOKEN", "")
	f := &fixture{cdn: cdntest.NewServer(t), dir: t.TempDir()}
	f.cdn.API.Source = csr.P256
	for _, domain := range domains {
		f.cdn.API.AddDomain(domain)
	}
	require.NoError(t, os.Mkdir(f.path("web"), 0o700))
	f.cdn.API.OnRequest = func(r cdntest.Request) {
		if r.Action == "CreateCdnCertificateSigningRequest" && r.StatusCode == http.StatusOK {
			f.made.Add(1)
		}
	}
	if opts.origin == nil {
		opts.origin = http.FileServer(http.Dir(f.path("web")))
	}
	f.edge = f.cdn.StartEdge(t, opts.origin)
	f.dns = startFakeDNS(t, "example.com")
	db, validator := newValidator(t, f.edge.HTTPAddr, f.dns.addr, opts)
	f.ca = newTestCA(t, db, validator, opts)
	srv := httptest.NewTLSServer(f.ca)
	t.Cleanup(srv.Close)
	f.caURL, f.http = srv.URL+pebblewfe.DirectoryPath, srv.Client().Transport
	// For a program of its own: the CA's root.
	root := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: srv.Certificate().Raw})
	require.NoError(t, os.WriteFile(f.path("root.pem"), root, 0o600))
	return f
}

func (f *fixture) path(name string) string { return filepath.Join(f.dir, name) }

// flags returns flags for everything of the fixture, and more.
func (f *fixture) flags(more ...string) []string {
	return append([]string{
		"-endpoint", f.cdn.URL, "-keys", f.path("keys"), "-key-type", "p-256", "-state", f.path("state"),
		"-ca", f.caURL, "-edge", f.edge.TLSAddr, "-wait", "1m",
		"-http-dir", f.path("web"), "-dns-endpoint", f.dns.url, "-dns-wait", "0s",
	}, more...)
}

// run runs the program.
func (f *fixture) run(t *testing.T, more ...string) (status int, stdout, stderr string) {
	t.Helper()
	return f.runWith(t.Context(), more...)
}

func (f *fixture) runWith(ctx context.Context, more ...string) (status int, stdout, stderr string) {
	var out, errs bytes.Buffer
	status = run(ctx, f.flags(more...), &out, &errs, f.http)
	return status, out.String(), errs.String()
}

// served returns what the edge presents for a host; nil for nothing.
func (f *fixture) served(t *testing.T, host string) *x509.Certificate {
	t.Helper()
	e, err := cli.ParseEdge(f.edge.TLSAddr)
	require.NoError(t, err)
	leaves, _ := e.Leaf(t.Context(), host) // nothing is an error, and nil
	return leaves[netip.MustParseAddrPort(f.edge.TLSAddr).Addr()]
}

// record returns the record of a domain.
func (f *fixture) record(t *testing.T, domain string) *state.Record {
	t.Helper()
	rec, err := state.In(f.path("state"), f.caURL).Load(domain)
	require.NoError(t, err)
	return rec
}

// grow dates the lock of the state back, as if a minute had gone by without a
// refresh.
func grow(t *testing.T, dir string) {
	t.Helper()
	past := time.Now().Add(-2 * time.Minute)
	if err := os.Chtimes(filepath.Join(dir, "lock"), past, past); !os.IsNotExist(err) {
		require.NoError(t, err)
	}
}

// localKeys returns how many keys this machine has made.
func (f *fixture) localKeys(t *testing.T) int {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(f.path("keys"), "*.pem"))
	require.NoError(t, err)
	return len(files)
}

// serveDNS answers A with 127.0.0.1 and TXT with texts.
func serveDNS(t *testing.T, texts func(name string) []string) (addr string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	server := &dns.Server{Listener: listener, Net: "tcp", Handler: dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) {
		reply := new(dns.Msg).SetReply(q)
		name := q.Question[0].Name
		switch q.Question[0].Qtype {
		case dns.TypeA:
			reply.Answer = append(reply.Answer, &dns.A{
				Hdr: dns.RR_Header{Name: name, Rrtype: dns.TypeA, Class: dns.ClassINET}, A: net.IPv4(127, 0, 0, 1),
			})
		case dns.TypeTXT:
			for _, text := range texts(strings.TrimSuffix(name, ".")) {
				reply.Answer = append(reply.Answer, &dns.TXT{
					Hdr: dns.RR_Header{Name: name, Rrtype: dns.TypeTXT, Class: dns.ClassINET}, Txt: []string{text},
				})
			}
		}
		_ = w.WriteMsg(reply) // the CA reports what it did not get
	})}
	go func() { _ = server.ActivateAndServe() }() // until Shutdown
	t.Cleanup(func() { _ = server.Shutdown() })
	return listener.Addr().String()
}

// writeFile writes a file into the fixture's folder and returns its path.
func (f *fixture) writeFile(t *testing.T, name, content string) string {
	t.Helper()
	require.NoError(t, os.WriteFile(f.path(name), []byte(content), 0o600))
	return f.path(name)
}
