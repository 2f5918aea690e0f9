package cdn

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/cdncsr/cdncsr/signer"
)

// The backoff doubles from firstWait to maxWait, with a jitter of half of each
// wait. A wait that the service asks for is used instead; see retryWait.
const (
	firstWait = 100 * time.Millisecond
	maxWait   = 20 * time.Second
)

// A retrier makes the attempts of one call, and decides whether and when there
// is another.
type retrier struct {
	client  *Client
	op      operation
	creds   signer.Credentials
	refused signer.Credentials // those that a renewal replaced, if any

	attempts       int                         // requests sent
	last           *Error                      // of the last attempt that failed by itself
	backoff        *backoff.ExponentialBackOff // nil before the first wait
	cost           int                         // what the last retry took from the budget
	clockCorrected bool                        // for this call
	renewed        bool                        // the credentials were, for this call
	queued         time.Duration               // how long the call waited for turns and connections
	sending        time.Duration               // how long its attempts took
}

// start fetches the credentials of the call.
func (r *retrier) start(ctx context.Context) error {
	if ctx.Err() != nil {
		return r.interrupted(ctx, "")
	}
	var failed *Error
	if r.creds, failed = usable(r.client.credentials(ctx)); failed == nil {
		return nil
	}
	failed.Action, failed.otherAPI = r.op.Action, r.op.isOtherAPI()
	if ctx.Err() != nil {
		failed.kind = ErrUnavailable // whatever the source says: it took too long
		return fmt.Errorf("cdn: %w: %w", contextError(ctx), failed)
	}
	return failed
}

// next reports whether there is another attempt after a, and how long to wait
// before it. If the error alone does not show why there is none, its note does.
func (r *retrier) next(ctx context.Context, a attempt) (wait time.Duration, again bool) {
	if a.failed == nil {
		r.client.budget.giveBack(r.cost)
		return 0, false
	}
	r.last = a.failed
	useful := r.isUseful(ctx, a) // also after the last attempt: it may correct the clock, or renew the token
	if !useful || r.attempts >= r.client.options.MaxAttempts && ctx.Err() == nil {
		return 0, false
	}
	if isCorrected(a.code) {
		return 0, true
	}
	wait, a.failed.note = r.retryWait(ctx, a)
	return wait, a.failed.note == ""
}

// isCorrected reports whether signing anew corrects what a code complains of,
// so that the next attempt need not wait.
func isCorrected(code string) bool {
	return strings.EqualFold(code, codeNonceUsed) || strings.EqualFold(code, codeTimestampExpired) ||
		strings.EqualFold(code, codeTokenExpired)
}

// isUseful reports whether another attempt may succeed where a failed.
func (r *retrier) isUseful(ctx context.Context, a attempt) bool {
	switch {
	case strings.EqualFold(a.code, codeNonceUsed):
		return true
	case strings.EqualFold(a.code, codeTimestampExpired):
		return r.correctClock(a)
	case strings.EqualFold(a.code, codeTokenExpired):
		hasAttempt := r.attempts < r.client.options.MaxAttempts
		return (hasAttempt || r.client.refresh != nil) && r.renewCredentials(ctx)
	case a.final:
		return false
	}
	return errors.Is(a.failed, ErrUnavailable) || errors.Is(a.failed, ErrThrottled)
}

// retryWait returns how long to wait before the next attempt, or why there is
// none. The service's own wait, see retryAfter, comes before the backoff; a
// wait that is longer than maxWait or passes the deadline is left to the
// caller.
func (r *retrier) retryWait(ctx context.Context, a attempt) (wait time.Duration, whyNot string) {
	if ctx.Err() != nil {
		return 0, "" // sleep returns at once
	}
	wait = a.failed.RetryAfter
	if wait == 0 {
		wait = r.nextBackoff()
	}
	if wait > maxWait {
		return 0, fmt.Sprintf("not tried again: a wait of more than %s is left to the caller", maxWait)
	}
	if deadline, ok := ctx.Deadline(); ok && !time.Now().Add(wait).Before(deadline) {
		return 0, "not tried again: the wait would pass the context's deadline"
	}
	cost, ok := r.client.budget.take(a.timedOut)
	if !ok {
		return 0, "not tried again: too many of this client's calls fail, its retry budget is used up"
	}
	r.cost = cost
	return wait, ""
}

