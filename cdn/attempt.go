package cdn

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
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
	failed    *Error    // nil if it was answered
	ended     error     // the context's, if that ended the attempt
	code      string    // as the service wrote it; in failed it is without secrets
	date      time.Time // when the service answered, by its own clock; zero if it did not say
	timedOut  bool
	final     bool // another attempt would fail alike
}

// attempt sends the request once, when the limiter and the connections allow
// it. An error means that the call is over: its context has ended, or the
// limiter or the signer refused, or resp can't hold the answer.
func (r *retrier) attempt(ctx context.Context, resp response) (attempt, error) {
	if err := r.client.limiter(r.op).Wait(ctx); err != nil {
		return attempt{}, r.limited(ctx, err)
	}
	if r.client.slots.acquire(ctx) != nil {
		return attempt{}, r.interrupted(ctx, "all connections to "+r.client.endpoint.Host+" are busy")
	}
	defer r.client.slots.release()
	limited, cancel := context.WithTimeout(ctx, r.client.options.AttemptTimeout)
	defer cancel()
	input := signer.Input{Credentials: r.creds, Time: r.client.clock.now(), Nonce: rand.Text()}
	req, err := r.sign(limited, input)
	if err != nil {
		return attempt{}, err
	}
	r.attempts++
	a := attempt{number: r.attempts, signedFor: input.Time, start: time.Now()}
	body := r.client.buffers.get()
	defer r.client.buffers.put(body)
	answer := exchange(r.client.send, req, body)
	a.duration, a.status = time.Since(a.start), answer.status
	if answer.err != nil && ctx.Err() != nil {
		a.ended = contextError(ctx)
		r.watch(ctx, a, 0)
		return attempt{}, r.interrupted(ctx, fmt.Sprintf("attempt %d had no answer from %s within %s",
			a.number, r.client.endpoint.Host, a.duration.Round(time.Millisecond)))
	}
	a.requestID, err = answer.read(&a, resp, r.op.Action, r.client.endpoint.Host)
	if err != nil {
		return attempt{}, fmt.Errorf("cdn: %s: %w", r.op.Action, err)
	}
	if a.failed != nil {
		r.complete(&a, answer, limited, req, input)
	}
	return a, nil
}

// complete finds out the rest of what there is to say about an attempt that
// failed, and takes the secrets out of it.
func (r *retrier) complete(a *attempt, answer answer, limited context.Context, req *http.Request, input signer.Input) {
	failed := a.failed
	if answer.err != nil && limited.Err() != nil {
		a.timedOut = true
		failed.Message = fmt.Sprintf("no answer within %s from %s", r.client.options.AttemptTimeout, r.client.endpoint.Host)
	}
	if a.timedOut && r.client.own != nil {
		r.client.own.CloseIdleConnections() // they may be as dead as the one that was used
	}
	if answer.endedByContext() {
		failed.causes = nil // the context's errors are for the end of the caller's
	}
	a.code, a.date = failed.Code, answer.date()
	a.final = a.final || ruleOf(failed.Code).final
	if strings.EqualFold(failed.Code, codeWrongSignature) || strings.EqualFold(failed.Code, codeBadSignature) {
		failed.Message = diagnose(failed.Message, r.client.options.Signer, r.client.endpoint, r.op.Call, input)
	}
	failed.kind = failed.sentinel() // a code may lose a part that is a credential's value too
	failed.Action, failed.Attempts, failed.otherAPI = r.op.Action, a.number, r.op.isOtherAPI()
	secrets := secretsOf(r.op, req, r.creds, r.refused)
	for _, text := range []*string{&failed.Code, &failed.Message, &failed.RequestId, &failed.HostId, &failed.Recommend} {
		*text = secrets.redact(*text)
	}
	for i, cause := range failed.causes {
		failed.causes[i] = secrets.redactError(cause)
	}
	a.requestID = failed.RequestId
}

// limited returns the error of a limiter that did not let an attempt through:
// the context has ended, or would have.
func (r *retrier) limited(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return r.interrupted(ctx, "")
	}
	limited := &Error{
		Action: r.op.Action, kind: ErrThrottled, Message: "limiter: " + err.Error(), Attempts: r.attempts, causes: []error{err},
	}
	if r.last != nil {
		limited.causes = append(limited.causes, r.last)
	}
	return limited
}

// sign returns the request of one attempt.
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

// secretInURL returns the name of a secret parameter that is in the URL of req,
// by its name or in any form of its value, or "".
func (op operation) secretInURL(req *http.Request) string {
	for _, name := range op.secrets {
		value := secrets{values: []string{op.Params[name]}}
		if req.URL.Query().Has(name) || value.in(req.URL.String()) {
			return name
		}
	}
	return ""
}

