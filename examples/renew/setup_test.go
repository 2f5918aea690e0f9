package main

import (
	"bytes"
	"context"
	"crypto/x509"
	"crypto/x509/pkix"
	"io/fs"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/cdn/cdntest"
	"github.com/cdncsr/cdncsr/examples/renew/internal/issue"
	"github.com/cdncsr/cdncsr/examples/renew/internal/site"
	"github.com/cdncsr/cdncsr/examples/renew/internal/state"
)

// An account that the CA refuses is asked for once, and no domain has to wait
// for that.
func TestRenew_AccountThatIsRefused(t *testing.T) {
	domains := []string{"a.example.com", "b.example.com", "c.example.com"}
	f := newFixture(t, caOptions{}, domains...)
	f.ca.intercept(answering("/sign-me-up", 403, asProblem, `{"type":"urn:ietf:params:acme:error:unauthorized","detail":"no more accounts"}`))
	status, stdout, _ := f.run(t, domains...)
	require.Equal(t, 1, status)
	assert.Equal(t, 1, f.ca.asked("/sign-me-up"))
	for _, domain := range domains {
		assert.Contains(t, stdout, domain+": failed: ACME account: ")
		assert.Zero(t, f.record(t, domain).Failures)
	}
	f.ca.intercept(nil)
	status, stdout, _ = f.run(t, domains...)
	require.Zero(t, status, stdout)
}

// unreachable is a CA that can't be reached.
type unreachable struct{ tries atomic.Int32 }

func (u *unreachable) RoundTrip(*http.Request) (*http.Response, error) {
	u.tries.Add(1)
	return nil, syscall.ECONNREFUSED
}

// A CA that can't be reached fails every order with the same cause, which takes
// no longer for many domains than for one.
func TestRenew_CAThatCannotBeReached(t *testing.T) {
	tries := map[int]int32{}
	for _, domains := range []int{1, 30} {
		dir := t.TempDir()
		inYear(t, domains, func(t *testing.T, y *year) {
			p, ca := y.machine(t, dir)[90], new(unreachable)
			p.workers = 1 // virtual time stands still while one waits for a mutex
			y.setCA(p, ca)
			require.Error(t, p.run(t.Context()))
			for _, s := range p.sites {
				assert.Contains(t, p.stdout.(*bytes.Buffer).String(), s.Domain+": failed: ACME account: ")
				rec, err := p.renewer.ca.State.Load(s.Domain)
				require.NoError(t, err)
				assert.Zero(t, rec.Failures)
			}
			tries[domains] = ca.tries.Load()
		})
	}
	assert.Equal(t, tries[1], tries[30])
}

// A run that makes passes makes an account anew that the CA has forgotten.
func TestRenew_AccountThatIsForgotten(t *testing.T) {
	dir := t.TempDir()
	inYear(t, 1, func(t *testing.T, y *year) {
		p := y.machine(t, dir)[90]
		require.NoError(t, p.run(t.Context()))
		y.ca.intercept(func(w http.ResponseWriter, path string) bool {
			if path != "/order-plz" || y.ca.asked("/sign-me-up") > 1 {
				return false
			}
			return answering("", 400, asProblem, `{"type":"urn:ietf:params:acme:error:accountDoesNotExist"}`)(w, path)
		})
		p.sites[0].Names = append(p.sites[0].Names, "www.d0.example.com")
		require.NoError(t, p.run(t.Context()))
		assert.Len(t, y.ca.all(), 2)
	})
}

// A run that makes passes asks again for a directory that was cut short.
func TestRenew_DirectoryThatIsCutShort(t *testing.T) {
	dir := t.TempDir()
	inYear(t, 1, func(t *testing.T, y *year) {
		p := y.machine(t, dir)[90]
		y.ca.intercept(answering("/dir", 200, map[string]string{"Content-Type": "application/json"}, `{"newNonce":"https://ca.example.net/nonce-plz"}`))
		require.Error(t, p.run(t.Context()))
		y.ca.intercept(nil)
		require.NoError(t, p.run(t.Context()), p.stdout)
		assert.Len(t, y.ca.all(), 1)
	})
}

