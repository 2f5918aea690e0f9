package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/cdn/cdntest"
	"github.com/cdncsr/cdncsr/csr"
	"github.com/cdncsr/cdncsr/examples/renew/internal/lease"
)

func TestRenew_EveryModeAndChallenge(t *testing.T) {
	for _, challenge := range []string{"http", "alidns"} {
		for mode, local := range map[string]bool{"local": true, "remote": false, "fallback": false, "fallback without the CDN": true} {
			t.Run(challenge+" "+mode, func(t *testing.T) {
				f := newFixture(t, caOptions{}, "www.example.com")
				word, _, broken := strings.Cut(mode, " ")
				if broken {
					for range 8 {
						f.cdn.API.Inject(cdntest.Fault{Action: "CreateCdnCertificateSigningRequest", Status: 503})
					}
				}
				flags := []string{"-mode", word, "-challenge", challenge, "www.example.com"}
				status, stdout, stderr := f.run(t, flags...)
				require.Zero(t, status, stdout+stderr)
				assert.Contains(t, stdout, "www.example.com: renewed, next ")
				leaf := f.served(t, "www.example.com")
				require.NotNil(t, leaf)
				assert.Equal(t, []string{"www.example.com"}, leaf.DNSNames)
				assert.Equal(t, local, f.localKeys(t) == 1)
				name, err := csr.PubMD5(leaf.PublicKey)
				require.NoError(t, err)
				_, err = f.cdn.API.Keys.Get(t.Context(), name)
				assert.Equal(t, !local, err == nil, "the CDN has the key: %v", err)

				status, stdout, _ = f.run(t, flags...)
				require.Zero(t, status)
				assert.Contains(t, stdout, "www.example.com: kept, next ")
				assert.Len(t, f.ca.issued("www.example.com"), 1)
				f.requireNoProofs(t)
			})
		}
	}
}

// requireNoProofs fails if a proof was left behind.
func (f *fixture) requireNoProofs(t *testing.T) {
	t.Helper()
	left, _ := f.dns.left()
	require.Zero(t, left, "records")
	files, err := os.ReadDir(f.path("web/.well-known/acme-challenge"))
	if !os.IsNotExist(err) {
		require.NoError(t, err)
	}
	require.Empty(t, files)
}

func TestRenew_WildcardAndSeveralNames(t *testing.T) {
	f := newFixture(t, caOptions{}, ".example.com", "shop.example.com")
	list := f.writeFile(t, "list", "# ours\n.example.com,example.com\n\nshop.example.com,www.shop.example.com # and this\n")
	status, stdout, stderr := f.run(t, "-mode", "remote", "-challenge", "alidns", "-list", list)
	require.Zero(t, status, stdout+stderr)
	assert.ElementsMatch(t, []string{"*.example.com", "example.com"}, f.served(t, "any.example.com").DNSNames)
	assert.ElementsMatch(t, []string{"shop.example.com", "www.shop.example.com"}, f.served(t, "shop.example.com").DNSNames)
	_, added := f.dns.left()
	assert.Equal(t, 4, added)
	f.requireNoProofs(t)

	status, stdout, _ = f.run(t, "-mode", "remote", "-challenge", "alidns", "*.example.com,example.com,new.example.com")
	require.Zero(t, status, stdout)
	assert.Contains(t, stdout, "*.example.com: renewed", "a name was added")
}

func TestRenew_ExternalAccountAndBadNonces(t *testing.T) {
	f := newFixture(t, caOptions{eab: "kid-1", badNonces: 40}, "example.com")
	status, stdout, _ := f.run(t, "example.com")
	require.Equal(t, 1, status)
	assert.Contains(t, stdout, "externalAccountRequired")

	file := f.writeFile(t, "eab", eabKey+"\n")
	status, stdout, stderr := f.run(t, "-eab-kid", "kid-1", "-eab-key-file", file, "-profile", "classic", "example.com")
	require.Zero(t, status, stdout+stderr)
	require.NotNil(t, f.served(t, "example.com"))
}

