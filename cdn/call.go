package cdn

import (
	"context"
	"fmt"
	"time"
)

// call sends op until it is answered or there is no use in another attempt.
// The answer is decoded into resp.
func (c *Client) call(ctx context.Context, op operation, resp response) error {
	if op.Format == "" {
		op.Format = c.options.Format
	}
	r := retrier{client: c, op: op}
	if err := r.start(ctx); err != nil {
		return err
	}
	for {
		a, err := r.attempt(ctx, resp) // err: the call is over
		if err != nil {
			return err
		}
		wait, again := r.next(ctx, a)
		r.watch(ctx, a, wait)
		switch {
		case a.failed == nil:
			return nil
		case !again:
			return a.failed
		case !sleep(ctx, wait):
			return r.interrupted(ctx, "")
		}
	}
}

// interrupted returns the error of a call whose context has ended, with that
// of the last attempt that failed by itself. What says what was going on; it
// may be empty.
func (r *retrier) interrupted(ctx context.Context, what string) error {
	if what != "" {
		what = ": " + what
	}
	if r.last == nil {
		return fmt.Errorf("cdn: %w%s", contextError(ctx), what)
	}
	last := *r.last // an observer may have the original
	last.Attempts = r.attempts
	return fmt.Errorf("cdn: %w%s; before that: %w", contextError(ctx), what, &last)
}

// sleep waits. It reports whether ctx lived to the end of it.
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
