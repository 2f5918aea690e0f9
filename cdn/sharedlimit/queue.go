package sharedlimit

import (
	"slices"
	"time"
)

// step does what there is to do at the time now: after it, nothing has to be
// done until somebody comes or goes, the engine answers, or the timer fires.
// The caller holds mu.
func (l *Limiter) step(now time.Time) {
	l.handOut(now)
	l.endSharing(now)
	l.giveUp(now)
	l.lose(now)
	l.standIn(now)
	if n := l.wanted(now); n > 0 {
		l.ask(n, now)
	}
	l.failAll()
	l.setTimer(now)
}

// handOut gives the turns that are due to those who wait. A turn that nobody
// waits for is over.
func (l *Limiter) handOut(now time.Time) {
	for len(l.turns) > 0 && !l.turns[0].After(now) {
		l.turns = slices.Delete(l.turns, 0, 1)
		if first := l.waiting.Front(); first != nil {
			l.leave(first.Value.(*waiter), nil)
		}
	}
}

// add adds a turn to those that this process holds. The turns come in order
// from the engine, but an answer may take longer than the next one.
func (l *Limiter) add(turn time.Time) {
	i, _ := slices.BinarySearchFunc(l.turns, turn, time.Time.Compare)
	l.turns = slices.Insert(l.turns, i, turn)
	if turn.After(l.last) {
		l.last = turn
	}
}

// earliest returns the earliest time at which there can be a turn for the one
// who has so many before him in the queue.
func (l *Limiter) earliest(before int, now time.Time) time.Time {
	if l.sharing(now) {
		return l.earliestOfShare(before, now)
	}
	if before < len(l.turns) {
		return l.turns[before]
	}
	next := latest(now, l.last.Add(l.interval()), l.engine.busyUntil)
	return next.Add(l.interval() * time.Duration(before-len(l.turns)))
}

// earliestOfShare is earliest for a process that keeps to its share, but may
// do so no longer when the turn comes.
func (l *Limiter) earliestOfShare(before int, now time.Time) time.Time {
	first := l.nextOfShare(now)
	if len(l.turns) > 0 {
		first = l.turns[0]
	}
	end := l.engine.cautiousUntil
	if l.engine.away {
		end = latest(now, l.engine.askAt).Add(caution)
	}
	served := 0 // by the share
	if !first.After(end) {
		served = 1 + int(end.Sub(first)/l.share())
	}
	if before < served {
		return first.Add(l.share() * time.Duration(before))
	}
	return end.Add(l.interval() * time.Duration(before-served))
}

// refuse ends the Wait of those whose turn comes too late for them.
func (l *Limiter) refuse(now time.Time) {
	before := 0
	for e := l.waiting.Front(); e != nil; {
		w := e.Value.(*waiter)
		e = e.Next()
		if w.endsBefore(l.earliest(before, now)) {
			l.leave(w, errTooLate)
		} else {
			before++
		}
	}
}

// setTimer sets the timer for the next thing to do, if somebody waits.
func (l *Limiter) setTimer(now time.Time) {
	e := &l.engine
	next := soonest(now, e.cautiousUntil, l.loseAt())
	if e.asking {
		next = soonest(now, next, e.askedAt.Add(answerTimeout))
	} else {
		next = soonest(now, next, e.askAt)
	}
	if len(l.turns) > 0 {
		next = soonest(now, next, l.turns[0])
	}
	switch {
	case l.waiting.Len() == 0 || !next.After(now): // nobody waits, or for a request that hangs
	case l.timer == nil:
		l.timer = time.AfterFunc(next.Sub(now), l.wake)
	default:
		l.timer.Reset(next.Sub(now))
	}
}

// soonest returns the earlier of the two times that is after now.
func soonest(now, a, b time.Time) time.Time {
	if !a.After(now) || b.After(now) && b.Before(a) {
		return b
	}
	return a
}

// wake does what has become due.
func (l *Limiter) wake() {
	l.mu.Lock()
	defer l.unlock()
	l.step(time.Now())
}

func latest(times ...time.Time) time.Time {
	return slices.MaxFunc(times, time.Time.Compare)
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