func TestRenew_HTTPServerOfItsOwn(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	addr := listener.Addr().String()
	require.NoError(t, listener.Close()) // the program listens there
	origin := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: addr})
	f := newFixture(t, caOptions{origin: origin}, "example.com")
	status, stdout, stderr := f.run(t, "-http-dir", "", "-http-addr", addr, "example.com")
	require.Zero(t, status, stdout+stderr)
	require.NotNil(t, f.served(t, "example.com"))
	status, _, stderr = f.run(t, "-http-dir", "", "-http-addr", "192.0.2.1:1", "example.com")
	require.Equal(t, 1, status)
	assert.Contains(t, stderr, "192.0.2.1:1")
}

// answering returns what answers every request whose path begins with prefix.
func answering(prefix string, status int, header map[string]string, body string) func(http.ResponseWriter, string) bool {
	return func(w http.ResponseWriter, path string) bool {
		if !strings.HasPrefix(path, prefix) {
			return false
		}
		for name, value := range header {
			w.Header().Set(name, value)
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body) // the program reports what it did not get
		return true
	}
}

var (
	asJSON    = map[string]string{"Content-Type": "application/json"}
	asProblem = map[string]string{"Content-Type": "application/problem+json", "Retry-After": "7200"}
)

// A CA that fails, limits orders, or offers nonsense: no key is made, none is
// stored, and no other order is made before the pause is over.
func TestRenew_CAFails(t *testing.T) {
	const authz = `{"status":"pending","identifier":{"type":"dns","value":"example.com"},"challenges":[%s]}`
	for name, test := range map[string]struct {
		before func(w http.ResponseWriter, path string) bool
		want   string
		pause  time.Duration
	}{
		"fails":  {answering("/order-plz", 500, nil, ""), "HTTP 500", time.Minute},
		"limits": {answering("/order-plz", 429, asProblem, `{"type":"urn:ietf:params:acme:error:rateLimited"}`), "rateLimited", 2 * time.Hour},
		"offers no challenge": {
			answering("/authZ/", 200, asJSON, fmt.Sprintf(authz, `{"type":"dns-01"}`)), "no http-01", time.Minute,
		},
		"has a token that is a path": {
			answering("/authZ/", 200, asJSON, fmt.Sprintf(authz, `{"type":"http-01","token":"../../index.html"}`)), "not base64url", time.Minute,
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, caOptions{}, "example.com")
			f.ca.intercept(test.before)
			start := time.Now()
			status, stdout, _ := f.run(t, "-mode", "remote", "example.com")
			require.Equal(t, 1, status)
			require.Contains(t, stdout, test.want)
			f.requireNoKey(t)
			rec := f.record(t, "example.com")
			assert.Equal(t, 1, rec.Failures)
			assert.WithinRange(t, rec.RetryAt, start.Add(test.pause).Truncate(time.Second), time.Now().Add(test.pause))
			f.ca.intercept(nil)
			f.requireBackoff(t, "-mode", "remote", "example.com")
		})
	}
}

// However long and odd an answer of the CA is, the line of a domain stays one
// line of a length that can be read.
func TestRenew_LongAnswer(t *testing.T) {
	f := newFixture(t, caOptions{}, "example.com")
	for _, path := range []string{"/order-plz", "/sign-me-up"} {
		f.ca.intercept(answering(path, 403, nil, "\rother.example.com: kept\x1b[2K\u2028x\n"+strings.Repeat("<p>busy</p>\n", 10_000)))
		status, stdout, _ := f.run(t, "example.com")
		require.Equal(t, 1, status)
		assert.Less(t, len(stdout), 800)
		assert.Contains(t, stdout, "busy")
		assert.NotContains(t, strings.TrimSuffix(stdout, "\n"), "\n")
		for _, odd := range []string{"\r", "\x1b", "\u2028"} {
			assert.NotContains(t, stdout, odd)
		}
		assert.Less(t, len(f.record(t, "example.com").LastFailure), 800)
		f.pauseIsOver(t, "example.com")
	}
}

