package cdn

import (
	"context"
	"errors"
	"reflect"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"github.com/cdncsr/cdncsr/signer"
)

// A Limiter makes attempts wait for their turn. A *rate.Limiter of
// golang.org/x/time is one, and so is the limiter of package sharedlimit, which
// several machines share.
//
// Wait returns nil when it is the caller's turn. It returns an error as soon as
// ctx ends, or at once if ctx's deadline is before that turn.
type Limiter interface {
	Wait(ctx context.Context) error
}

// defaultRate is how many calls of an operation an account may make a second,
// unless its page says otherwise.
const defaultRate = 100

// rates are those of the operations whose pages have another one, by version
// and action.
var rates = map[string]int{apiVersion + "/SetCdnDomainSSLCertificate": 30}

// limiters are the queues of a client, one for each operation and one for all
// operations whose limiter is Options.Limiter.
type limiters struct {
	all      *queue // nil without Options.Limiter
	mu       sync.Mutex
	byAction map[string]*queue // by the name of the action alone if the caller gave its limiter
}

// use makes queues of the caller's limiters. One that several operations have
// gets one queue.
func (l *limiters) use(options Options) {
	queues := map[Limiter]*queue{}
	of := func(limiter Limiter) *queue {
		if !reflect.ValueOf(limiter).Comparable() {
			return newQueue(limiter, 0)
		}
		if queues[limiter] == nil {
			queues[limiter] = newQueue(limiter, 0)
		}
		return queues[limiter]
	}
	if options.Limiter != nil {
		l.all = of(options.Limiter)
	}
	l.byAction = map[string]*queue{}
	for action, limiter := range options.Limiters {
		l.byAction[action] = of(limiter)
	}
}

// of returns the queue of an operation.
func (l *limiters) of(call signer.Call) *queue {
	l.mu.Lock()
	defer l.mu.Unlock()
	if q, ok := l.byAction[call.Action]; ok {
		return q
	}
	if l.all != nil {
		return l.all
	}
	key := call.Version + "/" + call.Action
	if q, ok := l.byAction[key]; ok {
		return q
	}
	perSecond, ok := rates[key]
	if !ok {
		perSecond = defaultRate
	}
	// A larger burst would let more than perSecond calls into one second.
	q := newQueue(rate.NewLimiter(rate.Limit(perSecond), 1), time.Second/time.Duration(perSecond))
	l.byAction[key] = q
	return q
}

// A queue is the callers before a limiter, of whom only the first reserve a
// turn.
type queue struct {
	limiter  Limiter
	heads    chan struct{} // a value for each caller who may reserve a turn
	waiting  atomic.Int64
	interval time.Duration // between two turns; zero if it is measured
	measured atomic.Int64  // the mean of late, in nanoseconds; zero if nobody has to wait for a head
	last     atomic.Int64  // when the last turn came, in nanoseconds since begun
	begun    time.Time
}

// maxHeads is how many callers may ask a limiter at once that may be far away:
// enough for its rate, and few beside the connections that they hold meanwhile.
const maxHeads = 8

func newQueue(limiter Limiter, interval time.Duration) *queue {
	heads := maxHeads
	if _, ok := limiter.(*rate.Limiter); ok {
		// It takes back only the last turn that was reserved: those of callers
		// who leave the middle of its line would be lost.
		heads = 1
	}
	return &queue{limiter: limiter, heads: make(chan struct{}, heads), interval: interval, begun: time.Now()}
}

// errDeadline is the error of a turn that would come too late.
var errDeadline = errors.New("the turn would come after the context's deadline")

// wait waits for a slot and then for a turn. Turns that came while all slots
// were taken would all be used at once when those are free again.
func (q *queue) wait(ctx context.Context, s slots) error {
	arrived := time.Now()
	ahead := q.waiting.Add(1) - 1
	defer q.waiting.Add(-1)
	deadline, hasDeadline := ctx.Deadline()
	if hasDeadline && time.Until(deadline) < q.estimate(ahead) {
		return errDeadline
	}
	select { // callers proceed in the order in which they arrived
	case q.heads <- struct{}{}:
	case <-ctx.Done():
		return s.whyNone(ctx)
	}
	defer func() { <-q.heads }()
	first := time.Now()
	blocked, err := s.acquire(ctx)
	if err != nil {
		return err
	}
	err = q.turn(ctx, s)
	isOwn := q.interval > 0
	switch {
	case err == nil && !isOwn:
		q.measure(first)
	case err != nil && isOwn && hasDeadline && time.Until(deadline) < time.Since(arrived):
		<-ctx.Done() // the limiter refuses the rest of a time that went by in the line
		if blocked {
			return errBusy
		}
		return ctx.Err()
	}
	return err
}

// turn waits for the turn of who has a slot, and gives the slot back without
// one, also if the limiter panics.
func (q *queue) turn(ctx context.Context, s slots) error {
	hasTurn := false
	defer func() {
		if !hasTurn {
			s.release()
		}
	}()
	err := q.limiter.Wait(ctx)
	hasTurn = err == nil
	return err
}

// estimate returns how long a caller waits who has so many ahead. If the
// interval is measured, it is half of what that says: rather a caller waits in
// vain than that one is refused who would have had a turn.
func (q *queue) estimate(ahead int64) time.Duration {
	if q.interval > 0 {
		return time.Duration(ahead) * q.interval
	}
	return time.Duration(ahead*q.measured.Load()) / 2
}

// measure notes that a turn has come, for a caller who has been among the first
// since that time. Before that, there may have been no callers.
func (q *queue) measure(first time.Time) {
	now := int64(time.Since(q.begun)) // a clock that is set does not change it
	last := max(q.last.Swap(now), int64(first.Sub(q.begun)))
	if q.waiting.Load() <= int64(cap(q.heads)) {
		q.measured.Store(0)
		return
	}
	mean := q.measured.Load()
	q.measured.Store(mean + (now-last-mean)/maxHeads)
}
