package sharedlimit

import (
	"context"
	"fmt"
	"time"
)

// Turns hands out turns to all who share it, on the clock of the engine that
// keeps them. Package sharedlimittest tests an implementation.
type Turns interface {
	// Take takes the next n free turns, 1 to 16, interval apart. The first is
	// free at once, or interval after the last one that was taken before; wait
	// is the time until it.
	//
	// If the first would be more than ahead away, Take takes none, and ok is
	// false. An error means that it is unknown whether turns were taken.
	//
	// Take should return when ctx ends. A Limiter gives a request up after a
	// second, ignores its answer, and makes no more of them while four that it
	// gave up have not returned.
	//
	// All callers must give the same interval and ahead: if the next free turn
	// is further away than these can explain, the engine's clock was set back,
	// and Take counts it as ahead away.
	Take(ctx context.Context, n int, interval, ahead time.Duration) (wait time.Duration, ok bool, err error)
}

// maxTurns is how many turns are taken at once, so that a process that has
// many calls waiting doesn't push in before the others.
const maxTurns = 16

// A request is a Take in the engines' unit, microseconds.
type request struct {
	taken int64 // the time that the turns take
	ahead int64
	far   int64 // no turn is further away unless the clock was set back
}

func newRequest(n int, interval, ahead time.Duration) (request, error) {
	switch {
	case n < 1 || n > maxTurns:
		return request{}, fmt.Errorf("sharedlimit: take: %d turns: want 1 to %d", n, maxTurns)
	case interval < time.Microsecond:
		return request{}, fmt.Errorf("sharedlimit: take: interval %s: want at least %s", interval, time.Microsecond)
	case ahead < 0:
		return request{}, fmt.Errorf("sharedlimit: take: ahead %s: is negative", ahead)
	}
	us, aheadUs := interval.Microseconds(), ahead.Microseconds()
	return request{taken: us * int64(n), ahead: aheadUs, far: aheadUs + us*maxTurns}, nil
}

// answer returns what Take returns if the next free turn is wait microseconds
// away.
func (r request) answer(wait int64) (time.Duration, bool, error) {
	if wait > r.ahead {
		return 0, false, nil
	}
	return time.Duration(wait) * time.Microsecond, true, nil
}