// requireBackoff fails unless no order is made before the pause is over, and
// one that succeeds after it.
func (f *fixture) requireBackoff(t *testing.T, args ...string) {
	t.Helper()
	orders := f.ca.asked("/order-plz")
	status, stdout, _ := f.run(t, args...)
	require.Equal(t, 1, status)
	require.Contains(t, stdout, "no order before")
	require.Equal(t, orders, f.ca.asked("/order-plz"))
	f.pauseIsOver(t, args[len(args)-1])
	status, stdout, stderr := f.run(t, args...)
	require.Zero(t, status, stdout+stderr)
	require.Zero(t, f.record(t, args[len(args)-1]).Failures)
}

// requireNoKey fails if a key was made in either place.
func (f *fixture) requireNoKey(t *testing.T) {
	t.Helper()
	assert.Zero(t, f.localKeys(t))
	assert.Zero(t, f.made.Load(), "CSRs made by the CDN")
}

// pauseIsOver dates the failures of a domain back.
func (f *fixture) pauseIsOver(t *testing.T, domain string) {
	t.Helper()
	rec := f.record(t, domain)
	rec.RetryAt = time.Now()
	require.NoError(t, rec.Save(t.Context()))
}

func TestRenew_NamesThatDoNotValidate(t *testing.T) {
	for _, mode := range []string{"local", "remote"} {
		f := newFixture(t, caOptions{}, "example.com", "good.example.com")
		// A folder that the origin does not serve.
		status, stdout, stderr := f.run(t, "-mode", mode, "-http-dir", t.TempDir(), "example.com", "good.example.com")
		require.Equal(t, 1, status)
		assert.Contains(t, stdout, "example.com: failed: http-01 for example.com")
		assert.Contains(t, stderr, "2 of 2 domains failed")
		f.requireNoKey(t)
		assert.Empty(t, f.ca.issued("example.com"))
		assert.Empty(t, f.record(t, "example.com").Chain)
	}
}

func TestRenew_OthersAreDoneAllTheSame(t *testing.T) {
	f := newFixture(t, caOptions{}, "a.example.com", "c.example.com")
	status, stdout, stderr := f.run(t, "-workers", "2", "a.example.com", "unknown.example.com", "c.example.com")
	require.Equal(t, 1, status)
	assert.Contains(t, stdout, "unknown.example.com: failed: invalid request: InvalidDomain.NotFound")
	assert.Contains(t, stderr, "1 of 3 domains failed")
	assert.NotNil(t, f.served(t, "a.example.com"))
	assert.NotNil(t, f.served(t, "c.example.com"))
	assert.Equal(t, 2, f.ca.asked("/order-plz"), "a domain that the CDN does not know is not ordered for")
	assert.Zero(t, f.record(t, "unknown.example.com").Failures)
}

// An edge server that refuses every handshake proves nothing, however often renew
// runs. Once one presents the certificate, it is kept.
func TestRenew_EdgeThatRefusesEveryHandshake(t *testing.T) {
	f := newFixture(t, caOptions{}, "example.com")
	refusing := httptest.NewServer(http.NotFoundHandler()) // speaks no TLS
	t.Cleanup(refusing.Close)
	for _, want := range []string{"example.com: failed: ", "example.com: failed: in force by the CDN's report, but no edge presents it: "} {
		status, stdout, _ := f.run(t, "-edge", refusing.Listener.Addr().String(), "-wait", "1s", "example.com")
		require.Equal(t, 1, status, stdout)
		assert.Contains(t, stdout, want)
	}
	status, stdout, _ := f.run(t, "example.com")
	require.Zero(t, status, stdout)
	assert.Contains(t, stdout, "example.com: kept, next ")
	assert.Len(t, f.ca.issued("example.com"), 1)
}

