package cdn

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/cdncsr/cdncsr/csr"
)

// The kinds of error. An [*Error] is of exactly one of them, which it matches with errors.Is; an error that it wraps, such as that
// of an attempt before, may match another.
var (
	// ErrUnavailable: the service could not serve. It can't be reached, failed by itself, or what answered was not this API.
	// The call may be tried later or elsewhere.
	ErrUnavailable = errors.New("cdn: unavailable")
	// ErrThrottled: more calls than the account or the limiter allows. The call may be tried later; [Error.RetryAfter] says
	// when, if the service did.
	ErrThrottled = errors.New("cdn: throttled")
	// ErrDenied: the service refuses the access key, its signature, its permissions, or the account.
	ErrDenied = errors.New("cdn: denied")
	// ErrInvalidRequest: the request is wrong; it is the same value as csr.ErrInvalidRequest.
	ErrInvalidRequest = csr.ErrInvalidRequest
	// ErrNoCredentials: there is nothing to sign with, because the credential source gave nothing or nothing usable.
	ErrNoCredentials = errors.New("cdn: no credentials")
)

// Error is a call that failed. It matches one of the sentinels of this package with errors.Is, and the causes that it
// wraps. However it is printed, it holds no access key, signature, token or signed URL: the values of the call's
// credentials are taken out of every text. One that is made by hand, in a test, is of the kind that its Code and StatusCode say.
type Error struct {
	StatusCode int    // of the last answer; zero if there was none
	Code       string // the service's error code; empty if no answer of this API came
	Message    string // what the service said, or what happened instead of an answer
	RequestId  string // the service's ID of the last attempt; empty if it told none
	HostId     string // the host that answered, as it calls itself
	Recommend  string // the service's page about the error; empty if it named none

	// Attempts is how many requests were sent for the call.
	Attempts int
	// RetryAfter is how long the service asked to wait; zero if it did not.
	RetryAfter time.Duration

	kind   error   // nil: what Code and StatusCode say
	note   string  // why there was no further attempt, where that is not plain
	causes []error // without secrets
}

// Error is one line: the kind, the service's code and message, what identifies the call, and what to do.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.sentinel().Error())
	for _, text := range []string{e.Code, e.Message} {
		if text != "" {
			b.WriteString(": " + oneLine(text))
		}
	}
	if details := e.details(); len(details) > 0 {
		b.WriteString(" (" + strings.Join(details, ", ") + ")")
	}
	for _, text := range []string{e.note, advice(e.sentinel(), e.Code)} {
		if text != "" {
			b.WriteString("; " + text)
		}
	}
	return b.String()
}

func (e *Error) details() []string {
	var details []string
	if e.StatusCode != 0 {
		details = append(details, fmt.Sprintf("HTTP %d", e.StatusCode))
	}
	if e.RequestId != "" {
		details = append(details, "request ID "+oneLine(e.RequestId))
	}
	if e.Attempts > 1 {
		details = append(details, fmt.Sprintf("%d attempts", e.Attempts))
	}
	if e.RetryAfter > 0 {
		details = append(details, "retry after "+e.RetryAfter.String())
	}
	return details
}

// GoString is Error, so that %#v shows no more than %v.
func (e *Error) GoString() string { return "&cdn.Error{" + e.Error() + "}" }

// Is tells whether target is the sentinel of e.
func (e *Error) Is(target error) bool { return target == e.sentinel() }

// Unwrap returns the causes: an error of the network, of the limiter, of the credential source.
func (e *Error) Unwrap() []error { return e.causes }

// sentinel is the kind of e.
func (e *Error) sentinel() error {
	switch {
	case e.kind != nil:
		return e.kind
	case e.Code == "":
		return ErrUnavailable // without a code it was no answer of this API
	}
	return classify(e.Code, e.StatusCode)
}

// oneLine is text as it may stand in a log line: printable, on one line, and not a page long.
func oneLine(text string) string {
	const most = 400 // runes
	text = strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, text)
	text = strings.Join(strings.Fields(text), " ")
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return text
}
