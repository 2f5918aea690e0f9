package main

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mholt/acmez/v3/acme"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/examples/renew/internal/issue"
	"github.com/cdncsr/cdncsr/examples/renew/internal/site"
)

// hanging is a CA that does not answer requests to a path.
type hanging struct {
	http.RoundTripper
	path string
}

func (h hanging) RoundTrip(req *http.Request) (*http.Response, error) {
	if strings.Contains(req.URL.Path, h.path) {
		<-req.Context().Done()
		return nil, context.Cause(req.Context())
	}
	return h.RoundTripper.RoundTrip(req)
}

// passWithHanging makes a pass over the six domains of a year, with a CA that
// hangs.
func (y *year) passWithHanging(t *testing.T, dir, path string) (p *pass, took time.Duration, err error) {
	t.Helper()
	g := y.groups[0]
	p = y.machine(t, dir)[g.days]
	y.setCA(p, hanging{y.ca, path})
	start := time.Now()
	err = p.run(t.Context())
	return p, time.Since(start), err
}

// A CA that hangs when it is asked for windows costs a chain nothing, and a
// pass 15 s a worker. The times are virtual.
func TestRenew_WindowsThatHang(t *testing.T) {
	dir := t.TempDir()
	inYear(t, 14, func(t *testing.T, y *year) {
		_, took, err := y.passWithHanging(t, dir, "renewalInfo") // the ACME client asks after the download
		require.NoError(t, err)
		assert.LessOrEqual(t, took, 8*issue.RequestTimeout)
		p, took, err := y.passWithHanging(t, dir, "renewalInfo")
		require.NoError(t, err)
		assert.Contains(t, p.stdout.(*bytes.Buffer).String(), "kept")
		assert.LessOrEqual(t, took, 30*time.Second)
		assert.Len(t, y.ca.all(), len(p.sites))
	})
}

// A CA that hangs altogether fails the orders. Nothing else waits longer than
// an order may take.
func TestRenew_CAThatHangs(t *testing.T) {
	for _, path := range []string{"/order-plz", "/authZ", "/finalize-order"} {
		dir := t.TempDir()
		inYear(t, 6, func(t *testing.T, y *year) {
			p, took, err := y.passWithHanging(t, dir, path)
			require.Error(t, err, path)
			assert.LessOrEqual(t, took, issue.OrderTimeout)
			assert.Contains(t, p.stdout.(*bytes.Buffer).String(), "no other order before")
			assert.Empty(t, y.ca.all())
		})
	}
}

// processing is a CA that never issues what was finalized.
type processing struct{ http.RoundTripper }

func (p processing) RoundTrip(req *http.Request) (*http.Response, error) {
	if !strings.HasPrefix(req.URL.Path, "/finalize-order/") && !strings.HasPrefix(req.URL.Path, "/my-order/") {
		return p.RoundTripper.RoundTrip(req)
	}
	reply := httptest.NewRecorder()
	reply.Header().Set("Content-Type", "application/json")
	reply.Header().Set("Replay-Nonce", "any")
	reply.Header().Set("Location", "https://"+req.URL.Host+"/my-order/1")
	_, err := reply.WriteString(`{"status":"processing","identifiers":[{"type":"dns","value":"d0.example.com"}]}`)
	return reply.Result(), err
}

// An order that never ends does not hold up a pass for ever, not even when it is
// continued.
func TestRenew_OrderThatNeverEnds(t *testing.T) {
	dir := t.TempDir()
	inYear(t, 3, func(t *testing.T, y *year) {
		p := y.machine(t, dir)[90]
		y.setCA(p, processing{y.ca})
		for range 2 {
			start := time.Now()
			require.Error(t, p.run(t.Context()))
			assert.LessOrEqual(t, time.Since(start), issue.OrderTimeout+time.Minute)
			time.Sleep(time.Hour) // virtual, until the pause is over
		}
		assert.Equal(t, 1, y.ca.asked("/order-plz"), "the order was continued")
	})
}

// slow is a CA that takes its time for each request.
type slow struct{ http.RoundTripper }

func (s slow) RoundTrip(req *http.Request) (*http.Response, error) {
	time.Sleep(issue.RequestTimeout / 3) // virtual
	return s.RoundTripper.RoundTrip(req)
}

func TestRenew_SlowCA(t *testing.T) {
	dir := t.TempDir()
	inYear(t, 6, func(t *testing.T, y *year) {
		p := y.machine(t, dir)[90]
		p.workers = 1 // virtual time stands still while one waits for a mutex
		y.setCA(p, slow{y.ca})
		require.NoError(t, p.run(t.Context()), p.stdout)
		assert.Len(t, y.ca.all(), 2)
	})
}

// noEdge is an edge that does not answer.
type noEdge struct{}

