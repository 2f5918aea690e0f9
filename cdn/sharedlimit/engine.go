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

	// probeInterval is the time from one request to the next while the engine
	// is away.
	probeInterval = time.Second

	// caution is how long a process keeps to its share once the engine is
	// back: as long as it may take until all processes have noticed.
	caution = probeInterval + answerTimeout
)

var errNoAnswer = fmt.Errorf("sharedlimit: take: no answer within %s", answerTimeout)

// engine is what a Limiter knows of its Turns.
type engine struct {
	asking  bool      // a request is under way
	late    bool      // and has had all of its answerTimeout
	askedAt time.Time // when it was sent
	askAt   time.Time // no request before this time

	busyUntil     time.Time // no free turn before this time
	away          error     // why it can't be asked; nil: it answers
	cautiousUntil time.Time // it is back, but others may not have noticed
	notices       []notice  // for the Logger, once mu is free
}

type notice struct {
	text string
	args []any
}

// mayAnswer reports whether an answer is awaited.
func (e *engine) mayAnswer() bool { return e.asking && !e.late }

// wanted returns how many turns to ask the engine for now.
func (l *Limiter) wanted(now time.Time) int {
	e := &l.engine
	n := l.waiting.Len() - len(l.turns)
	switch {
	case l.waiting.Len() == 0 || e.asking || now.Before(e.askAt):
		return 0
	case e.away != nil: // a probe
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

// ask sends the engine a request for n turns. It does not rely on Take
// heeding its context: go-redis, by default, does not.
func (l *Limiter) ask(n int, now time.Time) {
	l.engine.asking, l.engine.late, l.engine.askedAt = true, false, now
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), answerTimeout)
		defer cancel()
		defer context.AfterFunc(ctx, l.wake)() // to give it up
		wait, ok, err := l.Turns.Take(ctx, n, l.interval(), l.ahead())
		l.answered(n, wait, ok, err)
	}()
}

// answered takes the engine's answer to a request for n turns.
func (l *Limiter) answered(n int, wait time.Duration, ok bool, err error) {
	l.mu.Lock()
	defer l.unlock()
	now := time.Now()
	e := &l.engine
	late := e.late
	e.asking, e.late = false, false
	switch {
	case err != nil:
		l.lose(now, err)
	case !late: // only an answer in time shows that the engine is back
		l.find(now)
	}
	switch {
	case err == nil && ok:
		l.take(n, now, now.Add(wait))
	case err == nil:
		e.busyUntil = now.Add(l.ahead())
		e.askAt = now.Add(horizon/8 + rand.N(horizon/8))
	}
	l.refuse(now)
	l.step(now)
}

// take adds n turns of the engine. A process that keeps to its share has them
// later, when its share allows it. It asks for the next one halfway there: in
// time for a slow answer, but so late that few turns are left over to the time
// when it no longer keeps to its share.
func (l *Limiter) take(n int, now, first time.Time) {
	for i := range n {
		turn := first.Add(l.interval() * time.Duration(i))
		if l.sharing(now) {
			turn = latest(turn, l.nextOfShare(now))
			l.engine.askAt = earlier(turn.Add(l.share()/2), l.engine.cautiousUntil)
		}
		l.add(turn)
	}
}

// giveUp declares the engine away if the request under way had its time.
func (l *Limiter) giveUp(now time.Time) {
	e := &l.engine
	if e.mayAnswer() && !now.Before(e.askedAt.Add(answerTimeout)) {
		e.late = true
		l.lose(now, errNoAnswer)
	}
}

// lose notes that the engine is away.
func (l *Limiter) lose(now time.Time, err error) {
	e := &l.engine
	if errors.Is(err, context.DeadlineExceeded) { // of a context that is not the caller's
		err = errNoAnswer
	}
	if e.away == nil {
		e.notices = append(e.notices, notice{"sharedlimit: turns unavailable", []any{"error", err, "processes", l.Processes}})
	}
	wasSharing := l.sharing(now)
	e.away = err
	e.askAt = now.Add(probeInterval)
	if !wasSharing && l.sharing(now) {
		l.beginSharing(now)
	}
}

// beginSharing spreads out the turns that this process holds, which may be
// those of many processes. The first of its share comes at a random time, so
// that the processes don't all begin with one at once.
func (l *Limiter) beginSharing(now time.Time) {
	held := len(l.turns)
	l.turns = nil
	l.last = now.Add(-rand.N(l.share()))
	for range held {
		l.add(l.nextOfShare(now))
	}
}

// find notes that the engine answers.
func (l *Limiter) find(now time.Time) {
	e := &l.engine
	if e.away == nil {
		return
	}
	e.away = nil
	e.cautiousUntil = now.Add(caution)
	e.notices = append(e.notices, notice{"sharedlimit: turns available again", nil})
}

// sharing reports whether this process keeps to its share.
func (l *Limiter) sharing(now time.Time) bool {
	return l.Processes > 0 && (l.engine.away != nil || now.Before(l.engine.cautiousUntil))
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
