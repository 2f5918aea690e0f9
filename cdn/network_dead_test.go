package cdn_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/cdn"
	"github.com/cdncsr/cdncsr/csr"
)

// A silent is a service behind a proxy. Once it is gone, the connections that
// are open get no answer any more, but their PINGs do. New ones work.
type silent struct {
	mu   sync.Mutex
	open map[any]bool
	gone bool
}

func (s *silent) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	conn := r.Context().Value(connKey{})
	s.mu.Lock()
	if !s.gone {
		s.open[conn] = true
	}
	dead := s.gone && s.open[conn]
	s.mu.Unlock()
	if dead {
		_, _ = io.Copy(io.Discard, r.Body) // the server notices only after it that the client has gone
		<-r.Context().Done()
		return
	}
	time.Sleep(50 * time.Millisecond)
	_, _ = w.Write([]byte(wholeJSON)) // the client is there
}

func (s *silent) goAway() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gone = true
}

// ends are the ways in which a caller ends an attempt before AttemptTimeout
// does.
var ends = map[string]func(ctx context.Context, creator cdn.CSRCreator) error{
	"deadline": func(ctx context.Context, creator cdn.CSRCreator) error {
		ctx, cancel := context.WithTimeout(ctx, 1500*time.Millisecond)
		defer cancel()
		_, err := creator.CreateCdnCertificateSigningRequest(ctx, request)
		return err
	},
	"cancel": func(ctx context.Context, creator cdn.CSRCreator) error {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		time.AfterFunc(1500*time.Millisecond, cancel)
		_, err := creator.CreateCdnCertificateSigningRequest(ctx, request)
		return err
	},
	"PrimaryTimeout": func(ctx context.Context, creator cdn.CSRCreator) error {
		ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
		defer cancel()
		fallback := &cdn.Fallback{Primary: creator, Secondary: &csr.Generator{Keys: new(csr.MemStore), Source: csr.P256}}
		resp, err := fallback.CreateCdnCertificateSigningRequest(ctx, request)
		if err == nil && resp.Origin != csr.OriginCDN {
			return errors.New("made on this machine")
		}
		return err
	},
}

// TestConnections_LeftWhenTheCallerEndsTheAttempt has connections without
// answers, and calls that end before AttemptTimeout: one is lost.
func TestConnections_LeftWhenTheCallerEndsTheAttempt(t *testing.T) {
	for end, call := range ends {
		for name, h2 := range map[string]bool{"HTTP/1": false, "HTTP/2": true} {
			t.Run(end+" "+name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					n, s := newNetwork(t), &silent{open: map[any]bool{}}
					f := n.serve(t, s, h2, cdn.Options{Limiter: unlimited{}})
					f.callAtOnce(t, 12)
					s.goAway()
					lost := 0
					for range 7 {
						if call(t.Context(), f.client) != nil {
							lost++
						}
					}
					assert.LessOrEqual(t, lost, 1)
				})
			})
		}
	}
}

// TestConnections_DeadOneIsNoticedWithinAnAttempt: an HTTP/2 connection whose
// PINGs get no answer ends an attempt before AttemptTimeout does.
func TestConnections_DeadOneIsNoticedWithinAnAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t)
		f := n.serve(t, answerAfter(0), true, cdn.Options{Limiter: unlimited{}, AttemptTimeout: 10 * time.Second})
		f.callAtOnce(t, 1)
		n.kill()
		ctx, cancel := context.WithTimeout(t.Context(), 9*time.Second)
		defer cancel()
		_, err := f.client.CreateCdnCertificateSigningRequest(ctx, request)
		require.NoError(t, err, "the second attempt has a new connection")
		require.EqualValues(t, 2, n.dialed.Load())
	})
}

// TestConnections_LeftThoughOthersUseThem has callers who always use the one
// HTTP/2 connection, which has no answers.
func TestConnections_LeftThoughOthersUseThem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, s := newNetwork(t), &silent{open: map[any]bool{}}
		f := n.serve(t, s, true, cdn.Options{Limiter: unlimited{}, AttemptTimeout: time.Second})
		f.callAtOnce(t, 1)
		s.goAway()
		const callers = 5
		start := time.Now()
		var failed atomic.Int64
		var group sync.WaitGroup
		for i := range callers {
			group.Go(func() {
				time.Sleep(time.Duration(i) * 200 * time.Millisecond)
				for time.Since(start) < 20*time.Second {
					if _, err := f.client.CreateCdnCertificateSigningRequest(t.Context(), request); err != nil {
						failed.Add(1)
					}
				}
			})
		}
		group.Wait()
		assert.Zero(t, failed.Load(), "each is tried again on another connection")
		assert.EqualValues(t, 2, n.dialed.Load())
		assert.EqualValues(t, 1, n.open.Load(), "the other is closed once no attempt uses it")
	})
}

// TestConnections_DialsThatSwallowAreLeft has as many callers as there may be
// connections, who leave before their dials end.
func TestConnections_DialsThatSwallowAreLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t)
		f := n.serve(t, answerAfter(0), false, cdn.Options{Limiter: unlimited{}})
		var swallows atomic.Bool
		swallows.Store(true)
		transport := cdn.OwnTransport(f.client)
		transport.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
			if swallows.Load() {
				time.Sleep(time.Minute)
				return nil, errors.New("no route to host")
			}
			return n.DialContext(ctx, network, addr)
		}
		var group sync.WaitGroup
		for range 64 {
			group.Go(func() { assert.Error(t, ends["deadline"](t.Context(), f.client)) })
		}
		group.Wait()
		swallows.Store(false)
		require.NoError(t, ends["deadline"](t.Context(), f.client))
		time.Sleep(time.Minute) // of the dials
	})
}

