package cdn

import (
	"context"
	"errors"
	"io"
	"net"
	"net/url"
	"os"
	"slices"
	"syscall"

	"github.com/cdncsr/cdncsr/signer"
)

// A CredentialSource returns the credentials of a call. The client asks it once
// a call, and once more if the service reports that the security token has
// expired. A source must be safe for concurrent use, and return when ctx ends,
// since the call waits for it. If it fetches credentials, it should cache them
// and implement [CredentialRefresher].
//
// If a source returns an error, the call fails with an [*Error] that wraps it:
// [ErrUnavailable] if the error is, or wraps, a time-out, an error of the
// network, [io.ErrUnexpectedEOF] or ErrUnavailable; [ErrNoCredentials]
// otherwise. If a source looks in several places, it should join their errors
// (see [errors.Join]): one place that is out of reach is enough for
// ErrUnavailable. A wrong address and a certificate that is not trusted are
// settings, not an outage. The text of the error must not contain a secret: the client
// can't recognize it.
type CredentialSource interface {
	Credentials(ctx context.Context) (signer.Credentials, error)
}

// A CredentialRefresher is a [CredentialSource] that can replace credentials.
// The client calls RefreshCredentials after the service has refused credentials
// as expired. It must return others, and must not take the refused ones from a
// cache. Many goroutines may call it at once with the same credentials.
type CredentialRefresher interface {
	RefreshCredentials(ctx context.Context, refused signer.Credentials) (signer.Credentials, error)
}

// CredentialFunc is an adapter that makes a function a [CredentialSource].
type CredentialFunc func(ctx context.Context) (signer.Credentials, error)

// A refreshFunc is the method RefreshCredentials of a source.
type refreshFunc func(ctx context.Context, refused signer.Credentials) (signer.Credentials, error)

// Credentials calls f.
func (f CredentialFunc) Credentials(ctx context.Context) (signer.Credentials, error) { return f(ctx) }

// StaticCredentials returns a source that always returns c. If c is incomplete,
// each call fails with [ErrNoCredentials].
func StaticCredentials(c signer.Credentials) CredentialSource {
	// A function, since fmt would print a secret in an unexported field of a
	// struct.
	return CredentialFunc(func(context.Context) (signer.Credentials, error) { return c, nil })
}

// EnvCredentials returns a source that reads the environment at each call:
// ALIBABA_CLOUD_ACCESS_KEY_ID, ALIBABA_CLOUD_ACCESS_KEY_SECRET and, for
// temporary credentials, ALIBABA_CLOUD_SECURITY_TOKEN. Its error names the
// variable that is not set.
func EnvCredentials() CredentialSource {
	return CredentialFunc(func(context.Context) (signer.Credentials, error) {
		creds := signer.Credentials{
			AccessKeyID:     os.Getenv("ALIBABA_CLOUD_ACCESS_KEY_ID"),
			AccessKeySecret: os.Getenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET"),
			SecurityToken:   os.Getenv("ALIBABA_CLOUD_SECURITY_TOKEN"),
		}
		if creds.AccessKeyID == "" {
			return signer.Credentials{}, errors.New("set ALIBABA_CLOUD_ACCESS_KEY_ID in the environment")
		}
		if creds.AccessKeySecret == "" {
			return signer.Credentials{}, errors.New("set ALIBABA_CLOUD_ACCESS_KEY_SECRET in the environment")
		}
		return creds, nil
	})
}

// usable returns the credentials that a source returned, or an error if it
// failed or they are incomplete.
func usable(creds signer.Credentials, err error) (signer.Credentials, *Error) {
	kind := kindOfSourceError(err)
	if err == nil {
		err = creds.Validate()
	}
	if err == nil {
		return creds, nil
	}
	err = withoutURL(err)
	return signer.Credentials{}, &Error{kind: kind, Message: "credential source: " + err.Error(), causes: []error{err}}
}

// networkErrors are errors of the network that have no type of their own, and
// the end of an answer before it is whole.
var networkErrors = []error{
	io.ErrUnexpectedEOF,
	syscall.EADDRNOTAVAIL, syscall.ECONNABORTED, syscall.ECONNREFUSED, syscall.ECONNRESET, syscall.EHOSTDOWN,
	syscall.EHOSTUNREACH, syscall.ENETDOWN, syscall.ENETRESET, syscall.ENETUNREACH, syscall.EPIPE, syscall.ETIMEDOUT,

	// The same of Windows, whose system calls return other numbers than package
	// syscall names. No other system has numbers as high.
	syscall.Errno(10049), syscall.Errno(10050), syscall.Errno(10051), syscall.Errno(10052), syscall.Errno(10053),
	syscall.Errno(10054), syscall.Errno(10060), syscall.Errno(10061), syscall.Errno(10064), syscall.Errno(10065),
}

// kindOfSourceError returns ErrUnavailable if a source could not be reached,
// and ErrNoCredentials otherwise.
func kindOfSourceError(err error) error {
	isNetwork := slices.ContainsFunc(networkErrors, func(known error) bool { return errors.Is(err, known) })
	if isNetwork || isOutage(err) || errors.Is(err, ErrUnavailable) {
		return ErrUnavailable
	}
	return ErrNoCredentials
}

// isOutage reports whether the tree of err has a time-out or another failure of
// the network. The first error with the method Timeout does not decide, as it
// does for errors.As: a source that looks in several places may join the error
// of a missing file, which is no time-out, with one that is.
func isOutage(err error) bool {
	if timeout, ok := err.(interface{ Timeout() bool }); ok && timeout.Timeout() { //nolint:errorlint // every node is looked at
		return true
	}
	switch e := err.(type) { //nolint:errorlint // as above
	case *url.Error:
		return isHTTP(e.URL) && !isSetting(e.Err) || isOutage(e.Err)
	case *net.OpError:
		return !isSetting(e.Err)
	case *net.DNSError:
		return true
	case interface{ Unwrap() error }:
		return isOutage(e.Unwrap())
	case interface{ Unwrap() []error }:
		return slices.ContainsFunc(e.Unwrap(), isOutage)
	}
	return false
}

// isHTTP reports whether a request can have been sent to text.
func isHTTP(text string) bool {
	u, err := url.Parse(text)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https")
}

// isSetting reports whether err, of a request or a dial, means that its address
// is wrong, or the set of CAs that are trusted.
func isSetting(err error) bool {
	_, isAddr := errors.AsType[*net.AddrError](err)
	_, isNetwork := errors.AsType[net.UnknownNetworkError](err)
	return isAddr || isNetwork || isUntrusted(err)
}