func TestRenew_ExternalAccountThatIsRefused(t *testing.T) {
	f := newFixture(t, caOptions{eab: "kid-1"}, "example.com")
	wrong, right := f.writeFile(t, "wrong", "c2VjcmV0\n"), f.writeFile(t, "right", eabKey)
	for _, flags := range [][]string{nil, {"-eab-kid", "kid-1", "-eab-key-file", wrong}} {
		status, stdout, _ := f.run(t, append(flags, "example.com")...)
		require.Equal(t, 1, status)
		assert.Contains(t, stdout, "example.com: failed: ACME account: ")
	}
	status, stdout, _ := f.run(t, "-eab-kid", "kid-1", "-eab-key-file", right, "example.com")
	require.Zero(t, status, stdout)
}

func TestRenew_ProfileThatDoesNotExist(t *testing.T) {
	f := newFixture(t, caOptions{}, "example.com")
	status, stdout, _ := f.run(t, "-profile", "golden", "example.com")
	require.Equal(t, 1, status)
	assert.Contains(t, stdout, `the CA has no profile "golden": want one of ["classic"]`)
	assert.Zero(t, f.record(t, "example.com").Failures)
}

func TestRenew_CAWithAPrivateRoot(t *testing.T) {
	f := newFixture(t, caOptions{}, "example.com")
	f.http = nil // which trusts the fixture's root
	status, stdout, _ := f.run(t, "example.com")
	require.Equal(t, 1, status)
	assert.Contains(t, stdout, "set SSL_CERT_FILE to a file with it")
}

// What can't be used is found before the CA is asked for anything.
func TestRenew_SetupMistakes(t *testing.T) {
	f := newFixture(t, caOptions{}, "example.com")
	file := f.writeFile(t, "file", "a file where a folder should be")
	for name, test := range map[string]struct{ flags, want string }{
		"keys":                {"-keys " + file, "-keys: "},
		"state":               {"-state " + file, file},
		"state below a file":  {"-state " + file + "/state", file},
		"port of the proofs":  {"-http-dir= -http-addr 192.0.2.1:1", "192.0.2.1:1"},
		"endpoint of the DNS": {"-challenge alidns -dns-endpoint http://192.0.2.1", "Endpoint"},
	} {
		status, stdout, stderr := f.run(t, append(strings.Fields(test.flags), "example.com")...)
		require.NotZero(t, status, name)
		assert.Contains(t, stderr, test.want, name)
		assert.Empty(t, stdout, name)
	}
	assert.Zero(t, f.ca.asked("/"))
}

// What fails on this machine or at the CDN while a certificate is ordered does
// not count as a refusal of the CA: the next run continues the order.
func TestRenew_LocalErrorsDoNotBackOff(t *testing.T) {
	for name, breaks := range map[string]func(f *fixture, path string){
		"the web root goes away": func(f *fixture, path string) {
			if strings.HasPrefix(path, "/authZ/") {
				_ = os.RemoveAll(f.path("web")) // checked below
			}
		},
		"the CDN makes no CSR": func(f *fixture, path string) {
			if strings.HasPrefix(path, "/chalZ/") {
				f.cdn.API.Inject(cdntest.Fault{Action: "CreateCdnCertificateSigningRequest", Status: 403, Code: "Forbidden.RAM"})
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, caOptions{}, "example.com")
			f.ca.intercept(func(_ http.ResponseWriter, path string) bool { breaks(f, path); return false })
			status, stdout, _ := f.run(t, "-mode", "remote", "example.com")
			require.Equal(t, 1, status, stdout)
			assert.NotContains(t, stdout, "no other order before")
			assert.Zero(t, f.record(t, "example.com").Failures)
			f.ca.intercept(nil)
			if err := os.Mkdir(f.path("web"), 0o700); err != nil {
				require.ErrorIs(t, err, fs.ErrExist)
				require.NotContains(t, name, "web root")
			}
			status, stdout, _ = f.run(t, "-mode", "remote", "example.com")
			require.Zero(t, status, stdout)
			assert.Equal(t, 1, f.ca.asked("/order-plz"), "the order was continued")
		})
	}
}

