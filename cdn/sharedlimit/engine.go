package sharedlimit

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

const (
	// horizon is how far ahead turns are taken: what a crash costs the others
	// at most, unless a single turn takes longer.
	horizon = time.Second

	// answerTimeout is how long the engine has for an answer. A shorter time
	// makes an overloaded machine take a turn twice: from the engine, whose
	// answer is late, and from its share.
	answerTimeout = time.Second

	// maxHanging is how many requests that had all of their answerTimeout may
	// still be under way.
	maxHanging = 4

	// patience is how long requests have to fail, at least, until the engine
	// counts as away. Most failures are one lost connection, and a share that
	// is taken then is taken beside those who still reach the engine.
	patience = horizon / 2

	// probeInterval is the time from one request to the next while the engine
	// is away and nobody waits.
	probeInterval = time.Second

	// probeSpacing is the least time from one request to the next while the
	// engine is away, for shares of less.
	probeSpacing = 10 * time.Millisecond

	// caution is how long a process keeps to its share once the engine is
	// back: as long as it may take until all processes have noticed.
	caution = probeInterval + answerTimeout

	// allowance is how much longer than the last one an answer may take to be
	// in time for a turn of the share.
	allowance = 10 * time.Millisecond
)

var (
	errNoAnswer = fmt.Errorf("sharedlimit: take: no answer within %s", answerTimeout)
	errNoReturn = errors.New("sharedlimit: take: ended its goroutine")
)

// engine is what a Limiter knows of its Turns.
type engine struct {
	asking   bool          // a request is under way
	requests int           // so many were sent; this is also the number of the last one
	hanging  int           // so many were given up and have not returned
	askedAt  time.Time     // when the last one was sent
	askAt    time.Time     // no request before this time
	heardAt  time.Time     // when the last one was answered
	latency  time.Duration // of that answer, or error
	depth    time.Duration // how far ahead turns were taken at the last answer

	busyUntil     time.Time // no free turn before this time
	failingSince  time.Time // when the first request that failed since the last answer was sent; zero: none
	failedAt      time.Time // when the last one failed
	failure       error     // of that one
	away          bool      // it has failed for so long that it can't be counted on
	cautiousUntil time.Time // it is back, but others may not have noticed
	notices       []notice  // for the Logger, once mu is free
}

type notice struct {
	text string
	args []any
}

// wanted returns how many turns to ask the engine for now.
func (l *Limiter) wanted(now time.Time) int {
	e := &l.engine
	n := l.waiting.Len() - len(l.turns)
	switch {
	case e.asking || e.hanging == maxHanging || now.Before(e.askAt):
		return 0
	case e.away: // a probe, even if nobody waits: they may have been refused
		return 1
	case n <= 0:
		return 0
	case l.sharing(now):
		return 1
	}
	return min(n, l.batch())
}

// batch returns how many turns are taken at once: at most half of those
// before the horizon.
func (l *Limiter) batch() int {
	return min(maxTurns, max(1, int(horizon/2/l.interval())))
}

// ahead returns how far ahead the first turn of a batch may be so that its
// last one is over by the horizon.
func (l *Limiter) ahead() time.Duration {
	return max(horizon-l.interval()*time.Duration(l.batch()), l.interval())
}

// retryDelay returns the time until the next request after one that got no
// turn.
func retryDelay() time.Duration { return horizon/8 + rand.N(horizon/8) }

// ask sends the engine a request for n turns. It does not rely on Take
// heeding its context: go-redis, by default, does not.
func (l *Limiter) ask(n int, now time.Time) {
	e := &l.engine
	e.requests++
	e.asking, e.askedAt = true, now
	number := e.requests
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), answerTimeout)
		defer cancel()
		a := answer{err: errNoReturn}
		defer func() {
			if p := recover(); p != nil {
				a = answer{err: fmt.Errorf("sharedlimit: take: panic: %v", p)}
			}
			l.answered(number, n, a)
		}()
		a.wait, a.ok, a.err = l.Turns.Take(ctx, n, l.interval(), l.ahead())
	}()
}

// An answer is what Take returned.
type answer struct {
	wait time.Duration
	ok   bool
	err  error
}

// answered takes the engine's answer to a request for n turns. That to a
// request that was given up is ignored.
func (l *Limiter) answered(number, n int, a answer) {
	l.mu.Lock()
	defer l.unlock()
	now := time.Now()
	e := &l.engine
	if !e.asking || number != e.requests {
		e.hanging--
		l.step(now)
		return
	}
	e.asking = false
	e.latency = now.Sub(e.askedAt)
	switch {
	case a.err != nil:
		l.fail(now, a.err)
	case a.ok:
		l.find(now)
		e.heardAt = now
		e.depth = a.wait + l.interval()*time.Duration(n)
		l.take(n, now, now.Add(a.wait))
	default:
		l.find(now)
		e.heardAt, e.depth = now, horizon
		e.busyUntil = now.Add(l.ahead())
		e.askAt = now.Add(retryDelay())
	}
	l.refuse(now)
	l.step(now)
}

// take adds n turns of the engine. A process that keeps to its share adds one
// alone, as late as its share allows: the others would be put off too far. It
// asks for the next one just in time for it, so that it puts off that one as
// little.
func (l *Limiter) take(n int, now, first time.Time) {
	if l.sharing(now) {
		turn := latest(first, l.nextOfShare(now))
		l.add(turn)
		l.engine.askAt = earlier(turn.Add(l.share()-l.lead()), l.engine.cautiousUntil)
		return
	}
	for i := range n {
		l.add(first.Add(l.interval() * time.Duration(i)))
	}
}

// giveUp gives up the request under way if it had its time.
func (l *Limiter) giveUp(now time.Time) {
	e := &l.engine
	if e.asking && !now.Before(e.askedAt.Add(answerTimeout)) {
		e.asking = false
		e.latency = answerTimeout
		e.hanging++
		l.fail(now, errNoAnswer)
	}
}

// unlock unlocks mu, and then logs: a Logger may take its time.
func (l *Limiter) unlock() {
	notices := l.engine.notices
	l.engine.notices = nil
	l.mu.Unlock()
	if l.Logger == nil {
		return
	}
	for _, n := range notices {
		l.Logger.Warn(n.text, n.args...)
	}
}
