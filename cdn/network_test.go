package cdn_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/time/rate"

	"github.com/cdncsr/cdncsr/cdn"
)

// TestConnections_TheWaitForOneIsNotPartOfAnAttempt makes far more calls than
// there are connections to a server that answers each in a second.
func TestConnections_TheWaitForOneIsNotPartOfAnAttempt(t *testing.T) {
	for name, h2 := range map[string]bool{"HTTP/1": false, "HTTP/2": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := newNetwork(t)
				f := n.serve(t, answerAfter(time.Second), h2, cdn.Options{MaxAttempts: 1, Limiter: unlimited{}})
				calls, rounds := 2500, 40
				if h2 {
					calls, rounds = 500, 8 // each costs more
				}
				start := time.Now()
				var failed atomic.Int64
				var group sync.WaitGroup
				for range calls {
					group.Go(func() {
						if _, err := f.client.CreateCdnCertificateSigningRequest(t.Context(), request); err != nil {
							failed.Add(1)
						}
					})
				}
				group.Wait()
				require.Zero(t, failed.Load(), "of %d calls", calls)
				require.LessOrEqual(t, n.dialed.Load(), int64(64))
				require.Equal(t, time.Duration(rounds)*time.Second, time.Since(start).Round(time.Second), "rounds of 64 calls")
			})
		})
	}
}

func TestConnections_ThatSwallowCostOneAttemptAtMost(t *testing.T) {
	for name, test := range map[string]struct {
		h2   bool
		open int // connections
	}{"HTTP/1": {false, 12}, "HTTP/2": {true, 1}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := newNetwork(t)
				f := n.serve(t, answerAfter(time.Second), test.h2, cdn.Options{Limiter: unlimited{}})
				f.callAtOnce(t, 1)
				f.callAtOnce(t, 12)
				require.EqualValues(t, test.open, n.dialed.Load())

				n.kill()
				before := f.sent()
				const calls = 5
				for range calls {
					f.callAtOnce(t, 1)
				}
				require.LessOrEqual(t, f.sent()-before, calls+1, "attempts")
			})
		})
	}
}

// TestConnections_ThatSwallowManyCalls has each of many calls at once on a
// connection that is dead.
func TestConnections_ThatSwallowManyCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t)
		f := n.serve(t, answerAfter(time.Second), false, cdn.Options{Limiter: unlimited{}})
		f.callAtOnce(t, 12)
		n.kill()
		f.callAtOnce(t, 12)
		require.Equal(t, 12+12+12, f.sent())
	})
}

// TestConnections_TurnsAreNotSavedUpWhileAllAreBusy has a server that stalls
// for five seconds, while callers wait.
func TestConnections_TurnsAreNotSavedUpWhileAllAreBusy(t *testing.T) {
	for name, limiter := range map[string]func() cdn.Limiter{
		"the default limiter": func() cdn.Limiter { return nil },
		"the caller's":        func() cdn.Limiter { return rate.NewLimiter(100, 1) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := newNetwork(t)
				start := time.Now()
				var received [20]atomic.Int64 // in each second
				f := n.serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
					at := time.Since(start)
					received[at/time.Second].Add(1)
					time.Sleep(max(0, 5*time.Second-at))
					_, _ = w.Write([]byte(wholeJSON)) // the client is there
				}), false, cdn.Options{Limiter: limiter()})
				f.callAtOnce(t, 500)
				require.EqualValues(t, 64, received[0].Load())
				for second := range received {
					require.LessOrEqual(t, received[second].Load(), int64(101), "second %d", second)
				}
				require.Less(t, time.Since(start), 10*time.Second)
			})
		})
	}
}