func (noEdge) DialContext(ctx context.Context, _, _ string) (net.Conn, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

// Without the edges, what the CDN reports decides that nothing is ordered. That a
// certificate is served is not proved then, and no run says so.
func TestRenew_EdgesThatHang(t *testing.T) {
	dir := t.TempDir()
	inYear(t, 6, func(t *testing.T, y *year) {
		p := y.machine(t, dir)[90]
		p.renewer.edge.Dialer = noEdge{}
		require.Error(t, p.run(t.Context()), "not proved")
		stdout := p.stdout.(*bytes.Buffer)
		for _, dryRun := range []bool{false, true} {
			stdout.Reset()
			p.renewer.dryRun = dryRun
			require.Error(t, p.run(t.Context()), "not proved by a later run either")
			assert.Contains(t, stdout.String(), "d0.example.com: failed: in force by the CDN's report, but no edge presents it: ")
			assert.NotContains(t, stdout.String(), "kept")
		}
		assert.Len(t, y.ca.all(), 2)
	})
}

// Two runs in one folder, at the same moment: one waits for the other, and
// orders nothing.
func TestRenew_CommonFolder(t *testing.T) {
	dir := t.TempDir()
	inYear(t, 6, func(t *testing.T, y *year) {
		var both sync.WaitGroup
		for range 2 {
			both.Go(func() { assert.NoError(t, y.machine(t, dir)[90].run(t.Context())) })
		}
		both.Wait()
		assert.Len(t, y.ca.all(), 2)
	})
}

// A run that loses its lease ends, and does not count that as a failed order.
func TestRenew_LostLease(t *testing.T) {
	dir := t.TempDir()
	inYear(t, 6, func(t *testing.T, y *year) {
		p := y.machine(t, dir)[90]
		y.setCA(p, hanging{y.ca, "/finalize-order"})
		time.AfterFunc(5*time.Second, func() {
			assert.NoError(t, os.WriteFile(dir+"/lock", []byte("another"), 0o600))
		})
		err := p.run(t.Context())
		require.ErrorContains(t, err, "the lease was lost")
		require.False(t, errors.Is(err, context.Canceled))
		rec, err := p.renewer.ca.State.Load(y.groups[0].domains[0].Domain)
		require.NoError(t, err)
		assert.Zero(t, rec.Failures)
		assert.NotEmpty(t, rec.OrderURL, "the next run continues the order")
	})
}

// Another machine has installed a certificate, and the edges serve the older one
// still, which lacks a name: that is a failure, and no reason for another order.
func TestRenew_EdgesThatAreBehind(t *testing.T) {
	first, second := t.TempDir(), t.TempDir()
	inYear(t, 1, func(t *testing.T, y *year) {
		edge := y.api.NewEdge(nil)
		edge.Delay = time.Hour
		machine := func(dir string) *pass {
			p := y.machine(t, dir)[90]
			p.renewer.edge.Dialer = dialer{edge}
			return p
		}
		p := machine(first)
		require.Error(t, p.run(t.Context()), "not served within 10 minutes")
		time.Sleep(2 * time.Hour) // virtual

		y.groups[0].domains[0].Names = append(y.groups[0].domains[0].Names, "www.d0.example.com")
		p = machine(second)
		require.Error(t, p.run(t.Context()), "not served within 10 minutes")
		p = machine(first)
		require.Error(t, p.run(t.Context()))
		assert.Contains(t, p.stdout.(*bytes.Buffer).String(), "failed: another machine has renewed it meanwhile, but the edges present one for [d0.example.com]")
		assert.Len(t, y.ca.all(), 2)
	})
}

// The certificate on the edges has expired, and this machine knows of nothing
// else: it orders another, whatever the CA says of other machines.
func TestRenew_ExpiredOnTheEdges(t *testing.T) {
	first, second := t.TempDir(), t.TempDir()
	inYear(t, 3, func(t *testing.T, y *year) {
		require.NoError(t, y.machine(t, first)[6].run(t.Context()))
		leaf := y.ca.all()[0].Certificate
		id, err := acme.ARIUniqueIdentifier(leaf)
		require.NoError(t, err)
		y.ca.replaced[id] = true // by a machine that could not install
		time.Sleep(7 * 24 * time.Hour)
		p := y.machine(t, second)[6]
		require.NoError(t, p.run(t.Context()))
		assert.Contains(t, p.stdout.(*bytes.Buffer).String(), "d2.example.com: renewed")
		assert.Len(t, y.ca.all(), 2)
	})
}

// The CDN reports another machine's certificate, and the edges present one that
// has expired: that is a failure, and no reason for another order.
func TestRenew_ExpiredOnEdgesThatAreBehind(t *testing.T) {
	first, second := t.TempDir(), t.TempDir()
	inYear(t, 3, func(t *testing.T, y *year) {
		edge := y.api.NewEdge(nil)
		require.NoError(t, y.machine(t, first)[6].run(t.Context()))
		time.Sleep(7 * 24 * time.Hour)
		require.NoError(t, y.machine(t, first)[6].run(t.Context()))
		edge.Delay = 3 * 24 * time.Hour
		p := y.machine(t, second)[6]
		p.renewer.edge.Dialer = dialer{edge}
		require.Error(t, p.run(t.Context()))
		assert.Contains(t, p.stdout.(*bytes.Buffer).String(), "d2.example.com: failed: another machine has renewed it meanwhile, but the edges present one that expired on ")
		assert.Len(t, y.ca.all(), 2)
	})
}

func TestKept(t *testing.T) {
	s, now := site.Site{Domain: "example.com", Names: []string{"example.com"}}, time.Now()
	for name, test := range map[string]struct {
		served *x509.Certificate
		want   string
		err    error
	}{
		"in force":    {&x509.Certificate{DNSNames: s.Names, NotAfter: now.Add(time.Hour)}, "kept: " + errElsewhere.Error(), nil},
		"expired":     {&x509.Certificate{DNSNames: s.Names, NotAfter: now.Add(-time.Hour)}, "", errElsewhere},
		"other names": {&x509.Certificate{DNSNames: []string{"*.example.net"}, NotAfter: now.Add(time.Hour)}, "", errElsewhere},
		"none":        {nil, "", assert.AnError},
	} {
		got, err := kept(s, test.served, assert.AnError, errElsewhere)
		assert.Equal(t, test.want, got, name)
		assert.ErrorIs(t, err, test.err, name)
	}
}
