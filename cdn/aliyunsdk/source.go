package aliyunsdk

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/cdncsr/cdncsr/signer"
)

const (
	keepFor  = time.Minute     // how old credentials may be before they are looked up again
	serveFor = 3 * time.Minute // how old they may be in use: the SDK gives none with less than this left
	retryGap = 5 * time.Second // between look-ups that fail while older credentials serve
)

// A source keeps what its provider gave.
type source struct {
	provider provider // used by one look-up at a time

	mu      sync.Mutex
	kept    *given    // nil before the first look-up that succeeded
	renewAt time.Time // when kept is looked up again
	running *lookUp   // nil if none is
}

// given are credentials and when the look-up began that gave them; it does not change.
type given struct {
	creds signer.Credentials
	since time.Time
}

// A lookUp is one question to the provider, shared by all who wait for its answer.
type lookUp struct {
	done  chan struct{} // closed when creds and err are set
	creds signer.Credentials
	err   error
}

// Credentials implements cdn.CredentialSource. It waits for the provider only if there is nothing that may still serve.
func (s *source) Credentials(ctx context.Context) (signer.Credentials, error) {
	if err := ctx.Err(); err != nil {
		return signer.Credentials{}, err
	}
	kept, running := s.current(time.Now())
	if kept != nil {
		return kept.creds, nil
	}
	select {
	case <-running.done:
		return running.creds, running.err
	case <-ctx.Done():
		return signer.Credentials{}, ctx.Err()
	}
}

// Format implements [fmt.Formatter]: fmt would print what is kept, and the provider's own fields.
func (s *source) Format(state fmt.State, _ rune) {
	_, _ = io.WriteString(state, "aliyunsdk.Credentials") // a fmt.State reports no error to anyone
}

// current returns the credentials that may serve now, or else the look-up to wait for. It starts one where one is due.
func (s *source) current(now time.Time) (*given, *lookUp) {
	s.mu.Lock()
	defer s.mu.Unlock()
	serves := s.kept != nil && now.Sub(s.kept.since) < serveFor
	if serves && now.Before(s.renewAt) {
		return s.kept, nil
	}
	if s.running == nil {
		s.running = &lookUp{done: make(chan struct{})}
		go s.run(s.running, now)
	}
	if serves {
		return s.kept, nil
	}
	return nil, s.running
}

// run asks the provider and tells those who wait.
func (s *source) run(l *lookUp, began time.Time) {
	l.err = errors.New("aliyunsdk: the provider ended its goroutine without an answer: it must return")
	defer s.finish(l, began)
	l.creds, l.err = s.provider.ask()
}

// finish keeps what l found.
func (s *source) finish(l *lookUp, began time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if l.err == nil {
		s.kept, s.renewAt = &given{l.creds, began}, began.Add(keepFor)
	} else {
		s.renewAt = time.Now().Add(retryGap)
	}
	s.running = nil
	close(l.done)
}
