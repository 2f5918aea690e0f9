package sharedlimit_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/cdn/sharedlimit"
)

// freeTurns are an engine that has a free turn at once.
type freeTurns struct{}

func (freeTurns) Take(context.Context, int, time.Duration, time.Duration) (time.Duration, bool, error) {
	return 0, true, nil
}

// BenchmarkWait is what a Wait costs beside the engine's round trip.
func BenchmarkWait(b *testing.B) {
	limiter := &sharedlimit.Limiter{Turns: freeTurns{}, Rate: 1_000_000}
	b.ReportAllocs()
	for b.Loop() {
		require.NoError(b, limiter.Wait(b.Context()))
	}
}
