package aliyunsdk

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/cdncsr/cdncsr/signer"
)

const (
	keepFor     = time.Minute     // the age of credentials at which they are looked up again
	serveFor    = 3 * time.Minute // the age until which they are used: the SDK gives none that expire earlier
	retryGap    = 5 * time.Second // between look-ups that fail while older credentials are used
	lookUpLimit = time.Minute     // after which a look-up is given up
)

// A source keeps the credentials of its provider.
type source struct {
	mu       sync.Mutex
	provider provider           // each look-up uses a copy
	kept     *given             // nil if there are none
	renewAt  time.Time          // when kept is looked up again
	refused  signer.Credentials // the last that the service refused, which are never kept
	running  *lookUp            // nil if none is
}

// A given holds credentials and the time at which their look-up began.
type given struct {
	creds signer.Credentials
	since time.Time
}

func (g *given) serves(now time.Time) bool { return g != nil && now.Sub(g.since) < serveFor }

// A lookUp is one question to the provider, shared by all who wait for its
// answer.
type lookUp struct {
	began time.Time
	anew  bool          // by a fresh provider
	done  chan struct{} // closed when creds and err are set
	creds signer.Credentials
	err   error
}

// wait returns the answer, or the error of ctx if that ends first.
func (l *lookUp) wait(ctx context.Context) (signer.Credentials, error) {
	select {
	case <-l.done:
		return l.creds, l.err
	case <-ctx.Done():
		return signer.Credentials{}, ctx.Err()
	}
}

// Credentials implements cdn.CredentialSource. It waits for the provider only
// if there are no credentials that can still be used.
func (s *source) Credentials(ctx context.Context) (signer.Credentials, error) {
	if err := ctx.Err(); err != nil {
		return signer.Credentials{}, err
	}
	kept, running := s.current(time.Now())
	if kept != nil {
		return kept.creds, nil
	}
	return running.wait(ctx)
}

// RefreshCredentials implements cdn.CredentialRefresher. It returns what a
// look-up has found since, or else waits for one by a fresh provider.
func (s *source) RefreshCredentials(ctx context.Context, refused signer.Credentials) (signer.Credentials, error) {
	for {
		if err := ctx.Err(); err != nil {
			return signer.Credentials{}, err
		}
		kept, running := s.other(refused, time.Now())
		if kept != nil {
			return kept.creds, nil
		}
		creds, err := running.wait(ctx)
		if err != nil || creds != refused || running.anew {
			return creds, err
		}
	}
}

// Format implements [fmt.Formatter]. It hides what is kept, and the provider's
// own fields.
func (s *source) Format(state fmt.State, _ rune) {
	_, _ = io.WriteString(state, "aliyunsdk.Credentials") // a fmt.State reports no error to anyone
}

// current returns the credentials to use now, or else the look-up to wait for.
// It starts a look-up if one is due.
func (s *source) current(now time.Time) (*given, *lookUp) {
	s.mu.Lock()
	defer s.mu.Unlock()
	serves := s.kept.serves(now)
	if serves && now.Before(s.renewAt) {
		return s.kept, nil
	}
	if s.running == nil {
		s.start(&lookUp{began: now})
	}
	if serves {
		return s.kept, nil
	}
	return nil, s.running
}

// other discards refused. It returns other credentials to use now, or else the
// look-up to wait for.
func (s *source) other(refused signer.Credentials, now time.Time) (*given, *lookUp) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.kept.serves(now) && s.kept.creds != refused {
		return s.kept, nil
	}
	s.kept, s.refused = nil, refused
	if s.running == nil {
		s.start(&lookUp{began: now, anew: true})
	}
	return nil, s.running
}

// start starts a look-up. The caller holds s.mu.
func (s *source) start(l *lookUp) {
	l.done = make(chan struct{})
	s.running = l
	go s.run(l, s.provider)
}

// run asks p and wakes those who wait. If p takes too long, it wakes them with
// an error, so that the next caller starts another look-up, and keeps the
// credentials that may come late.
func (s *source) run(l *lookUp, p provider) {
	results := make(chan result, 1)
	go p.deliver(l.anew, results)
	limit := time.NewTimer(lookUpLimit)
	defer limit.Stop()
	select {
	case r := <-results:
		s.finish(l, r)
	case <-limit.C:
		s.finish(l, s.hung())
		s.finishLate(l, <-results)
	}
}

// hung returns the result of a look-up that hangs.
func (s *source) hung() result {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.provider
	p.forget() // the proven one is busy with the look-up that hangs
	return result{p: p, err: failure(p.fresh(), outage(fmt.Sprintf("no answer within %v", lookUpLimit)))}
}

// finish keeps what l found.
func (s *source) finish(l *lookUp, r result) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.provider, s.running = r.p, nil
	if r.err != nil {
		s.renewAt = time.Now().Add(retryGap)
	} else {
		s.keep(given{r.creds, l.began})
	}
	l.creds, l.err = r.creds, r.err
	close(l.done)
}

// finishLate keeps what l found after it was given up, unless a later look-up
// has found something.
func (s *source) finishLate(l *lookUp, r result) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.err == nil && (s.kept == nil || s.kept.since.Before(l.began)) {
		s.keep(given{r.creds, l.began})
	}
}

// keep keeps g unless the service has refused it. The caller holds s.mu.
func (s *source) keep(g given) {
	if g.creds != s.refused {
		s.kept, s.renewAt = &g, g.since.Add(keepFor)
	}
}