func TestRenew_DryRunOrdersNothing(t *testing.T) {
	f := newFixture(t, caOptions{}, "example.com")
	status, stdout, _ := f.run(t, "-dry-run", "example.com")
	require.Zero(t, status)
	assert.Equal(t, "example.com: would be renewed\n", stdout)
	assert.Zero(t, f.ca.asked("/order-plz"))
	assert.NoDirExists(t, f.path("state"))
	assert.NoDirExists(t, f.path("keys"))
}

// A dry run waits for no other run and takes no port, and says when an order
// would have to wait.
func TestRenew_DryRunBesideAnother(t *testing.T) {
	f := newFixture(t, caOptions{}, "example.com")
	status, _, _ := f.run(t, "-http-dir", t.TempDir(), "example.com") // which the origin does not serve
	require.Equal(t, 1, status)
	_, free, err := lease.Take(t.Context(), f.path("state"))
	require.NoError(t, err)
	defer free()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { require.NoError(t, listener.Close()) }()
	status, stdout, stderr := f.run(t, "-dry-run", "-http-dir", "", "-http-addr", listener.Addr().String(), "example.com")
	require.Zero(t, status, stderr)
	assert.Contains(t, stdout, "example.com: would be renewed, but no order before "+f.record(t, "example.com").RetryAt.UTC().Format(time.RFC3339))
}

// The port of the proofs is taken by the run that has the lease, for as long as
// it has.
func TestRenew_PortOfTheProofsIsTheLeaseholders(t *testing.T) {
	f := newFixture(t, caOptions{}) // the CDN does not know the domain
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	addr := listener.Addr().String()
	flags := []string{"-http-dir", "", "-http-addr", addr, "example.com"}
	require.NoError(t, os.Mkdir(f.path("state"), 0o700))
	_, free, err := lease.Take(t.Context(), f.path("state"))
	require.NoError(t, err)
	ctx, interrupt := context.WithCancel(t.Context())
	interrupt()
	status, _, stderr := f.runWith(ctx, flags...)
	require.Equal(t, 1, status)
	assert.Equal(t, "renew: context canceled\n", stderr, "it waits for the lease")
	free()
	status, _, stderr = f.run(t, flags...)
	require.Equal(t, 1, status)
	assert.Contains(t, stderr, addr)
	require.NoError(t, listener.Close())

	ctx, interrupt = context.WithCancel(t.Context())
	looks := 0
	f.cdn.API.OnRequest = func(cdntest.Request) {
		if looks++; looks == 3 {
			interrupt()
		}
	}
	status, _, stderr = f.runWith(ctx, append([]string{"-every", "1ms"}, flags...)...)
	require.Zero(t, status)
	assert.NotContains(t, stderr, addr, "the next pass takes it again")
}

// With -every the program goes on until a signal, and its status is 0 then.
func TestRenew_EverySoOften(t *testing.T) {
	f := newFixture(t, caOptions{}) // the CDN does not know the domain, so that each pass asks it once
	ctx, interrupt := context.WithCancel(t.Context())
	var looks atomic.Int32
	f.cdn.API.OnRequest = func(cdntest.Request) {
		if looks.Add(1) == 3 {
			interrupt()
		}
	}
	status, stdout, stderr := f.runWith(ctx, "-every", "1ms", "example.com")
	require.Zero(t, status, stderr)
	assert.GreaterOrEqual(t, strings.Count(stdout, "example.com: failed"), 2)
	assert.Contains(t, stderr, "1 of 1 domains failed", "said after each pass")
}