// TestConnections_DialsThatSwallowAreFew has callers who never stop, and dials
// that end as late as those of the client's transport.
func TestConnections_DialsThatSwallowAreFew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t)
		f := n.serve(t, answerAfter(0), false, cdn.Options{Limiter: unlimited{}})
		var open, most atomic.Int64
		cdn.OwnTransport(f.client).DialContext = func(context.Context, string, string) (net.Conn, error) {
			now := open.Add(1)
			defer open.Add(-1)
			most.Store(max(most.Load(), now))
			time.Sleep(5 * time.Second)
			return nil, errors.New("no route to host")
		}
		start := time.Now()
		var group sync.WaitGroup
		for range 64 {
			group.Go(func() {
				for time.Since(start) < 30*time.Second {
					ctx, cancel := context.WithTimeout(t.Context(), 600*time.Millisecond)
					_, err := f.client.CreateCdnCertificateSigningRequest(ctx, request)
					cancel()
					assert.Error(t, err)
				}
			})
		}
		group.Wait()
		time.Sleep(5 * time.Second) // of the last dials
		assert.LessOrEqual(t, most.Load(), int64(128))
	})
}

// TestConnections_LeftOnesAreClosedToo closes the connections of a client while
// it has left one that is not idle yet.
func TestConnections_LeftOnesAreClosedToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, s := newNetwork(t), &silent{open: map[any]bool{}}
		f := n.serve(t, s, true, cdn.Options{Limiter: unlimited{}})
		f.callAtOnce(t, 1)
		s.goAway()
		require.Error(t, ends["deadline"](t.Context(), f.client))
		f.callAtOnce(t, 1)
		f.client.CloseIdleConnections()
		synctest.Wait()
		assert.Zero(t, n.open.Load())
	})
}

// TestConnections_NotLeftForAShortWait: a caller who leaves soon does not know
// whether there would have been an answer.
func TestConnections_NotLeftForAShortWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t)
		f := n.serve(t, answerAfter(600*time.Millisecond), true, cdn.Options{Limiter: unlimited{}})
		f.callAtOnce(t, 1)
		call := func(patience time.Duration) {
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			_, err := f.client.CreateCdnCertificateSigningRequest(ctx, request)
			require.ErrorIs(t, err, context.DeadlineExceeded)
		}
		for range 10 {
			call(499 * time.Millisecond)
		}
		f.callAtOnce(t, 1)
		assert.EqualValues(t, 1, n.dialed.Load())
		call(500 * time.Millisecond)
		f.callAtOnce(t, 1)
		assert.EqualValues(t, 2, n.dialed.Load())
	})
}

// TestConnections_LimiterThatPanics has as many such limiters as there may be
// connections, and others that end their goroutine.
func TestConnections_LimiterThatPanics(t *testing.T) {
	for name, breaks := range map[string]func(){"panics": func() { panic("a mistake") }, "ends its goroutine": runtime.Goexit} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var calls atomic.Int64
				limiter := limiterFunc(func(context.Context) error {
					if calls.Add(1) <= 64 {
						breaks()
					}
					return nil
				})
				n := newNetwork(t)
				f := n.serve(t, answerAfter(0), false, cdn.Options{Limiter: limiter})
				var group sync.WaitGroup
				for range 64 {
					group.Go(func() {
						defer func() { _ = recover() }() // of the limiter
						_, _ = f.client.CreateCdnCertificateSigningRequest(t.Context(), request)
					})
				}
				group.Wait()
				require.NoError(t, ends["deadline"](t.Context(), f.client))
			})
		})
	}
}

type limiterFunc func(ctx context.Context) error

func (f limiterFunc) Wait(ctx context.Context) error { return f(ctx) }

// TestConnections_SwitchingProtocols: no context ends a read from a connection
// that was handed over. Every connection is used so, and then the service works
// again.
func TestConnections_SwitchingProtocols(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t)
		var works atomic.Bool
		f := n.serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			if works.Load() {
				_, _ = w.Write([]byte(wholeJSON)) // the client is there
				return
			}
			w.Header().Set("Connection", "Upgrade")
			w.Header().Set("Upgrade", "x")
			w.WriteHeader(http.StatusSwitchingProtocols)
			conn, _, err := http.NewResponseController(w).Hijack()
			if assert.NoError(t, err) {
				_, _ = conn.Read(make([]byte, 1)) // until the client closes it
			}
		}), false, cdn.Options{Limiter: unlimited{}, MaxAttempts: 1})
		var group sync.WaitGroup
		for range 65 {
			group.Go(func() {
				ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
				defer cancel()
				_, err := f.client.CreateCdnCertificateSigningRequest(ctx, request)
				requireKind(t, err, cdn.ErrUnavailable)
			})
		}
		group.Wait()
		works.Store(true)
		f.callAtOnce(t, 64)
	})
}
