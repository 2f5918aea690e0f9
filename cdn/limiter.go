package cdn

import (
	"context"
	"errors"
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

// limiters are the default limiters of a client, one for each operation.
type limiters struct {
	mu       sync.Mutex
	byAction map[string]*queue
}

// of returns the limiter of an operation.
func (l *limiters) of(call signer.Call) *queue {
	key := call.Version + "/" + call.Action
	l.mu.Lock()
	defer l.mu.Unlock()
	if q, ok := l.byAction[key]; ok {
		return q
	}
	if l.byAction == nil {
		l.byAction = map[string]*queue{}
	}
	perSecond, ok := rates[key]
	if !ok {
		perSecond = defaultRate
	}
	q := newQueue(perSecond)
	l.byAction[key] = q
	return q
}

// A queue is a limiter in which only the first caller in line reserves a turn.
// A *rate.Limiter alone takes back only the last turn that was reserved, so the
// turns of callers who leave the middle of its line would be lost.
type queue struct {
	limiter  *rate.Limiter
	interval time.Duration
	head     chan struct{} // has a value while a caller is first in line
	waiting  atomic.Int64
}

func newQueue(perSecond int) *queue {
	// A larger burst would let more than perSecond calls into one second.
	return &queue{
		limiter: rate.NewLimiter(rate.Limit(perSecond), 1), interval: time.Second / time.Duration(perSecond),
		head: make(chan struct{}, 1),
	}
}

// errDeadline is the error of a turn that would come too late.
var errDeadline = errors.New("the turn would come after the context's deadline")

// Wait implements [Limiter].
func (q *queue) Wait(ctx context.Context) error { return q.waitWithSlot(ctx, nil) }

// waitWithSlot is Wait for who needs a slot, too. The first in the queue gets
// it before the turn: turns that came while all slots were taken would all be
// used at once when those are free again.
func (q *queue) waitWithSlot(ctx context.Context, s slots) error {
	ahead := q.waiting.Add(1) - 1
	defer q.waiting.Add(-1)
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < time.Duration(ahead)*q.interval {
		return errDeadline
	}
	select { // callers proceed in the order in which they arrived
	case q.head <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-q.head }()
	if err := s.acquire(ctx); err != nil {
		return err
	}
	if err := q.limiter.Wait(ctx); err != nil {
		s.release()
		return err
	}
	return nil
}