func (r *retrier) nextBackoff() time.Duration {
	if r.backoff == nil {
		r.backoff = &backoff.ExponentialBackOff{
			InitialInterval: firstWait, Multiplier: 2, MaxInterval: maxWait,
			RandomizationFactor: backoff.DefaultRandomizationFactor,
		}
		r.backoff.Reset()
	}
	return min(r.backoff.NextBackOff(), maxWait)
}

// correctClock sets the clock by the service's answer, at most once a call. It
// reports whether the time that was sent was wrong.
func (r *retrier) correctClock(a attempt) bool {
	if r.clockCorrected {
		return false
	}
	r.clockCorrected = r.client.clock.correct(a.date, a.signedFor)
	return r.clockCorrected
}

// renewCredentials asks the source for other credentials, at most once a call.
// It reports whether it got some.
func (r *retrier) renewCredentials(ctx context.Context) bool {
	if r.renewed {
		return false
	}
	r.renewed = true
	creds, failed := usable(r.refresh(ctx))
	if ctx.Err() != nil {
		return true // sleep returns at once, and the call ends with the context's error
	}
	if failed != nil {
		secrets := secretsOf(r.op, nil, r.creds)
		failed.causes[0] = secrets.redactError(failed.causes[0])
		r.last.causes = append(r.last.causes, failed)
		r.last.note = secrets.redact(oneLine(failed.Message))
		failed.Message = r.last.note
		return false
	}
	if creds == r.creds {
		return false
	}
	r.creds, r.refused = creds, r.creds
	return true
}

// refresh asks the source for credentials other than those of r.
func (r *retrier) refresh(ctx context.Context) (signer.Credentials, error) {
	if r.client.refresh != nil {
		return r.client.refresh(ctx, r.creds)
	}
	return r.client.credentials(ctx)
}

// clock is this machine's clock, corrected by the service's. The zero value is
// not corrected.
type clock struct{ ahead atomic.Int64 } // nanoseconds that the service is ahead

// minSkew is the smallest difference that is corrected. The service refuses a
// time that is 15 minutes away.
const minSkew = time.Minute

func (c *clock) now() time.Time { return time.Now().Add(time.Duration(c.ahead.Load())) }

// correct sets the clock by date, the service's time in its answer to a request
// that was signed for the time sent. It reports whether the two differ by more
// than minSkew. A zero date corrects nothing.
func (c *clock) correct(date, sent time.Time) bool {
	if date.IsZero() || date.Sub(sent).Abs() <= minSkew {
		return false
	}
	c.ahead.Store(int64(time.Until(date)))
	return true
}

// budget bounds the retries of all calls of a client together, so that they
// don't multiply the load during an outage: a retry takes tokens, and a call
// that succeeds gives them back. It is the retry quota of AWS's SDKs. The zero
// value is full.
type budget struct {
	mu    sync.Mutex
	spent int
}

const (
	budgetSize  = 500
	retryCost   = 5
	timeoutCost = 10 // a retry after a time-out may keep its connection for long
	successGain = 1  // for a call that needed no retry
)

// take takes the cost of a retry. It reports whether enough was left.
func (b *budget) take(timedOut bool) (cost int, ok bool) {
	cost = retryCost
	if timedOut {
		cost = timeoutCost
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.spent+cost > budgetSize {
		return 0, false
	}
	b.spent += cost
	return cost, true
}

// giveBack returns what the last retry of a call that succeeded took; zero for
// a call that needed none.
func (b *budget) giveBack(cost int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.spent = max(0, b.spent-max(cost, successGain))
}
