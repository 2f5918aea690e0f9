package cdn

import (
	"context"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// sleep waits, or returns when ctx ends. It reports whether ctx has not ended.
func sleep(ctx context.Context, wait time.Duration) bool {
	if wait == 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// newPauses returns the growing pauses of a loop that asks the CDN or its edge
// servers until something is in force.
func newPauses() *backoff.ExponentialBackOff {
	pauses := &backoff.ExponentialBackOff{
		InitialInterval: time.Second, Multiplier: 1.5, MaxInterval: 15 * time.Second, RandomizationFactor: 0.2,
	}
	pauses.Reset()
	return pauses
}
