package cdn_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/cdn"
)

// TestLimiter_TurnBeforeTheDeadlineIsWaitedFor has callers whose turns come one
// millisecond before their deadlines, behind lines of several lengths.
func TestLimiter_TurnBeforeTheDeadlineIsWaitedFor(t *testing.T) {
	const interval = 10 * time.Millisecond // of 100 calls a second
	for _, line := range []int{1, 2, 10} {
		synctest.Test(t, func(t *testing.T) {
			client := quickClient(t, cdn.Options{})
			var group sync.WaitGroup
			for range line {
				group.Go(func() {
					_, err := client.CreateCdnCertificateSigningRequest(t.Context(), request)
					assert.NoError(t, err)
				})
			}
			start := time.Now()
			synctest.Wait() // the first has had its turn
			ctx, cancel := context.WithTimeout(t.Context(), time.Duration(line)*interval+time.Millisecond)
			defer cancel()
			_, err := client.CreateCdnCertificateSigningRequest(ctx, request)
			require.NoError(t, err, "behind %d", line)
			require.Equal(t, time.Duration(line)*interval, time.Since(start), "behind %d", line)
			group.Wait()
		})
	}
}
