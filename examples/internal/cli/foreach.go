package cli

import (
	"context"
	"sync"
)

// ForEach calls f for each item, in their order, from as many goroutines as
// there are workers. It returns once all calls have. Once ctx has ended, it
// starts no further call.
func ForEach[T any](ctx context.Context, workers int, items []T, f func(T)) {
	queue := make(chan T, len(items))
	for _, item := range items {
		queue <- item
	}
	close(queue)
	var group sync.WaitGroup
	for range workers {
		group.Go(func() {
			for item := range queue {
				if ctx.Err() == nil {
					f(item)
				}
			}
		})
	}
	group.Wait()
}
