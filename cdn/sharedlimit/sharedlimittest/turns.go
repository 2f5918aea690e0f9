// Package sharedlimittest is the test that every [sharedlimit.Turns] must
// pass. An implementation calls it from a test of its own:
//
//	func TestTurns(t *testing.T) {
//		sharedlimittest.TestTurns(t, func(t *testing.T) sharedlimit.Turns { return newTurns(t) })
//	}
package sharedlimittest

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/cdncsr/cdncsr/cdn/sharedlimit"
)

// TestTurns tests that a sharedlimit.Turns does what the interface says.
// newTurns returns turns of which none is taken; it is called for each of the
// subtests. Intervals of an hour make the outcome independent of how long a
// request takes, as long as a subtest ends within a minute.
func TestTurns(t *testing.T, newTurns func(t *testing.T) sharedlimit.Turns) {
	for _, check := range checks {
		t.Run(check.name, func(t *testing.T) {
			if err := check.run(t.Context(), newTurns(t)); err != nil {
				t.Error(err)
			}
		})
	}
}

// A check returns an error if turns, of which none is taken, are not as they
// should be.
type check func(ctx context.Context, turns sharedlimit.Turns) error

// checks are what TestTurns runs.
var checks = []struct {
	name string
	run  check
}{
	{"IntervalApart", intervalApart},
	{"NoneBeyondAhead", noneBeyondAhead},
	{"PassedTurnsAreNotMadeUpFor", passedTurnsAreNotMadeUpFor},
	{"ClockSetBack", clockSetBack},
	{"InvalidArguments", invalidArguments},
	{"CanceledContext", canceledContext},
	{"ManyAtOnce", manyAtOnce},
}

// margin is how far the clock may run on during a subtest.
const margin = time.Minute

// take takes n turns and returns an error unless the first of them is as far
// away as wanted.
func take(ctx context.Context, turns sharedlimit.Turns, n int, ahead, want time.Duration) error {
	wait, ok, err := turns.Take(ctx, n, time.Hour, ahead)
	switch {
	case err != nil:
		return err
	case !ok:
		return fmt.Errorf("take %d turns, at most %s ahead: none are free: want the first in %s", n, ahead, want)
	case wait < 0 || wait > want || wait < want-margin:
		return fmt.Errorf("take %d turns, at most %s ahead: the first is in %s: want %s", n, ahead, wait, want)
	}
	return nil
}

// takeNone returns an error if a turn can be taken.
func takeNone(ctx context.Context, turns sharedlimit.Turns, n int, ahead time.Duration) error {
	wait, ok, err := turns.Take(ctx, n, time.Hour, ahead)
	if err == nil && ok {
		err = fmt.Errorf("take %d turns, at most %s ahead: the first is in %s: want none", n, ahead, wait)
	}
	return err
}

func intervalApart(ctx context.Context, turns sharedlimit.Turns) error {
	var want time.Duration
	for _, n := range []int{1, 1, 3, 16, 1} {
		if err := take(ctx, turns, n, 100*time.Hour, want); err != nil {
			return err
		}
		want += time.Duration(n) * time.Hour
	}
	return nil
}

func noneBeyondAhead(ctx context.Context, turns sharedlimit.Turns) error {
	const ahead = 2*time.Hour + margin
	for hours := range 3 {
		if err := take(ctx, turns, 1, ahead, time.Duration(hours)*time.Hour); err != nil {
			return err
		}
	}
	for range 20 {
		if err := takeNone(ctx, turns, 1, ahead); err != nil {
			return err
		}
		if err := takeNone(ctx, turns, 16, ahead); err != nil {
			return err
		}
	}
	if err := take(ctx, turns, 1, 100*time.Hour, 3*time.Hour); err != nil {
		return fmt.Errorf("refused turns must not be taken: %w", err)
	}
	return nil
}

func passedTurnsAreNotMadeUpFor(ctx context.Context, turns sharedlimit.Turns) error {
	if _, _, err := turns.Take(ctx, 1, time.Microsecond, time.Hour); err != nil {
		return err
	}
	const idle = 20 * time.Millisecond
	time.Sleep(idle) // the engine's clock can't be turned
	begin := time.Now()
	if err := take(ctx, turns, 1, 100*time.Hour, 0); err != nil {
		return err
	}
	wait, _, err := turns.Take(ctx, 1, time.Hour, 100*time.Hour)
	if err != nil {
		return err
	}
	if least := time.Hour - time.Since(begin) - idle/2; wait < least {
		return fmt.Errorf("the turn after one that was free at once: in %s: want at least %s", wait, least)
	}
	return nil
}

// clockSetBack takes a turn further away than a caller's interval and ahead
// can explain, which looks like a clock that was set back.
func clockSetBack(ctx context.Context, turns sharedlimit.Turns) error {
	if err := take(ctx, turns, 16, 100*time.Hour, 0); err != nil { // the next one is in 16 hours
		return err
	}
	const interval, ahead = 2 * time.Minute, 10 * time.Minute
	for i := range 2 {
		wait, ok, err := turns.Take(ctx, 1, interval, ahead+time.Duration(i)*interval)
		want := ahead + time.Duration(i)*interval
		if err != nil {
			return err
		}
		if !ok || wait > want || wait < want-margin {
			return fmt.Errorf("a turn that is 16 hours away, with an interval of %s, %s ahead: got %s, %t: want %s",
				interval, ahead, wait, ok, want)
		}
	}
	return nil
}

func invalidArguments(ctx context.Context, turns sharedlimit.Turns) error {
	for _, c := range []struct {
		n               int
		interval, ahead time.Duration
	}{
		{0, time.Hour, time.Hour},
		{-1, time.Hour, time.Hour},
		{17, time.Hour, 100 * time.Hour},
		{1, 0, time.Hour},
		{1, -time.Hour, time.Hour},
		{1, time.Hour, -time.Hour},
	} {
		if _, ok, err := turns.Take(ctx, c.n, c.interval, c.ahead); err == nil || ok {
			return fmt.Errorf("take %d turns, an interval of %s, at most %s ahead: want an error", c.n, c.interval, c.ahead)
		}
	}
	return take(ctx, turns, 1, time.Hour, 0)
}

func canceledContext(ctx context.Context, turns sharedlimit.Turns) error {
	canceled, cancel := context.WithCancel(ctx)
	cancel()
	if _, ok, err := turns.Take(canceled, 1, time.Hour, time.Hour); err == nil || ok {
		return fmt.Errorf("take with a canceled context: ok is %t, error: %t: want an error", ok, err != nil)
	}
	return nil
}

func manyAtOnce(ctx context.Context, turns sharedlimit.Turns) error {
	const callers, each = 8, 10
	var (
		mu    sync.Mutex
		waits []time.Duration
		errs  []error
		group sync.WaitGroup
	)
	for range callers {
		group.Go(func() {
			for range each {
				wait, ok, err := turns.Take(ctx, 1, time.Hour, 1000*time.Hour)
				if err == nil && !ok {
					err = fmt.Errorf("take among %d callers: no turn is free", callers)
				}
				mu.Lock()
				waits, errs = append(waits, wait), append(errs, err)
				mu.Unlock()
			}
		})
	}
	group.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	slices.Sort(waits)
	for i, wait := range waits {
		want := time.Duration(i) * time.Hour
		if wait > want || wait < want-margin {
			return fmt.Errorf("%d turns taken at once: number %d is in %s: want %s", len(waits), i, wait, want)
		}
	}
	return nil
}