func TestRenew_UsageErrors(t *testing.T) {
	web, empty, noKey := t.TempDir(), filepath.Join(t.TempDir(), "empty"), filepath.Join(t.TempDir(), "eab")
	require.NoError(t, os.WriteFile(empty, []byte("\n"), 0o600))
	notWritable := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(notWritable, ".well-known"), nil, 0o600))
	require.NoError(t, os.WriteFile(noKey, []byte("not/base64+url\n"), 0o600))
	for _, test := range []struct {
		args []string
		want string
	}{
		{nil, "no DOMAIN"},
		{[]string{"example.com"}, "want one of -http-dir and -http-addr"},
		{[]string{"-http-dir", web}, "no DOMAIN"},
		{[]string{"-http-dir", web, "-http-addr", ":80", "example.com"}, "want one of"},
		{[]string{"-http-dir", web + "/none", "example.com"}, "-http-dir " + web + "/none: "},
		{[]string{"-http-dir", empty, "example.com"}, "-http-dir " + empty + ": "},
		{[]string{"-http-dir", notWritable, "example.com"}, "-http-dir " + notWritable + ": mkdir "},
		{[]string{"-http-dir", web, "-workers", "0", "example.com"}, "-workers 0"},
		{[]string{"-http-dir", web, "-every", "-1s", "example.com"}, "-every -1s"},
		{[]string{"-http-dir", web, "-every", "5", "example.com"}, "want a duration such as 90s"},
		{[]string{"-http-dir", web, "-wait", "0", "example.com"}, "-wait 0s"},
		{[]string{"-dns-wait", "1h", "-challenge", "alidns", "example.com"}, "-dns-wait 1h"},
		{[]string{"-http-dir", web, "-eab-kid", "k", "example.com"}, "belong together"},
		{[]string{"-http-dir", web, "-eab-kid", "k", "-eab-key-file", web + "/none", "example.com"}, "-eab-key-file: "},
		{[]string{"-http-dir", web, "-eab-kid", "k", "-eab-key-file", empty, "example.com"}, "want a key in base64url"},
		{[]string{"-http-dir", web, "-eab-kid", "k", "-eab-key-file", noKey, "example.com"}, "want a key in base64url"},
		{[]string{"-http-dir", web, "-ca", "zerossl", "example.com"}, "-ca zerossl: want -eab-kid"},
		{[]string{"-http-dir", web, "-ca", "http://ca.example.net", "example.com"}, "or an https:// URL"},
		{[]string{"-http-dir", web, "-ca", "https://", "example.com"}, "or an https:// URL"},
		{[]string{"-http-dir", web, "-ca", "nonsense", "example.com"}, `"nonsense" for flag -ca: want letsencrypt-staging, letsencrypt, zerossl`},
		{[]string{"-http-dir", web, "-edge", "example.com:443", "example.com"}, "192.0.2.1:443"},
		{[]string{"-http-dir", web, "-state", "", "example.com"}, "-state is empty"},
		{[]string{"-http-dir", web, "-mode", "both", "example.com"}, "-mode"},
		{[]string{"-http-dir", web, "-list", web + "/none"}, "list: open "},
		{[]string{"-http-dir", web, "example.com", "example.com,www.example.com"}, "example.com is there twice"},
		{[]string{"-http-dir", web, "exa mple.com"}, "exa mple.com"},
		{[]string{"-http-dir", web, "-key-type", "ed25519", "example.com"}, "-key-type ed25519"},
		{[]string{"-http-dir", web, "-signer", "acs3", "example.com"}, "-signer acs3"},
		{[]string{"-http-dir", web, "*.example.com"}, "-challenge alidns"},
	} {
		var out, errs strings.Builder
		status := run(t.Context(), test.args, &out, &errs, nil)
		assert.Equal(t, 2, status, test.args)
		assert.Contains(t, errs.String(), test.want)
		assert.NotContains(t, errs.String(), "not/base64", "a part of the key")
		assert.Empty(t, out.String())
	}
}

func TestRenew_Help(t *testing.T) {
	var out, errs strings.Builder
	require.Zero(t, run(t.Context(), []string{"-h"}, &out, &errs, nil))
	require.Empty(t, errs.String())
	for _, flag := range strings.Fields("-mode -keys -key-type -state -ca -eab-kid -eab-key-file -profile -challenge -http-dir -http-addr -dry-run -workers -every -list -edge") {
		require.Contains(t, out.String(), "\n  "+flag)
	}
}
