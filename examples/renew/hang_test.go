package main

import (
	"bytes"
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
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
	p.renewer.ca.client.HTTPClient = newHTTPClient(&http.Client{Transport: hanging{y.ca, path}})
	start := time.Now()
	err = p.run(t.Context())
	return p, time.Since(start), err
}

// A CA that hangs when it is asked for windows costs a chain nothing, and a
// pass 15 s a worker. The times are virtual.
func TestRenew_WindowsThatHang(t *testing.T) {
	dir := t.TempDir()
	inYear(t, 24, func(t *testing.T, y *year) {
		_, took, err := y.passWithHanging(t, dir, "renewalInfo") // the ACME client asks after the download
		require.NoError(t, err)
		assert.LessOrEqual(t, took, 8*requestTimeout)
		p, took, err := y.passWithHanging(t, dir, "renewalInfo")
		require.NoError(t, err)
		assert.Contains(t, p.stdout.(*bytes.Buffer).String(), "kept")
		assert.LessOrEqual(t, took, 2*windowTimeout)
		assert.Len(t, y.ca.all(), 8)
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
			assert.LessOrEqual(t, took, orderTimeout)
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
		p.renewer.ca.client.HTTPClient = newHTTPClient(&http.Client{Transport: processing{y.ca}})
		for range 2 {
			start := time.Now()
			require.Error(t, p.run(t.Context()))
			assert.LessOrEqual(t, time.Since(start), orderTimeout+time.Minute)
			time.Sleep(time.Hour) // virtual, until the pause is over
		}
		assert.Equal(t, 1, y.ca.asked("/order-plz"), "the order was continued")
	})
}

// slow is a CA that takes its time for each request.
type slow struct{ http.RoundTripper }

func (s slow) RoundTrip(req *http.Request) (*http.Response, error) {
	time.Sleep(requestTimeout / 3) // virtual
	return s.RoundTripper.RoundTrip(req)
}

func TestRenew_SlowCA(t *testing.T) {
	dir := t.TempDir()
	inYear(t, 6, func(t *testing.T, y *year) {
		p := y.machine(t, dir)[90]
		p.workers = 1 // virtual time stands still while one waits for a mutex
		p.renewer.ca.client.HTTPClient = newHTTPClient(&http.Client{Transport: slow{y.ca}})
		require.NoError(t, p.run(t.Context()))
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
		p.renewer.ca.client.HTTPClient = newHTTPClient(&http.Client{Transport: hanging{y.ca, "/finalize-order"}})
		time.AfterFunc(5*time.Second, func() {
			grow(t, dir)
			assert.NoError(t, state(dir).tryLock(dir+"/lock", "another"))
		})
		err := p.run(t.Context())
		require.ErrorContains(t, err, "the lease was lost")
		require.False(t, errors.Is(err, context.Canceled))
		rec, err := state(dir).load(y.groups[0].domains[0].domain)
		require.NoError(t, err)
		assert.Zero(t, rec.Failures)
		assert.NotEmpty(t, rec.OrderURL, "the next run continues the order")
	})
}

// Another machine has installed a certificate, and the edges serve the older one
// still: no order.
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

		y.groups[0].domains[0].names = append(y.groups[0].domains[0].names, "www.d0.example.com")
		p = machine(second)
		require.Error(t, p.run(t.Context()), "not served within 10 minutes")
		p = machine(first)
		require.NoError(t, p.run(t.Context()))
		assert.Contains(t, p.stdout.(*bytes.Buffer).String(), "kept: another machine has renewed it meanwhile")
		assert.Len(t, y.ca.all(), 2)
	})
}
