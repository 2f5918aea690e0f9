package cdn

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/cdncsr/cdncsr/csr"
)

// The kinds of error. An [*Error] matches exactly one of them with errors.Is;
// an error that it wraps may match another.
var (
	// ErrUnavailable means that the service or the credential source could not
	// be reached or failed, or that the answer was not one of this API. The
	// call may succeed later.
	ErrUnavailable = errors.New("cdn: unavailable")
	// ErrThrottled means more calls than the account or the limiter allows.
	// [Error.RetryAfter] says when to call again, if the service said so.
	ErrThrottled = errors.New("cdn: throttled")
	// ErrDenied means that the service refuses the access key, the signature,
	// the permissions or the account, or refuses for an unknown reason.
	ErrDenied = errors.New("cdn: denied")
	// ErrInvalidRequest means that the request is wrong. It is
	// [csr.ErrInvalidRequest].
	ErrInvalidRequest = csr.ErrInvalidRequest
	// ErrNoCredentials means that the credential source has no credentials,
	// or none that can sign.
	ErrNoCredentials = errors.New("cdn: no credentials")
)

// ErrKeyNotFound means that the private key of a certificate is neither in the
// key store nor with the CDN. An [*Error] that matches it matches
// [ErrInvalidRequest] too.
var ErrKeyNotFound = errors.New("cdn: private key not found")

// Error describes a call that failed. It matches one kind, such as
// [ErrUnavailable], with errors.Is, and wraps the causes.
//
// However it is printed, an Error shows no access key, signature, security
// token, private key or signed URL. If a test makes an Error by hand, Code and
// StatusCode decide its kind.
type Error struct {
	Action     string // the operation, such as SetCdnDomainSSLCertificate
	StatusCode int    // HTTP status of the last answer; zero without one
	Code       string // the service's error code; empty if no answer of this API came
	Message    string // what the service said, or what happened instead
	RequestId  string // the service's ID of the last attempt; may be empty
	HostId     string // the host that answered, as it calls itself; may be empty
	Recommend  string // the URL of the service's page about the error; may be empty

	// Attempts is how many requests were sent.
	Attempts int
	// RetryAfter is how long the service asks to wait; zero if it does not.
	RetryAfter time.Duration

	kind     error   // if nil, Code and StatusCode decide
	otherAPI bool    // Action is not the CDN's
	note     string  // why there was no further attempt, if Code and Message do not show it
	causes   []error // without secrets
}

// Error returns one line: the kind, the service's code and message, what
// identifies the call, and what to do about it.
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
	for _, text := range []string{e.note, e.advice()} {
		if text != "" {
			b.WriteString("; " + text)
		}
	}
	return b.String()
}

func (e *Error) details() []string {
	var details []string
	if e.Action != "" {
		details = append(details, oneLine(e.Action))
	}
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

// GoString implements [fmt.GoStringer]. It shows no more than Error.
func (e *Error) GoString() string { return "&cdn.Error{" + e.Error() + "}" }

// Is reports whether target is the kind of e.
func (e *Error) Is(target error) bool {
	return target == e.sentinel() || target == ErrKeyNotFound && strings.EqualFold(e.Code, codeNoPrivateKey)
}

// Unwrap returns the causes: an error of the network, of the limiter or of the
// credential source.
func (e *Error) Unwrap() []error { return e.causes }

// sentinel returns the kind of e.
func (e *Error) sentinel() error {
	if e.kind != nil {
		return e.kind
	}
	return classify(e.Code, e.StatusCode)
}

// contextError returns the error of a context that has ended, which matches
// ctx.Err() and wraps the cause if there is another.
func contextError(ctx context.Context) error {
	err, cause := ctx.Err(), context.Cause(ctx)
	if cause == nil || errors.Is(err, cause) {
		return err
	}
	return fmt.Errorf("%w: %w", err, withoutURL(cause))
}

// oneLine returns text in a form that is fit for a log: printable, on one line,
// and of at most 400 characters.
func oneLine(text string) string {
	const most = 400
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

// A kindless is an error that is wrapped beside another one, whose kind counts:
// errors.Is finds neither its kind nor a context's error in it.
type kindless struct{ err error }

func (e kindless) Error() string { return e.err.Error() }

func (e kindless) As(target any) bool { return errors.As(e.err, target) }

func (e kindless) Is(target error) bool {
	switch target { //nolint:errorlint // the sentinels themselves
	case ErrUnavailable, ErrThrottled, ErrDenied, ErrInvalidRequest, ErrNoCredentials,
		context.DeadlineExceeded, context.Canceled: // Primary's time was up, not the caller's
		return false
	}
	return errors.Is(e.err, target)
}