// The list is read at each pass. If it can't be read, the domains stay.
func TestRenew_ListThatChanges(t *testing.T) {
	f := newFixture(t, caOptions{}) // the CDN does not know the domains, so that each pass asks it once a domain
	list := f.writeFile(t, "list", "a.example.com\n")
	ctx, interrupt := context.WithCancel(t.Context())
	var looks, looksAtB atomic.Int32
	f.cdn.API.OnRequest = func(r cdntest.Request) {
		if looks.Add(1) == 1 {
			assert.NoError(t, os.WriteFile(list, []byte("b.example.com\n"), 0o600))
		}
		if r.Params["DomainName"] == "b.example.com" {
			looksAtB.Add(1)
			_ = os.Remove(list) // at the second look it is gone
		}
		if looks.Load() > 20 || looksAtB.Load() == 3 {
			interrupt()
		}
	}
	status, stdout, stderr := f.runWith(ctx, "-every", "1ms", "-list", list)
	require.Zero(t, status, stderr)
	assert.Equal(t, 1, strings.Count(stdout, "a.example.com: failed"))
	assert.GreaterOrEqual(t, strings.Count(stdout, "b.example.com: failed"), 2)
	assert.Contains(t, stderr, "list: open ")
}

// Before it waits, renew says so, but not where its results are.
func TestRenew_SaysThatItWaits(t *testing.T) {
	f := newFixture(t, caOptions{}, "example.com", "local.example.com")
	status, stdout, stderr := f.run(t, "-mode", "fallback", "example.com")
	require.Zero(t, status, stderr)
	assert.Equal(t, 1, strings.Count(stderr, "renew: example.com: installed, waiting up to 1m0s until it is served\n"))
	assert.Contains(t, stderr, "example.com: the CDN has the key of this certificate, not -keys")
	assert.NotContains(t, stdout, "waiting")
	for domain, mode := range map[string]string{"local.example.com": "local", "example.com,www.example.com": "remote"} {
		status, _, stderr = f.run(t, "-mode", mode, domain)
		require.Zero(t, status, stderr)
		assert.NotContains(t, stderr, "the CDN has the key", mode)
	}
}

func TestRenew_StateOfEachCA(t *testing.T) {
	f := newFixture(t, caOptions{}, "example.com")
	status, _, _ := f.run(t, "example.com")
	require.Zero(t, status)
	host := strings.NewReplacer("https://", "", ":", "_", "/", "_").Replace(f.caURL)
	assert.FileExists(t, filepath.Join(f.path("state"), host, "example.com.json"), "README.md names it")
	assert.DirExists(t, filepath.Join(f.path("state"), host, "account"))
}

// A certificate of the staging CA is recognized by its issuer where the record of
// its order is not at hand. While the CA is the staging CA, it is a good one.
func TestDue_CertificateOfTheStagingCA(t *testing.T) {
	dir, now := t.TempDir(), time.Now()
	s := site.Site{Domain: "example.com", Names: []string{"example.com"}}
	for name, test := range map[string]struct {
		issuer pkix.Name
		ca     string
		want   bool
	}{
		"organization":   {pkix.Name{Organization: []string{"(STAGING) Let's Encrypt"}, CommonName: "R11"}, issue.LetsEncrypt, true},
		"common name":    {pkix.Name{Organization: []string{"Let's Encrypt"}, CommonName: "(STAGING) Puzzling Parsnip E7"}, issue.LetsEncrypt, true},
		"production":     {pkix.Name{Organization: []string{"Let's Encrypt"}, CommonName: "E7"}, issue.LetsEncrypt, false},
		"the CA of -ca":  {pkix.Name{Organization: []string{"(STAGING) Let's Encrypt"}}, issue.Staging, false},
		"without a name": {pkix.Name{}, issue.LetsEncrypt, false},
	} {
		r := &renewer{ca: issue.New(test.ca, nil), staging: state.In(dir, issue.Staging)}
		r.ca.State = state.In(dir, test.ca)
		leaf := &x509.Certificate{
			SerialNumber: big.NewInt(1), Issuer: test.issuer, DNSNames: s.Names, NotBefore: now, NotAfter: now.AddDate(0, 0, 90),
		}
		assert.Equal(t, test.want, r.due(t.Context(), s, leaf).IsZero(), name)
	}
}
