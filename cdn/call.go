package cdn

import (
	"context"
	"fmt"
)

// call sends op until it succeeds, or until retrier.next decides against
// another attempt. The answer is decoded into resp.
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

// queued is the error of a call that waited in the client's own queue for most
// of its time. It says nothing about the service.
type queued struct{ error }

func (q queued) Unwrap() error { return q.error }

// interrupted returns the error of a call whose context has ended. It wraps the
// error of the last attempt that failed before. If what is not empty, it
// describes what the context interrupted.
func (r *retrier) interrupted(ctx context.Context, what string) error {
	if what != "" {
		what = ": " + what
	}
	if r.last == nil {
		err := fmt.Errorf("cdn: %w%s", contextError(ctx), what)
		if r.queued > r.sending {
			return queued{err}
		}
		return err
	}
	last := *r.last // OnAttempt may have kept the original
	last.Attempts = r.attempts
	return fmt.Errorf("cdn: %w%s; before that: %w", contextError(ctx), what, &last)
}
