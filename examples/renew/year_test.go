//go:debug tlsmlkem=0

package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	pebbleacme "github.com/letsencrypt/pebble/v2/acme"
	"github.com/letsencrypt/pebble/v2/core"
	"github.com/mholt/acmez/v3/acme"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/cdn"
	"github.com/cdncsr/cdncsr/cdn/cdntest"
	"github.com/cdncsr/cdncsr/csr"
	"github.com/cdncsr/cdncsr/examples/internal/cli"
	"github.com/cdncsr/cdncsr/examples/renew/internal/issue"
	"github.com/cdncsr/cdncsr/examples/renew/internal/site"
	"github.com/cdncsr/cdncsr/examples/renew/internal/state"
	"github.com/cdncsr/cdncsr/signer"
)

// inProcess is a CA as a RoundTripper, since a socket would stop the virtual
// time. It refuses a second order that replaces the same certificate, as RFC
// 9773 section 5 has it; pebble does so only once the first is finalized.
type inProcess struct {
	*testCA
	mu       sync.Mutex
	replaced map[string]bool
}

func (c *inProcess) RoundTrip(req *http.Request) (*http.Response, error) {
	if err := req.Context().Err(); err != nil {
		return nil, err
	}
	inner := req.Clone(req.Context())
	inner.TLS, inner.Host, inner.RequestURI = new(tls.ConnectionState), req.URL.Host, req.URL.RequestURI()
	if inner.Body == nil {
		inner.Body = http.NoBody
	}
	body, err := io.ReadAll(inner.Body)
	if err != nil {
		return nil, err
	}
	inner.Body = io.NopCloser(bytes.NewReader(body))
	reply := httptest.NewRecorder()
	replaces := ""
	if req.URL.Path == "/order-plz" {
		replaces = replacesOf(body)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.replaced[replaces] {
		reply.Header().Set("Content-Type", "application/problem+json")
		reply.WriteHeader(http.StatusConflict)
		_, _ = fmt.Fprintf(reply, `{"type":%q}`, acme.ProblemTypeAlreadyReplaced) // a recorder takes everything
	} else {
		c.ServeHTTP(reply, inner)
		c.awaitValidation(strings.TrimPrefix(req.URL.Path, "/chalZ/"))
	}
	if replaces != "" && reply.Code == http.StatusCreated {
		c.replaced[replaces] = true
	}
	resp := reply.Result()
	resp.Request = req
	return resp, nil
}

// awaitValidation returns once a challenge that was asked for is validated. The
// validator runs outside the bubble: in the time that it takes, many minutes go
// by within.
func (c *inProcess) awaitValidation(id string) {
	challenge := c.db.GetChallengeByID(id)
	for range 10_000_000 {
		if challenge == nil {
			return
		}
		challenge.Authz.RLock()
		status := challenge.Authz.Status
		challenge.Authz.RUnlock()
		if status != pebbleacme.StatusPending {
			return
		}
		runtime.Gosched()
	}
}

// replacesOf returns what an order in a JWS replaces.
func replacesOf(body []byte) string {
	var jws struct{ Payload string }
	var order struct{ Replaces string }
	if json.Unmarshal(body, &jws) != nil {
		return ""
	}
	payload, _ := base64.RawURLEncoding.DecodeString(jws.Payload) // none is no order
	_ = json.Unmarshal(payload, &order)                           // likewise
	return order.Replaces
}

// noProof is a solver for a CA that looks at no proof.
type noProof struct{}

func (noProof) Present(context.Context, acme.Challenge) error { return nil }
func (noProof) CleanUp(context.Context, acme.Challenge) error { return nil }

const step = 6 * time.Hour // between two looks at what is served

// A group is domains whose certificates live as long, and how often the program
// runs for them.
type group struct {
	days    int
	every   time.Duration
	domains []site.Site
}

// A year is a CDN and a CA in virtual time.
type year struct {
	api     *cdntest.API
	ca      *inProcess
	groups  []group
	revoked map[string]time.Time // by serial
	host    string               // of the CA
}

var yearProfiles = map[string]uint64{"90": 90, "45": 45, "6": 6}

// inYear runs f in a bubble, with domains in three groups.
func inYear(t *testing.T, domains int, f func(t *testing.T, y *year)) {
	t.Helper()
	defer debug.SetGCPercent(debug.SetGCPercent(400)) // a year makes much garbage
	opts := caOptions{profiles: yearProfiles, alwaysValid: true}
	db, validator := newValidator(t, "", "", opts)
	synctest.Test(t, func(t *testing.T) {
		y := &year{
			api:     &cdntest.API{Source: csr.P256, Credentials: []signer.Credentials{{AccessKeyID: "id", AccessKeySecret: "secret"}}},
			ca:      &inProcess{testCA: newTestCA(t, db, validator, opts), replaced: map[string]bool{}},
			groups:  []group{{days: 90, every: 48 * time.Hour}, {days: 45, every: 48 * time.Hour}, {days: 6, every: 12 * time.Hour}},
			revoked: map[string]time.Time{},
			host:    strings.ToLower(t.Name()) + ".example.net",
		}
		for i := range domains {
			domain := fmt.Sprintf("d%d.example.com", i)
			y.api.AddDomain(domain)
			g := &y.groups[0]
			if i < 9 { // the others need more certificates and runs
				g = &y.groups[i%3]
			}
			g.domains = append(g.domains, site.Site{Domain: domain, Names: []string{domain}})
		}
		f(t, y)
	})
}

// machine returns the program for each group, on a machine whose state is in
// dir.
func (y *year) machine(t *testing.T, dir string) map[int]*pass {
	t.Helper()
	client, err := cdn.NewClient(cdn.StaticCredentials(y.api.Credentials[0]), &cdn.Options{HTTPClient: &http.Client{Transport: y.api}})
	require.NoError(t, err)
	passes := map[int]*pass{}
	for _, g := range y.groups {
		p := &pass{sites: g.domains, workers: 2, stdout: new(bytes.Buffer), stderr: new(bytes.Buffer)}
		p.renewer = &renewer{
			installer: cdn.Installer{Client: client, Keys: new(csr.MemStore)}, wait: 10 * time.Minute,
			edge:    cdn.Edge{Resolver: cli.OneAddr(netip.MustParseAddr("192.0.2.1")), Dialer: dialer{y.api.NewEdge(nil)}},
			staging: state.In(dir, issue.Staging), logf: p.logf,
		}
		y.setCA(p, y.ca)
		p.renewer.ca.State = state.In(dir, "https://ca.example.net/dir")
		p.renewer.ca.Profile = fmt.Sprint(g.days)
		passes[g.days] = p
	}
	return passes
}

// setCA makes transport the CA of a program. The name of the test is in the URL
// of its directory, which the ACME client remembers.
func (y *year) setCA(p *pass, transport http.RoundTripper) {
	old, r := p.renewer.ca, p.renewer
	r.ca = issue.New("https://"+y.host+"/dir", transport)
	r.ca.Challenge, r.ca.Solver, r.ca.Creator, r.ca.Logf = "http-01", noProof{}, r.installer.Client, p.logf
	if old != nil {
		r.ca.Profile, r.ca.State = old.Profile, old.State
	}
}

// dialer makes the fake's edge one of cdn.Edge.
type dialer struct{ *cdntest.Edge }

// pass makes one pass over a group. It fails the test unless all went well.
func (y *year) pass(t *testing.T, machine map[int]*pass, g group) {
	t.Helper()
	p := machine[g.days]
	out := new(bytes.Buffer)
	p.stdout = out
	assert.NoError(t, p.run(t.Context()), "%s%s", out, p.stderr)
}

// run runs a year of steps, at each of which do is called for the groups whose
// turn it is. Each domain must be served at any time after the first.
func (y *year) run(t *testing.T, do func(at int, g group)) {
	t.Helper()
	start := time.Now()
	for at := range int(365 * 24 * time.Hour / step) {
		time.Sleep(time.Until(start.Add(time.Duration(at) * step))) // virtual
		if at > 0 {
			y.requireServed(t)
		}
		if at == 400 {
			y.revoke(t)
		}
		for _, g := range y.groups {
			if at%int(g.every/step) == 0 {
				do(at, g)
			}
		}
		y.requireServed(t)
	}
}

func (y *year) requireServed(t *testing.T) {
	t.Helper()
	for _, g := range y.groups {
		for _, s := range g.domains {
			in := y.api.Certificate(s.Domain)
			require.NotNil(t, in, s.Domain)
			require.True(t, time.Now().Before(in.Chain[0].NotAfter), "%s: expired", s.Domain)
		}
	}
}

// revoke revokes the certificates of half of the domains, which moves their
// windows into the past.
func (y *year) revoke(t *testing.T) {
	t.Helper()
	for _, g := range y.groups {
		for _, s := range g.domains[:len(g.domains)/2] {
			leaf := y.api.Certificate(s.Domain).Chain[0]
			cert := y.ca.db.GetCertificateBySerial(leaf.SerialNumber)
			require.NotNil(t, cert)
			y.ca.db.RevokeCertificate(&core.RevokedCertificate{Certificate: cert, RevokedAt: time.Now()})
			y.revoked[leaf.SerialNumber.String()] = time.Now()
		}
	}
}

// check checks what the CA has issued in the year: each certificate was renewed
// once, in its window, and the limits of Let's Encrypt were kept.
func (y *year) check(t *testing.T) {
	t.Helper()
	all := y.ca.all()
	fresh := slices.DeleteFunc(slices.Clone(all), func(i issuance) bool { return i.replaces != "" })
	requireAtMost(t, all, 300, 3*time.Hour)
	requireAtMost(t, fresh, 50, 7*24*time.Hour)
	for _, g := range y.groups {
		for _, s := range g.domains {
			own := slices.DeleteFunc(slices.Clone(all), func(i issuance) bool { return i.DNSNames[0] != s.Domain })
			require.GreaterOrEqual(t, len(own), 365/g.days)
			requireAtMost(t, own, 5, 7*24*time.Hour)
			for i, next := range own[1:] {
				y.requireInWindow(t, own[i].Certificate, next, g.every)
			}
		}
	}
	t.Logf("%d certificates, %d of them without a predecessor, %d revoked", len(all), len(fresh), len(y.revoked))
}

// requireInWindow fails unless next was issued in the window of leaf, or at the
// first run after it.
func (y *year) requireInWindow(t *testing.T, leaf *x509.Certificate, next issuance, every time.Duration) {
	t.Helper()
	const slack = 30 * time.Minute // of a run
	window := core.RenewalInfoSimple(leaf.NotBefore, leaf.NotAfter).SuggestedWindow
	start, end := window.Start, window.End
	if at, ok := y.revoked[leaf.SerialNumber.String()]; ok && at.Before(end) {
		start = at
		end = leaf.NotBefore.Add(max(at.Sub(leaf.NotBefore), leaf.NotAfter.Sub(leaf.NotBefore)/10)).Add(6 * time.Hour) // the CA's Retry-After
	}
	require.WithinRange(t, next.NotBefore, start, end.Add(every+slack), "%s", leaf.DNSNames)
	id, err := acme.ARIUniqueIdentifier(leaf)
	require.NoError(t, err)
	require.Equal(t, id, next.replaces)
}

// requireAtMost fails if more than n certificates were issued within d.
func requireAtMost(t *testing.T, issued []issuance, n int, d time.Duration) {
	t.Helper()
	for i := n; i < len(issued); i++ {
		require.Greater(t, issued[i].NotBefore.Sub(issued[i-n].NotBefore), d)
	}
}

// A year of 50 domains. Two machines have the same list and account, and no
// common folder. For a quarter only the first runs. After that there are months
// in which both run at the same moment, in which one runs after the other, in
// which the second is alone, and in which they take turns.
func TestYear(t *testing.T) {
	dirs := []string{t.TempDir(), t.TempDir()}
	inYear(t, 50, func(t *testing.T, y *year) {
		machines := []map[int]*pass{y.machine(t, dirs[0]), y.machine(t, dirs[1])}
		y.run(t, func(at int, g group) {
			month := int(time.Duration(at) * step / (30 * 24 * time.Hour))
			switch first := at / int(g.every/step) % 2; month {
			case 0, 1, 2:
				y.pass(t, machines[0], g)
			case 3, 6, 9: // the first with the revocation
				var both sync.WaitGroup
				for _, m := range machines {
					both.Go(func() { y.pass(t, m, g) })
				}
				both.Wait()
			case 4:
				y.pass(t, machines[first], g)
				time.Sleep(7 * time.Minute) // virtual
				y.pass(t, machines[1-first], g)
			case 5:
				y.pass(t, machines[1], g)
			default:
				y.pass(t, machines[first], g)
			}
			if at == 0 && g.days == y.groups[0].days {
				copyAccount(t, dirs[0], dirs[1])
			}
		})
		y.check(t)
	})
}