func TestConnections_DeadlineWhileAllAreBusy(t *testing.T) {
	for name, limiter := range map[string]cdn.Limiter{"the default limiter": nil, "the caller's": unlimited{}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := newNetwork(t)
				f := n.serve(t, answerAfter(5*time.Second), false, cdn.Options{Limiter: limiter})
				var group sync.WaitGroup
				group.Go(func() { f.callAtOnce(t, 64) })
				time.Sleep(time.Second)
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				_, err := f.client.CreateCdnCertificateSigningRequest(ctx, request)
				requireKind(t, err, nil)
				require.ErrorIs(t, err, context.DeadlineExceeded)
				require.ErrorContains(t, err, "all connections to 127.0.0.1:443 are busy")
				group.Wait()
			})
		})
	}
}

// TestConnections_DeadlineAmongMany: whatever a caller was waiting for, the error
// names the host that answers nobody.
func TestConnections_DeadlineAmongMany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t)
		f := n.serve(t, answerAfter(time.Minute), false, cdn.Options{})
		var group sync.WaitGroup
		for i := range 150 {
			group.Go(func() {
				ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second+time.Duration(i)*time.Millisecond)
				defer cancel()
				_, err := f.client.CreateCdnCertificateSigningRequest(ctx, request)
				assert.ErrorIs(t, err, context.DeadlineExceeded)
				assert.NotErrorIs(t, err, cdn.ErrThrottled)
				assert.ErrorContains(t, err, "127.0.0.1:443")
			})
		}
		group.Wait()
	})
}

// TestConnections_DeadlineBehindSomeoneWhoWaits has a caller behind the first in
// the queue, who waits for a connection.
func TestConnections_DeadlineBehindSomeoneWhoWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t)
		f := n.serve(t, answerAfter(5*time.Second), false, cdn.Options{})
		var group sync.WaitGroup
		group.Go(func() { f.callAtOnce(t, 64+1) })
		time.Sleep(time.Second)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		_, err := f.client.CreateCdnCertificateSigningRequest(ctx, request)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, time.Second, time.Since(start))
		group.Wait()
	})
}

func TestCloseIdleConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t)
		f := n.serve(t, answerAfter(time.Second), false, cdn.Options{})
		f.callAtOnce(t, 1)
		f.callAtOnce(t, 1)
		require.EqualValues(t, 1, n.dialed.Load())
		f.client.CloseIdleConnections()
		f.callAtOnce(t, 1)
		require.EqualValues(t, 2, n.dialed.Load())
	})
}

// TestWire_Silence is TestWire_BrokenHTTP for servers that take time.
func TestWire_Silence(t *testing.T) {
	tests := map[string]func(net.Conn){
		"no answer":        func(c net.Conn) { _, _ = c.Read(make([]byte, 1)) }, // until the client has gone
		"1 byte at a time": untilGone("X", 1<<20, 20*time.Millisecond),
	}
	for name, serve := range tests {
		for signerName, s := range signers {
			t.Run(name+"/"+signerName, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					n := newNetwork(t)
					go acceptRaw(n, serve)
					f := newWireFixture(t, s, cdn.Options{Endpoint: "http://127.0.0.1", MaxAttempts: 2})
					cdn.OwnTransport(f.client).DialContext = n.DialContext
					start := time.Now()
					_, err := f.client.CreateCdnCertificateSigningRequest(t.Context(), request)
					requireKind(t, err, cdn.ErrUnavailable)
					require.ErrorContains(t, err, "no answer within 10s from 127.0.0.1")
					require.Equal(t, 2, f.sent())
					require.GreaterOrEqual(t, time.Since(start), 20*time.Second)
					f.requireNoSecret(t, err)

					ctx, cancel := context.WithTimeoutCause(t.Context(), 13*time.Second, errors.New("shutting down"))
					defer cancel()
					_, err = f.client.CreateCdnCertificateSigningRequest(ctx, request)
					require.ErrorIs(t, err, context.DeadlineExceeded)
					require.ErrorContains(t, err, "shutting down")
					require.ErrorContains(t, err, "attempt 2 had no answer from 127.0.0.1 within 2.")
					f.requireNoSecret(t, err)
				})
			})
		}
	}
}
