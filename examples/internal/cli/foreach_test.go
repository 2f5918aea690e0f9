package cli

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestForEach_SoManyAtATime(t *testing.T) {
	for workers, want := range map[int]time.Duration{1: 12 * time.Second, 3: 4 * time.Second, 20: time.Second} {
		synctest.Test(t, func(t *testing.T) {
			items := []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}
			var sum atomic.Int64
			start := time.Now()
			ForEach(t.Context(), workers, items, func(item int) {
				time.Sleep(time.Second) // virtual
				sum.Add(int64(item))
			})
			assert.Equal(t, want, time.Since(start))
			assert.Equal(t, int64(78), sum.Load(), "each once")
		})
	}
}

func TestForEach_StartsNoCallOnceItsContextHasEnded(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	var done []int
	ForEach(ctx, 1, []int{1, 2, 3}, func(item int) {
		done = append(done, item)
		if item == 2 {
			cancel()
		}
	})
	assert.Equal(t, []int{1, 2}, done)
}
