package cdn

import (
	"context"
	"errors"
	"net"
	"net/url"
	"os"

	"github.com/cdncsr/cdncsr/signer"
)

// A CredentialSource returns the credentials of a call. The client asks it once
// a call, and once more if the service reports that the security token has
// expired. A source must be safe for concurrent use; if it fetches credentials,
// it should cache them and implement [CredentialRefresher].
//
// If a source returns an error, the call fails with an [*Error] that wraps it:
// [ErrUnavailable] if the error is a time-out or an error of the network, or
// matches ErrUnavailable; [ErrNoCredentials] otherwise. The text of the error
// must not contain a secret: the client can't recognize it.
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

// kindOfSourceError returns ErrUnavailable if a source could not be reached,
// and ErrNoCredentials otherwise.
func kindOfSourceError(err error) error {
	u, isURL := errors.AsType[*url.Error](err)
	isURL = isURL && u.Op != "parse" // which is a wrong setting
	_, isOp := errors.AsType[*net.OpError](err)
	_, isDNS := errors.AsType[*net.DNSError](err)
	timeout, ok := errors.AsType[interface {
		error
		Timeout() bool
	}](err)
	if isURL || isOp || isDNS || ok && timeout.Timeout() || errors.Is(err, ErrUnavailable) {
		return ErrUnavailable
	}
	return ErrNoCredentials
}
