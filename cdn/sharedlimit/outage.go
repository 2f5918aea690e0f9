package sharedlimit

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"
)

// fail notes that the last request failed.
func (l *Limiter) fail(now time.Time, err error) {
	e := &l.engine
	if e.failingSince.IsZero() {
		e.failingSince = e.askedAt
		if e.askedAt.Sub(e.heardAt) > patience { // others may have taken turns since then
			e.depth = horizon
		}
	}
	e.failedAt, e.failure = now, notTheCallers(err)
	e.askAt = now.Add(retryDelay())
	if e.away {
		e.askAt = now.Add(probeInterval)
		if len(l.turns) > 0 {
			l.probeBefore(l.last.Add(l.share()))
		}
	}
}

// notTheCallers returns err, or one with its text if it matches the error of a
// context, which would not be the caller's.
func notTheCallers(err error) error {
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return errors.New(err.Error())
	}
	return err
}

// loseAt returns when an engine that fails counts as away: once the turns are
// over that it had given, to whichever process, when it failed. A share that
// begins earlier is taken beside these. Without Processes there is no share to
// begin, and those who wait get the error at once.
func (l *Limiter) loseAt() time.Time {
	e := &l.engine
	switch {
	case e.failingSince.IsZero() || e.away:
		return time.Time{}
	case l.Processes == 0:
		return e.failingSince
	}
	return e.failingSince.Add(max(patience, e.depth))
}

// lose notes that the engine is away, if it is time to. The first turn of this
// process's share comes at a random time, so that the processes don't all
// begin with one at once.
func (l *Limiter) lose(now time.Time) {
	e := &l.engine
	at := l.loseAt()
	if at.IsZero() || now.Before(at) {
		return
	}
	if !e.asking && now.Sub(e.failedAt) > horizon { // nobody has waited since then, so it was not asked again
		e.failingSince = time.Time{}
		return
	}
	if l.Processes > 0 && !l.sharing(now) {
		l.last = now.Add(l.lead() - rand.N(l.share()))
	}
	e.away = true
	e.askAt = now.Add(probeInterval)
	e.notices = append(e.notices, notice{"sharedlimit: turns unavailable", []any{"error", e.failure, "processes", l.Processes}})
}

// find notes that the engine answers. A turn of the share that is still ahead
// gives way to one of the engine's.
func (l *Limiter) find(now time.Time) {
	e := &l.engine
	e.failingSince, e.failure = time.Time{}, nil
	if !e.away {
		return
	}
	e.away = false
	if l.Processes > 0 {
		e.cautiousUntil = now.Add(caution)
		if len(l.turns) > 0 {
			l.turns, l.last = nil, l.last.Add(-l.share())
		}
	}
	e.notices = append(e.notices, notice{"sharedlimit: turns available again", nil})
}

// endSharing, once all processes must have noticed that the engine is back,
// drops a turn that was put off until the share allowed it: the engine's next
// one may be much earlier.
func (l *Limiter) endSharing(now time.Time) {
	e := &l.engine
	if !e.away && !e.cautiousUntil.IsZero() && !l.sharing(now) {
		e.cautiousUntil = time.Time{}
		l.turns, l.last = nil, time.Time{}
	}
}

// sharing reports whether this process keeps to its share.
func (l *Limiter) sharing(now time.Time) bool {
	return l.Processes > 0 && (l.engine.away || now.Before(l.engine.cautiousUntil))
}

// share returns the time from one turn to the next that this process keeps
// while it can't ask the others.
func (l *Limiter) share() time.Duration {
	return l.interval() * time.Duration(l.Processes)
}

// lead returns how long before a turn of the share the engine is asked.
func (l *Limiter) lead() time.Duration {
	return min(l.share()/2, l.engine.latency+allowance)
}

// nextOfShare returns the next turn of this process's share. While the engine
// is away, it leaves time to ask whether that is still so.
func (l *Limiter) nextOfShare(now time.Time) time.Time {
	if l.engine.away {
		now = now.Add(l.lead())
	}
	return latest(now, l.last.Add(l.share()))
}

// standIn takes the place of an engine that is away: it lets this process's
// share through, one turn at a time. Each turn is preceded by a request: when
// the engine is back, hardly any process takes its share beside the others'
// turns.
func (l *Limiter) standIn(now time.Time) {
	if !l.engine.away || l.Processes == 0 || l.waiting.Len() == 0 || len(l.turns) > 0 {
		return
	}
	turn := l.nextOfShare(now)
	l.add(turn)
	l.probeBefore(turn)
	l.refuse(now)
}

// probeBefore makes sure that the engine is asked before a turn of the share.
func (l *Limiter) probeBefore(turn time.Time) {
	e := &l.engine
	e.askAt = earlier(e.askAt, latest(turn.Add(-l.lead()), e.askedAt.Add(probeSpacing)))
}

// failAll ends the Wait of those who have no turn with the engine's error if it
// is away and the share is unknown.
func (l *Limiter) failAll() {
	e := &l.engine
	if !e.away || l.Processes > 0 || e.asking {
		return
	}
	for l.waiting.Len() > len(l.turns) {
		l.leave(l.waiting.Back().Value.(*waiter), e.failure)
	}
}
