package cdn

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/cdncsr/cdncsr/csr"
	"github.com/cdncsr/cdncsr/signer"
)

// Backoff grows from firstWait to maxWait, each wait half to one and a half of its step. What the service asks for is
// taken instead, unless it is longer than maxWait.
const (
	firstWait = 100 * time.Millisecond
	maxWait   = 20 * time.Second
)

// A call is one call of the operation: its attempts one after the other, and what they have told so far.
type call struct {
	client  *Client
	signed  signer.Call
	creds   signer.Credentials
	expired signer.Credentials // those before a renewal; empty without one

	attempts  int                         // requests sent
	last      *failure                    // of the last attempt that failed by itself; nil before there was one
	judged    bool                        // that was the very last attempt: it was not ended by the context
	waits     *backoff.ExponentialBackOff // nil before the first wait
	cost      int                         // what the last retry took from the budget
	corrected bool                        // the clock was, for this call
	renewed   bool                        // the credentials were, for this call
}

// do sends attempts until one is answered or there is no use in another.
func (k *call) do(ctx context.Context) (*csr.Response, error) {
	if ctx.Err() != nil {
		return nil, k.ended(ctx)
	}
	var err error
	if k.creds, err = askCredentials(ctx, k.client.credentials); err != nil {
		return nil, err
	}
	for {
		if err := k.client.options.Limiter.Wait(ctx); err != nil {
			return nil, k.limited(ctx, err)
		}
		input := signer.Input{Credentials: k.creds, Time: k.client.clock.now(), Nonce: rand.Text()}
		attempt, resp, err := k.attempt(ctx, input)
		if err != nil {
			return nil, err
		}
		again := false
		if k.judged {
			attempt.Wait, again = k.next(ctx, input)
		}
		k.client.watch(ctx, attempt, k.creds)
		switch {
		case resp != nil:
			k.client.budget.succeeded(k.cost)
			return resp, nil
		case k.judged && !again:
			return nil, k.last.err
		case !k.judged || !sleep(ctx, attempt.Wait):
			return nil, k.ended(ctx)
		}
	}
}

// next tells whether there is to be another attempt after k.last, and how long to wait for it. Where the reason against one
// is not plain from the error, it is noted there.
func (k *call) next(ctx context.Context, input signer.Input) (wait time.Duration, again bool) {
	err, code := k.last.err, k.last.code
	if k.attempts >= k.client.options.MaxAttempts {
		return 0, false
	}
	switch {
	case strings.EqualFold(code, codeNonceUsed):
		return 0, true
	case strings.EqualFold(code, codeTimestampExpired):
		return 0, k.correctClock(input.Time)
	case strings.EqualFold(code, codeTokenExpired):
		return 0, k.renewCredentials(ctx)
	case !errors.Is(err, ErrUnavailable) && !errors.Is(err, ErrThrottled):
		return 0, false
	}
	wait, err.note = k.retryWait(ctx)
	return wait, err.note == ""
}

// retryWait is how long to wait before k.last is tried again, or why it is not.
func (k *call) retryWait(ctx context.Context) (wait time.Duration, against string) {
	if ctx.Err() != nil {
		return 0, "" // which the wait finds out
	}
	wait = k.last.err.RetryAfter
	if wait == 0 {
		wait = k.backoff()
	}
	if wait > maxWait {
		return 0, fmt.Sprintf("not tried again: a wait of more than %s is left to the caller", maxWait)
	}
	if deadline, ok := ctx.Deadline(); ok && !time.Now().Add(wait).Before(deadline) {
		return 0, "not tried again: the wait would pass the context's deadline"
	}
	cost, ok := k.client.budget.take(k.last.timedOut)
	if !ok {
		return 0, "not tried again: too many of this client's calls fail, its retry budget is used up"
	}
	k.cost = cost
	return wait, ""
}

func (k *call) backoff() time.Duration {
	if k.waits == nil {
		k.waits = &backoff.ExponentialBackOff{
			InitialInterval: firstWait, Multiplier: 2, MaxInterval: maxWait,
			RandomizationFactor: backoff.DefaultRandomizationFactor,
		}
		k.waits.Reset()
	}
	return min(k.waits.NextBackOff(), maxWait)
}

// correctClock takes the service's time from its answer, once a call, if it is far enough from the time that was sent.
func (k *call) correctClock(sent time.Time) bool {
	if k.corrected {
		return false
	}
	k.corrected = k.client.clock.correct(k.last.date, sent)
	return k.corrected
}

// renewCredentials asks the source again, once a call, and tells whether it has others now.
func (k *call) renewCredentials(ctx context.Context) bool {
	if k.renewed {
		return false
	}
	k.renewed = true
	creds, err := askCredentials(ctx, k.client.credentials)
	if err != nil {
		secrets := secretsOf(nil, k.creds)
		k.last.err.causes = append(k.last.err.causes, secrets.cleanError(err))
		k.last.err.note = "the credential source was asked again: " + secrets.clean(oneLine(err.Error()))
		return false
	}
	if creds == k.creds {
		return false
	}
	k.creds, k.expired = creds, k.creds
	return true
}

// limited is the error of a limiter that did not let an attempt through: the context has ended, or would have.
func (k *call) limited(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return k.ended(ctx)
	}
	limited := &Error{kind: ErrThrottled, Message: "limiter: " + err.Error(), Attempts: k.attempts, causes: []error{err}}
	if k.last != nil {
		limited.causes = append(limited.causes, k.last.err)
	}
	return limited
}

// ended is the error of a call whose context has ended; it keeps that of the last attempt.
func (k *call) ended(ctx context.Context) error {
	if k.last == nil {
		return fmt.Errorf("cdn: %w", ctx.Err())
	}
	return fmt.Errorf("cdn: %w; before that: %w", ctx.Err(), k.last.err)
}

// sleep waits and tells whether ctx lived to the end of it.
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
