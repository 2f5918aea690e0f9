package sharedlimit_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/cdncsr/cdncsr/cdn"
	"github.com/cdncsr/cdncsr/cdn/sharedlimit"
)

var _ cdn.Limiter = (*sharedlimit.Limiter)(nil)

var errEngine = errors.New("connection refused")

// fakeTurns is an engine in memory, whose clock is an hour ahead of the
// machine's.
type fakeTurns struct {
	latency time.Duration // of each way

	mu     sync.Mutex
	next   time.Time
	down   error         // returned instead of turns
	hang   chan struct{} // if non-nil, Take waits until it is closed, whatever its context says
	lossy  bool          // Take waits until its context ends
	asked  []int         // the n of each request
	inside int           // requests under way
	most   int           // at once
}

func (f *fakeTurns) Take(ctx context.Context, n int, interval, ahead time.Duration) (time.Duration, bool, error) {
	f.mu.Lock()
	f.inside++
	f.most = max(f.most, f.inside)
	f.asked = append(f.asked, n)
	down, hang, lossy, latency := f.down, f.hang, f.lossy, f.latency
	f.mu.Unlock()
	defer func() {
		f.mu.Lock()
		f.inside--
		f.mu.Unlock()
	}()
	if hang != nil {
		<-hang
	}
	if lossy {
		<-ctx.Done()
		return 0, false, ctx.Err()
	}
	if down != nil {
		return 0, false, down
	}
	time.Sleep(latency)
	wait, ok := f.take(n, interval, ahead)
	time.Sleep(latency)
	return wait, ok, nil
}

func (f *fakeTurns) take(n int, interval, ahead time.Duration) (time.Duration, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := time.Now().Add(time.Hour)
	if f.next.Before(now) {
		f.next = now
	}
	wait := f.next.Sub(now)
	if wait > ahead {
		return 0, false
	}
	f.next = f.next.Add(interval * time.Duration(n))
	return wait, true
}

func (f *fakeTurns) setDown(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.down = err
}

func (f *fakeTurns) setLatency(latency time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.latency = latency
}

func (f *fakeTurns) setHang(hang chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.hang = hang
}

func (f *fakeTurns) setLossy(lossy bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.lossy = lossy
}

// An outage is what the engine does instead of giving turns.
type outage string

const (
	refuses   outage = "refuses"
	isStopped outage = "is stopped" // it answers when the outage is over
	isLossy   outage = "is lossy"   // it never answers the requests of the outage
)

// breakFor makes the engine fail for a while.
func (f *fakeTurns) breakFor(kind outage, after, length time.Duration) {
	begin, end := func() { f.setDown(errEngine) }, func() { f.setDown(nil) }
	switch kind {
	case isStopped:
		hang := make(chan struct{})
		begin, end = func() { f.setHang(hang) }, func() { f.setHang(nil); close(hang) }
	case isLossy:
		begin, end = func() { f.setLossy(true) }, func() { f.setLossy(false) }
	}
	time.AfterFunc(after, begin)
	time.AfterFunc(after+length, end)
}

func (f *fakeTurns) requests() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.asked)
}

// mostAtOnce returns how many requests were under way at once at most.
func (f *fakeTurns) mostAtOnce() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.most
}

// largest returns the n of the largest request.
func (f *fakeTurns) largest() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Max(f.asked)
}

// passes are the times at which calls were let through, since the first call
// of start.
type passes struct {
	mu    sync.Mutex
	begin time.Time
	at    []time.Duration
}

func startPasses() *passes { return &passes{begin: time.Now()} }

func (p *passes) note() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.at = append(p.at, time.Since(p.begin))
}

// between returns how many calls passed from from on and before to.
func (p *passes) between(from, to time.Duration) int {
	count := 0
	for _, at := range p.at {
		if at >= from && at < to {
			count++
		}
	}
	return count
}

// most returns the most calls that passed in any window.
func (p *passes) most(window time.Duration) int {
	most := 0
	for _, at := range p.at {
		most = max(most, p.between(at, at+window))
	}
	return most
}

// workers lets n workers of each limiter wait for one turn after the other,
// for d, and returns when all have ended.
func workers(t *testing.T, p *passes, d time.Duration, n int, limiters ...*sharedlimit.Limiter) {
	t.Helper()
	t.Cleanup(func() { time.Sleep(10 * time.Second) }) // virtual: a request may be under way
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(d, cancel) // no deadline: a call that knows one is refused early
	var group sync.WaitGroup
	for _, limiter := range limiters {
		for range n {
			group.Go(func() {
				for limiter.Wait(ctx) == nil {
					p.note()
				}
				assert.Error(t, ctx.Err())
			})
		}
	}
	group.Wait()
}

// processes returns limiters as n processes have them, on the same engine.
func processes(n int, turns sharedlimit.Turns) []*sharedlimit.Limiter {
	limiters := make([]*sharedlimit.Limiter, n)
	for i := range limiters {
		limiters[i] = &sharedlimit.Limiter{Turns: turns, Processes: n}
	}
	return limiters
}
