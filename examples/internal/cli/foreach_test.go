package cli

import (
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
			ForEach(workers, items, func(item int) {
				time.Sleep(time.Second) // virtual
				sum.Add(int64(item))
			})
			assert.Equal(t, want, time.Since(start))
			assert.Equal(t, int64(78), sum.Load(), "each once")
		})
	}
}
