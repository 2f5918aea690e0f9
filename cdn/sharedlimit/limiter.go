package sharedlimit

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

const (
	// defaultRate is what the service allows an account, in calls of one
	// operation a second.
	defaultRate = 100

	// maxRate is a turn each microsecond, the unit of the engines.
	maxRate = 1_000_000

	maxProcesses = 1_000_000
)

// A Limiter lets all processes that share its Turns make Rate calls a second
// between them, evenly spaced. It is a cdn.Limiter.
//
// A Limiter is safe for concurrent use. Each process needs one for each
// limit, not one for each client: it is what coalesces the requests of those
// who wait. Its fields must not be changed once Wait has been called, and it
// must not be copied.
type Limiter struct {
	// Turns is where the processes take their turns: [Redis] or [SQL].
	// Required.
	Turns Turns

	// Rate is how many turns a second all processes have together, at most
	// 1,000,000. The default is 100; all processes must have the same.
	Rate int

	// Processes is how many processes share the turns. While Turns is away,
	// each of them lets Rate/Processes calls a second through, or some 900 if
	// that is more. If 0, Wait fails then, at the first error.
	Processes int

	// Logger, if non-nil, gets a warning when Turns goes away and another
	// when it is back. Wait calls it, so it should not block.
	Logger *slog.Logger

	mu      sync.Mutex
	waiting list.List   // of *waiter, first come first
	turns   []time.Time // that this process holds, in order
	last    time.Time   // the last of them
	engine  engine
	timer   *time.Timer // for the next thing to do while somebody waits
}

// A waiter is a call of Wait.
type waiter struct {
	deadline time.Time // zero: none
	place    *list.Element
	result   chan error // has room for the one that leave sends
}

var errTooLate = errors.New("sharedlimit: wait: no turn comes before the context's deadline")

// Wait returns nil when it is the caller's turn. It returns an error as soon
// as ctx ends, which it wraps, and at once if no turn can come before ctx's
// deadline; the turn then goes to the next caller. It also returns an error if
// a field is invalid, Turns of [Redis] or [SQL] included, and the error of
// Turns while Turns is away if Processes is 0.
//
// A cdn.Client returns what Wait refuses as cdn.ErrThrottled, which makes a
// cdn.Fallback create the private key on this machine. Set Processes so that
// an outage of the engine does not do that.
func (l *Limiter) Wait(ctx context.Context) error {
	if err := l.check(); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("sharedlimit: wait: %w", err)
	}
	w := &waiter{result: make(chan error, 1)}
	w.deadline, _ = ctx.Deadline()
	l.enter(w)
	select {
	case err := <-w.result:
		return err
	case <-ctx.Done():
		l.abandon(w)
		return fmt.Errorf("sharedlimit: wait: %w", ctx.Err())
	}
}

func (l *Limiter) check() error {
	switch {
	case l.Turns == nil:
		return errors.New("sharedlimit: Limiter.Turns: is nil")
	case l.Rate < 0 || l.Rate > maxRate:
		return fmt.Errorf("sharedlimit: Limiter.Rate: %d: want 0 to %d", l.Rate, maxRate)
	case l.Processes < 0 || l.Processes > maxProcesses:
		return fmt.Errorf("sharedlimit: Limiter.Processes: %d: want 0 to %d", l.Processes, maxProcesses)
	}
	if turns, ok := l.Turns.(interface{ check() error }); ok {
		return turns.check()
	}
	return nil
}

// enter puts w at the end of the queue, or refuses it.
func (l *Limiter) enter(w *waiter) {
	l.mu.Lock()
	defer l.unlock()
	now := time.Now()
	l.handOut(now) // what is due belongs to those who came before
	l.endSharing(now)
	if w.endsBefore(l.earliest(l.waiting.Len(), now)) {
		w.result <- errTooLate
	} else {
		w.place = l.waiting.PushBack(w)
	}
	l.step(now)
}

// abandon takes w out of the queue. A turn that it has been given meanwhile
// goes to the next one.
func (l *Limiter) abandon(w *waiter) {
	l.mu.Lock()
	defer l.unlock()
	now := time.Now()
	if w.place != nil {
		l.waiting.Remove(w.place)
	} else if <-w.result == nil {
		l.add(now)
	}
	l.step(now)
}

// leave ends the Wait of w with err, or with its turn if err is nil.
func (l *Limiter) leave(w *waiter, err error) {
	l.waiting.Remove(w.place)
	w.place = nil
	w.result <- err
}

// endsBefore reports whether w's context will have ended at t.
func (w *waiter) endsBefore(t time.Time) bool {
	return !w.deadline.IsZero() && w.deadline.Before(t)
}

// interval returns the time from one turn to the next, in whole microseconds,
// which all engines can count, rounded up.
func (l *Limiter) interval() time.Duration {
	rate := time.Duration(l.Rate)
	if rate == 0 {
		rate = defaultRate
	}
	const second = time.Second / time.Microsecond
	return (second + rate - 1) / rate * time.Microsecond
}
