package cdn

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/cdncsr/cdncsr/csr"
	"github.com/cdncsr/cdncsr/signer"
)

// An attempt is one signed request and what came of it.
type attempt struct {
	number    int
	signedFor time.Time
	start     time.Time
	duration  time.Duration
	status    int // zero without an answer
	requestID string
	failed    *Error    // nil if it succeeded
	callErr   error     // what ended the call: the context's error, or that of a value that can't hold the answer
	code      string    // as the service wrote it; in failed it is without secrets
	date      time.Time // when the service answered, by its own clock; zero if it did not say
	timedOut  bool      // AttemptTimeout or a time-out of the transport ended it
	final     bool      // another attempt would fail alike
}

// attempt sends the request once, when the limiter and the connections allow
// it. An error means that the call is over: its context has ended, or the
// limiter or the signer refused, or resp can't hold the answer.
func (r *retrier) attempt(ctx context.Context, resp response) (attempt, error) {
	start := time.Now()
	err := r.client.limiters.of(r.op.Call).wait(ctx, r.client.slots)
	r.queued += time.Since(start)
	if err != nil {
		return attempt{}, r.waitError(ctx, err)
	}
	a, err := r.send(ctx, resp)
	if a.callErr != nil {
		r.watch(ctx, a, 0)
	}
	return a, err
}

// waitError returns the error of a call that got no connection or no turn of
// its limiter: the context has ended, or would end before the turn comes.
func (r *retrier) waitError(ctx context.Context, err error) error {
	if errors.Is(err, errBusy) {
		return r.interrupted(ctx, "all connections to "+r.client.endpoint.Host+" are busy")
	}
	if ctx.Err() != nil {
		return r.interrupted(ctx, "no turn came to send to "+r.client.endpoint.Host)
	}
	failed := &Error{
		Action: r.op.Action, Message: "limiter: " + err.Error(), Attempts: r.attempts,
		kind: ErrThrottled, causes: []error{err},
	}
	if r.last != nil {
		failed.causes = append(failed.causes, r.last)
	}
	return failed
}

// send signs the request, sends it, and reads the answer into resp, all within
// AttemptTimeout. It gives back the connection's slot, before an observer is
// called that may make calls of its own.
func (r *retrier) send(ctx context.Context, resp response) (attempt, error) {
	defer r.client.slots.release()
	attemptCtx, cancel := context.WithTimeout(ctx, r.client.options.AttemptTimeout)
	defer cancel()
	input := signer.Input{Credentials: r.creds, Time: r.client.clock.now(), Nonce: rand.Text()}
	req, err := r.sign(attemptCtx, input)
	if err != nil {
		return attempt{}, err
	}
	r.attempts++
	a := attempt{number: r.attempts, signedFor: input.Time, start: time.Now()}
	body := r.client.buffers.get()
	defer r.client.buffers.put(body)
	used := r.client.connections.Load()
	got := exchange(used.send, req, body)
	a.duration, a.status = time.Since(a.start), got.status
	r.sending += a.duration
	a.timedOut = isTimeout(got.err) || got.err != nil && attemptCtx.Err() != nil
	if a.timedOut && (ctx.Err() == nil || a.duration >= silence) {
		r.client.leave(used)
	}
	if got.err != nil && ctx.Err() != nil {
		a.callErr = contextError(ctx)
		return a, r.interrupted(ctx, fmt.Sprintf("attempt %d had no answer from %s within %s",
			a.number, r.client.endpoint.Host, a.duration.Round(time.Millisecond)))
	}
	a.requestID, a.failed, err = got.read(resp, r.op.Action, r.client.endpoint.Host)
	switch {
	case err != nil:
		secrets := secretsOf(r.op, req, r.creds, r.refused)
		a.callErr = fmt.Errorf("cdn: %s: %w", r.op.Action, secrets.redactError(err))
		return a, a.callErr
	case a.failed != nil:
		r.completeFailure(attemptCtx, &a, got, input)
		r.redact(a.failed, req)
		a.requestID = a.failed.RequestId
	}
	return a, nil
}

// sign returns the signed request of an attempt. It refuses to put a secret
// into the URL.
func (r *retrier) sign(ctx context.Context, input signer.Input) (*http.Request, error) {
	req, err := r.client.options.Signer.Sign(ctx, r.client.endpoint, r.op.Call, input)
	if err == nil && (req == nil || req.URL == nil || req.Header == nil) {
		err = errors.New("the signer returned no request")
	}
	if err != nil {
		return nil, fmt.Errorf("cdn: sign: %w", secretsOf(r.op, nil, r.creds, r.refused).redactError(err))
	}
	if name := r.op.secretInURL(req); name != "" {
		return nil, csr.FieldErrors{{
			Field: name, Reason: "would be sent in the URL, which proxies and servers log; sign with signer.RPC{}",
		}}.Err()
	}
	req.Header["User-Agent"] = r.client.userAgent
	return req, nil
}

// completeFailure fills in what answer.read does not know about a failed
// attempt, whose context was ctx.
func (r *retrier) completeFailure(ctx context.Context, a *attempt, answer answer, input signer.Input) {
	failed := a.failed
	if answer.err != nil && ctx.Err() != nil {
		failed.Message = fmt.Sprintf("no answer within %s from %s",
			r.client.options.AttemptTimeout, r.client.endpoint.Host)
	}
	if answer.endedByContext() {
		failed.causes = nil // an error matches a context's error only if the caller's context ended
	}
	known, _ := ruleOf(failed.Code)
	a.code, a.date = failed.Code, answer.date()
	a.final = isUntrusted(answer.err) || known.final
	if strings.EqualFold(failed.Code, codeWrongSignature) || strings.EqualFold(failed.Code, codeBadSignature) {
		failed.Message = signatureMismatch(failed.Message, r.client.options.Signer, r.client.endpoint, r.op.Call, input)
	}
	failed.Action, failed.Attempts, failed.otherAPI = r.op.Action, a.number, r.op.isOtherAPI()
}

// redact takes the secrets of the call and of req out of failed.
func (r *retrier) redact(failed *Error, req *http.Request) {
	failed.kind = failed.sentinel() // Code may lose a part that is a credential's value too
	secrets := secretsOf(r.op, req, r.creds, r.refused)
	for _, text := range []*string{
		&failed.Code, &failed.Message, &failed.RequestId, &failed.HostId, &failed.Recommend,
	} {
		*text = secrets.redact(*text)
	}
	for i, cause := range failed.causes {
		failed.causes[i] = secrets.redactError(cause)
	}
}