// An answer is what came back for a request.
type answer struct {
	status int // zero if no headers came
	header http.Header
	body   []byte
	err    error // of sending, or of reading the body; without the URL
}

// exchange sends req and reads the answer into body.
func exchange(send func(*http.Request) (*http.Response, error), req *http.Request, body *bodyBuffer) answer {
	resp, err := send(req)
	if err != nil {
		return answer{err: withoutURL(err)}
	}
	defer func() { _ = resp.Body.Close() }() // everything that was wanted has been read
	if err = body.read(resp); err != nil {
		err = withoutURL(err)
	}
	return answer{status: resp.StatusCode, header: resp.Header, body: body.Bytes(), err: err}
}

// read decodes the answer into resp, or says in a.failed what it is instead.
// The error is that of a value that can't hold the answer.
func (ans answer) read(a *attempt, resp response, action, host string) (requestID string, err error) {
	requestID = ans.header.Get("x-acs-request-id")
	if ans.err != nil {
		a.timedOut = isTimeout(ans.err)
		a.failed = &Error{StatusCode: ans.status, RequestId: requestID, causes: []error{ans.err}}
		a.failed.Message, a.final = unreachable(ans.err, host)
		return requestID, nil
	}
	e, err := resp.decode(ans.body, action)
	if errors.Is(err, errValue) {
		return "", err
	}
	if e.RequestId != "" {
		requestID = strings.TrimSpace(string(e.RequestId)) // one page's sample ends in a line end
		if resp.id != nil {
			*resp.id = requestID // as text, whatever its type was
		}
	}
	code := strings.TrimSpace(string(e.Code))
	isAnswer := err == nil && ans.status/100 != 3 // who redirects is not this API, whatever it says
	switch {
	case isAnswer && ans.status/100 == 2 && !e.isError() && resp.isComplete():
		if resp.id != nil {
			*resp.id = requestID
		}
		return requestID, nil
	case isAnswer && code != "":
		a.failed = &Error{
			StatusCode: ans.status, Code: code, Message: string(e.Message),
			RequestId: requestID, HostId: string(e.HostId), Recommend: string(e.Recommend),
		}
	default:
		a.failed = &Error{StatusCode: ans.status, RequestId: requestID, Message: ans.whatItIs(resp, host, isAnswer && e.RequestId != "")}
	}
	a.failed.RetryAfter = retryAfter(ans.header, ans.now(), a.failed.Is(ErrThrottled))
	resp.reset()
	return requestID, nil
}

// whatItIs describes an answer that is not the API's, or not a whole one.
func (ans answer) whatItIs(resp response, host string, identified bool) string {
	switch {
	case ans.status/100 == 3:
		return host + " redirected, which is not followed: check the endpoint"
	case len(ans.body) == 0:
		return host + " gave an empty answer"
	case identified && resp.mark != nil:
		return "the answer has no " + resp.markName
	}
	return fmt.Sprintf("%s gave %d bytes of content type %q, not an answer of this API: check the endpoint, and whether a proxy is between",
		host, len(ans.body), ans.header.Get("Content-Type"))
}

// date returns when the service answered, by its own clock; zero if it did not
// say.
func (ans answer) date() time.Time {
	date, _ := http.ParseTime(ans.header.Get("Date")) // zero after an error
	return date
}

// now returns the service's time, or this machine's if the service did not say.
func (ans answer) now() time.Time {
	if date := ans.date(); !date.IsZero() {
		return date
	}
	return time.Now()
}

func (ans answer) endedByContext() bool {
	return errors.Is(ans.err, context.DeadlineExceeded) || errors.Is(ans.err, context.Canceled)
}

func isTimeout(err error) bool {
	timeout, ok := errors.AsType[net.Error](err)
	return ok && timeout.Timeout()
}

// unreachable describes why there was no answer. It reports whether that is
// final, since it is the endpoint that is wrong.
func unreachable(err error, host string) (message string, final bool) {
	_, untrusted := errors.AsType[*tls.CertificateVerificationError](err)
	notTLS, isPlain := errors.AsType[tls.RecordHeaderError](err)
	dns, isDNS := errors.AsType[*net.DNSError](err)
	switch {
	case untrusted:
		return host + " has a certificate that is not trusted: " + err.Error() +
			"; check the endpoint, this machine's roots, and whether a proxy intercepts TLS", true
	case isPlain && notTLS.Conn != nil, errors.Is(err, http.ErrSchemeMismatch):
		return host + " does not speak TLS: check the endpoint's scheme and port", false
	case isDNS && dns.IsNotFound:
		return host + " is not known to the DNS: check the endpoint", false
	}
	return host + ": " + err.Error(), false
}
