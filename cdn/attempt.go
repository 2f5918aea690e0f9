package cdn

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/cdncsr/cdncsr/csr"
	"github.com/cdncsr/cdncsr/signer"
)

// A failure is an attempt that was not answered with a CSR.
type failure struct {
	err      *Error
	code     string    // as the service wrote it; in err it is without secrets
	date     time.Time // when the service answered, by its own clock; zero if it did not say
	timedOut bool
}

// attempt sends the call once. Without a response k.last tells why, unless ctx has ended: then k.last stays that of the
// attempt before. The error is one of signing, after which nothing was sent.
func (k *call) attempt(ctx context.Context, input signer.Input) (Attempt, *csr.Response, error) {
	limited, cancel := context.WithTimeout(ctx, k.client.options.AttemptTimeout)
	defer cancel()
	req, err := k.sign(limited, input)
	if err != nil {
		return Attempt{}, nil, err
	}
	k.attempts++
	k.judged = false
	start := time.Now()
	body := k.client.bodies.take()
	defer k.client.bodies.put(body)
	got := exchange(k.client.send, req, body)
	attempt := Attempt{Number: k.attempts, Start: start, Duration: time.Since(start), StatusCode: got.status}

	resp, failed := got.read()
	if failed == nil {
		attempt.RequestId = resp.RequestId
		return attempt, resp, nil
	}
	if got.err != nil && ctx.Err() != nil {
		attempt.Err = ctx.Err()
		k.last = k.last.after(k.attempts)
		return attempt, nil, nil
	}
	if got.err != nil && limited.Err() != nil {
		failed.Message = "no answer within " + k.client.options.AttemptTimeout.String()
	}
	if got.endedByContext() {
		failed.causes = nil // the context's errors are for the end of the caller's
	}
	code := failed.Code
	k.explain(failed, req, input)
	failed.Attempts = k.attempts
	k.judged = true
	k.last = &failure{err: failed, code: code, date: got.date(), timedOut: got.timedOut()}
	attempt.Code, attempt.RequestId, attempt.Err = failed.Code, failed.RequestId, failed
	return attempt, nil, nil
}

// after is f, whose error others have by now, as the last of so many attempts. A nil f stays nil.
func (f *failure) after(attempts int) *failure {
	if f == nil {
		return nil
	}
	last, err := *f, *f.err
	err.Attempts = attempts
	last.err = &err
	return &last
}

// sign is the request of one attempt.
func (k *call) sign(ctx context.Context, input signer.Input) (*http.Request, error) {
	req, err := k.client.options.Signer.Sign(ctx, k.client.endpoint, k.signed, input)
	if err == nil && (req == nil || req.URL == nil || req.Header == nil) {
		err = errors.New("the signer returned no request: it must return one or an error")
	}
	if err != nil {
		return nil, fmt.Errorf("cdn: sign: %w", secretsOf(nil, k.creds, k.expired).cleanError(err))
	}
	req.Header["User-Agent"] = k.client.userAgent
	return req, nil
}

// explain finds out what a refused signature differs in, and takes everything secret out of the failure's texts.
func (k *call) explain(failed *Error, req *http.Request, input signer.Input) {
	if strings.EqualFold(failed.Code, codeWrongSignature) || strings.EqualFold(failed.Code, codeBadSignature) {
		failed.Message = diagnose(failed.Message, k.client.options.Signer, k.client.endpoint, k.signed, input)
	}
	failed.kind = failed.sentinel() // a code may lose a part that is a credential's value too
	secrets := secretsOf(req, k.creds, k.expired)
	for _, text := range []*string{&failed.Code, &failed.Message, &failed.RequestId, &failed.HostId, &failed.Recommend} {
		*text = secrets.clean(*text)
	}
	for i, cause := range failed.causes {
		failed.causes[i] = secrets.cleanError(cause)
	}
}

// A reply is what came of sending a request.
type reply struct {
	status int // zero if no headers came
	header http.Header
	body   []byte
	err    error // of sending, or of reading the body; without the URL
}

// exchange sends req and reads the answer into body, no more than maxBody of it.
func exchange(send func(*http.Request) (*http.Response, error), req *http.Request, body *bodyBuffer) reply {
	resp, err := send(req)
	if err != nil {
		return reply{err: withoutURL(err)}
	}
	defer func() { _ = resp.Body.Close() }() // everything that was wanted has been read
	if err = body.read(resp); err != nil {
		err = withoutURL(err)
	}
	return reply{status: resp.StatusCode, header: resp.Header, body: body.Bytes(), err: err}
}

// read is the response that r holds, or what r is instead.
func (r reply) read() (*csr.Response, *Error) {
	if r.err != nil {
		return nil, &Error{StatusCode: r.status, Message: r.err.Error(), RequestId: r.header.Get("x-acs-request-id"), causes: []error{r.err}}
	}
	a, ok := decode(r.body)
	ok = ok && r.status/100 != 3 // who redirects is not this API, whatever it says
	code := strings.TrimSpace(string(a.Code))
	requestID := string(a.RequestId)
	if requestID == "" {
		requestID = r.header.Get("x-acs-request-id")
	}
	switch {
	case ok && r.status/100 == 2 && strings.TrimSpace(a.Csr) != "":
		return &csr.Response{
			RequestId: requestID, CommonName: string(a.CommonName), Csr: a.Csr, PubMd5: string(a.PubMd5),
			Origin: csr.OriginCDN,
		}, nil
	case ok && code != "":
		failed := &Error{
			StatusCode: r.status, Code: code, Message: string(a.Message),
			RequestId: requestID, HostId: string(a.HostId), Recommend: string(a.Recommend),
		}
		failed.RetryAfter = retryAfter(r.header, r.now(), failed.Is(ErrThrottled))
		return nil, failed
	}
	return nil, &Error{
		StatusCode: r.status, Message: r.strangeness(), RequestId: requestID,
		RetryAfter: retryAfter(r.header, r.now(), false),
	}
}

// strangeness says what an answer is that is none of this API.
func (r reply) strangeness() string {
	switch {
	case r.status/100 == 3:
		return "redirected, which is not followed: is the endpoint right?"
	case len(r.body) == 0:
		return "an empty answer"
	}
	return fmt.Sprintf("not an answer of this API but %d bytes of content type %q: is the endpoint right, is a proxy between?",
		len(r.body), r.header.Get("Content-Type"))
}

// date is when the service answered, by its own clock; zero if it did not say.
func (r reply) date() time.Time {
	date, _ := http.ParseTime(r.header.Get("Date")) // zero after an error
	return date
}

// now is the service's time, or this machine's if the service did not say.
func (r reply) now() time.Time {
	if date := r.date(); !date.IsZero() {
		return date
	}
	return time.Now()
}

func (r reply) endedByContext() bool {
	return errors.Is(r.err, context.DeadlineExceeded) || errors.Is(r.err, context.Canceled)
}

func (r reply) timedOut() bool {
	timeout, ok := errors.AsType[net.Error](r.err)
	return ok && timeout.Timeout()
}
