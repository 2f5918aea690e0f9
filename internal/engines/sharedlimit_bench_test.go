package engines_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/cdn/sharedlimit"
	"github.com/cdncsr/cdncsr/internal/engines"
)

// BenchmarkWait compares a Wait that finds a free turn with one round trip of
// the engine: the same statement, with a time-out, without a Limiter. Since
// Wait returns as soon as its context ends, whatever the driver does, it also
// compares a round trip on a goroutine of its own. The three take turns, and
// their medians are reported, so that other work on the machine hits each.
func BenchmarkWait(b *testing.B) {
	for _, e := range turnsEngines {
		b.Run(e.name, func(b *testing.B) {
			engine, driver := e.start(b), e.drivers[0]
			driver.create(b, engine)
			turns := driver.connect(b, engine.DSN(engines.Access{}))
			trip, limiter := turns("trip"), &sharedlimit.Limiter{Turns: turns("wait"), Rate: 1_000_000}
			ctx := b.Context()
			var trips, apart, waits samples
			for b.Loop() {
				trips.add(b, func() error { return takeOne(ctx, trip) })
				apart.add(b, func() error {
					done := make(chan error, 1)
					go func() { done <- takeOne(ctx, trip) }()
					select {
					case err := <-done:
						return err
					case <-ctx.Done():
						return ctx.Err()
					}
				})
				waits.add(b, func() error { return limiter.Wait(ctx) })
			}
			b.ReportMetric(trips.median(), "µs/trip")
			b.ReportMetric(apart.median(), "µs/trip-apart")
			b.ReportMetric(waits.median(), "µs/Wait")
			b.ReportMetric(waits.median()/trips.median(), "trips/Wait")
		})
	}
}

func takeOne(ctx context.Context, turns sharedlimit.Turns) error {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	_, _, err := turns.Take(ctx, 1, time.Microsecond, time.Second)
	return err
}

type samples []time.Duration

// add adds the time that f takes.
func (s *samples) add(tb testing.TB, f func() error) {
	tb.Helper()
	begin := time.Now()
	err := f()
	*s = append(*s, time.Since(begin))
	require.NoError(tb, err)
}

// median returns the median in microseconds.
func (s samples) median() float64 {
	slices.Sort(s)
	return float64(s[len(s)/2].Nanoseconds()) / 1000
}
