package cdn

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"
)

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
	if resp.StatusCode == http.StatusSwitchingProtocols {
		// The body is the connection: no context would end a read.
		return answer{status: resp.StatusCode, header: resp.Header}
	}
	if err = body.read(resp); err != nil {
		err = withoutURL(err)
	}
	return answer{status: resp.StatusCode, header: resp.Header, body: body.Bytes(), err: err}
}

// read decodes the answer into resp. It returns the request ID and, if the
// attempt failed, how. The error err is that of a value that can't hold the
// answer.
func (ans answer) read(resp response, action, host string) (requestID string, failed *Error, err error) {
	requestID = ans.header.Get("X-Acs-Request-Id")
	if ans.err != nil {
		return requestID, &Error{
			StatusCode: ans.status, RequestId: requestID, Message: unreachable(ans.err, host), causes: []error{ans.err},
		}, nil
	}
	e, err := resp.decode(ans.body, action, ans.status/100 == 2)
	if errors.Is(err, errValue) {
		return "", nil, err
	}
	isAnswer := err == nil && ans.status/100 != 3 // a redirect is not from this API, whatever it says
	if e.RequestId != "" {
		requestID = strings.TrimSpace(string(e.RequestId)) // one page's sample ends in a line end
		resp.setID(requestID)                              // as text, whatever its type was
	}
	if isAnswer && ans.status/100 == 2 && !e.isError() && resp.isComplete() {
		resp.setID(requestID)
		return requestID, nil, nil
	}
	resp.reset()
	failed = &Error{StatusCode: ans.status, RequestId: requestID}
	if code := strings.TrimSpace(string(e.Code)); isAnswer && code != "" {
		failed.Code, failed.Message = code, string(e.Message)
		failed.HostId, failed.Recommend = string(e.HostId), string(e.Recommend)
	} else {
		failed.Message = ans.whyIncomplete(resp, host, isAnswer && e.RequestId != "")
	}
	failed.RetryAfter = retryAfter(ans.header, ans.now(), failed.Is(ErrThrottled))
	return requestID, failed, nil
}

// whyIncomplete describes an answer that is not the API's, or not a whole one.
// hasID reports whether it has a request ID.
func (ans answer) whyIncomplete(resp response, host string, hasID bool) string {
	switch {
	case ans.status/100 == 3:
		return host + " redirected, which is not followed: check the endpoint"
	case len(ans.body) == 0:
		return host + " gave an empty answer"
	case hasID && resp.required != nil:
		return "the answer has no " + resp.requiredName
	}
	return fmt.Sprintf("%s gave %d bytes of content type %q, not an answer of this API: "+
		"check the endpoint, and whether a proxy is between", host, len(ans.body), ans.header.Get("Content-Type"))
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

// endedByContext reports whether a context ended the exchange.
func (ans answer) endedByContext() bool {
	return errors.Is(ans.err, context.DeadlineExceeded) || errors.Is(ans.err, context.Canceled)
}

func isTimeout(err error) bool {
	timeout, ok := errors.AsType[net.Error](err)
	return ok && timeout.Timeout()
}

// isUntrusted reports whether err means that the endpoint's certificate is not
// trusted, which another attempt does not change.
func isUntrusted(err error) bool {
	_, ok := errors.AsType[*tls.CertificateVerificationError](err)
	return ok
}

// unreachable describes why there was no answer.
func unreachable(err error, host string) string {
	notTLS, isPlain := errors.AsType[tls.RecordHeaderError](err)
	dns, isDNS := errors.AsType[*net.DNSError](err)
	switch {
	case isUntrusted(err):
		return host + " has a certificate that is not trusted: " + err.Error() +
			"; check the endpoint, this machine's roots, and whether a proxy intercepts TLS"
	case isPlain && notTLS.Conn != nil, errors.Is(err, http.ErrSchemeMismatch):
		return host + " does not speak TLS: check the endpoint's scheme and port"
	case isDNS && dns.IsNotFound:
		return host + " is not known to the DNS: check the endpoint"
	}
	return host + ": " + err.Error()
}
