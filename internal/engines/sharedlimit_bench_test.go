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
// the engine: the same statement, with a time-out, without a Limiter. The two
// alternate, and their medians are reported, so that other work on the machine
// hits both.
func BenchmarkWait(b *testing.B) {
	for _, e := range turnsEngines {
		b.Run(e.name, func(b *testing.B) {
			engine, driver := e.start(b), e.drivers[0]
			driver.create(b, engine)
			turns := driver.connect(b, engine.DSN(engines.Access{}))
			trip, limiter := turns("trip"), &sharedlimit.Limiter{Turns: turns("wait"), Rate: 1_000_000}
			ctx := b.Context()
			var trips, waits []time.Duration
			for b.Loop() {
				begin := time.Now()
				timed, cancel := context.WithTimeout(ctx, time.Second)
				_, ok, err := trip.Take(timed, 1, time.Microsecond, time.Second)
				cancel()
				between := time.Now()
				require.NoError(b, err)
				require.True(b, ok)
				waiting := time.Now()
				err = limiter.Wait(ctx)
				end := time.Now()
				require.NoError(b, err)
				trips, waits = append(trips, between.Sub(begin)), append(waits, end.Sub(waiting))
			}
			slices.Sort(trips)
			slices.Sort(waits)
			median := len(trips) / 2
			b.ReportMetric(float64(trips[median].Microseconds()), "µs/trip")
			b.ReportMetric(float64(waits[median].Microseconds()), "µs/Wait")
			b.ReportMetric(float64(waits[median])/float64(trips[median]), "trips/Wait")
		})
	}
}
