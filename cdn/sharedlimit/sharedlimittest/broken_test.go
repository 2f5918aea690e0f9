package sharedlimittest

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/cdncsr/cdncsr/cdn/sharedlimit"
)

// memory is a Turns in memory, with faults.
type memory struct {
	mu   sync.Mutex
	next time.Time

	noLock, noAhead, takesRefused, noCheck, noContext, oneOnly, makesUp, trustsClock, alwaysFree bool
}

func (m *memory) Take(ctx context.Context, n int, interval, ahead time.Duration) (time.Duration, bool, error) {
	if !m.noCheck && (n < 1 || n > 16 || interval <= 0 || ahead < 0) {
		return 0, false, errors.New("invalid")
	}
	if !m.noContext && ctx.Err() != nil {
		return 0, false, ctx.Err()
	}
	if m.oneOnly {
		n = min(n, 1)
	}
	next := m.read()
	now := time.Now()
	if next.IsZero() || next.Before(now) && !m.makesUp {
		next = now
	}
	if m.alwaysFree {
		return 0, true, nil
	}
	if !m.trustsClock && next.Sub(now) > ahead+16*interval {
		next = now.Add(ahead)
	}
	after := next.Add(time.Duration(n) * interval)
	if next.Sub(now) > ahead && !m.noAhead {
		if m.takesRefused {
			m.write(after)
		}
		m.done()
		return 0, false, nil
	}
	m.write(after)
	m.done()
	return max(0, next.Sub(now)), true, nil
}

// read locks the turns until done, or for itself alone.
func (m *memory) read() time.Time {
	m.mu.Lock()
	next := m.next
	if m.noLock || m.alwaysFree {
		m.mu.Unlock()
		runtime.Gosched()
	}
	return next
}

func (m *memory) write(next time.Time) {
	if m.noLock {
		m.mu.Lock()
		defer m.mu.Unlock()
	}
	m.next = next
}

func (m *memory) done() {
	if !m.noLock {
		m.mu.Unlock()
	}
}

func TestTurns_Memory(t *testing.T) {
	TestTurns(t, func(*testing.T) sharedlimit.Turns { return new(memory) })
}

func TestTurns_FindsWhatIsBroken(t *testing.T) {
	cases := map[string]struct {
		turns *memory
		want  string // the check that fails
	}{
		"not atomic":            {&memory{noLock: true}, "ManyAtOnce"},
		"no limit":              {&memory{alwaysFree: true}, "IntervalApart"},
		"any distance":          {&memory{noAhead: true}, "NoneBeyondAhead"},
		"takes what it refuses": {&memory{takesRefused: true}, "NoneBeyondAhead"},
		"any argument":          {&memory{noCheck: true}, "InvalidArguments"},
		"no context":            {&memory{noContext: true}, "CanceledContext"},
		"n is 1":                {&memory{oneOnly: true}, "IntervalApart"},
		"idle time is saved up": {&memory{makesUp: true}, "PassedTurnsAreNotMadeUpFor"},
		"trusts its clock":      {&memory{trustsClock: true}, "ClockSetBack"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			var failed []string
			for _, check := range checks {
				c.turns.next = time.Time{}
				if check.run(t.Context(), c.turns) != nil {
					failed = append(failed, check.name)
				}
			}
			assert.True(t, slices.Contains(failed, c.want), "failed: %v, want %s", failed, c.want)
		})
	}
}
