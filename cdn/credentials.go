package cdn

import (
	"context"
	"errors"
	"net"
	"net/url"
	"os"

	"github.com/cdncsr/cdncsr/signer"
)

// A CredentialSource has the credentials of the calls. The client asks it once
// a call, and once more when the service says that a security token has
// expired, from many goroutines at once; a source that fetches credentials
// should cache them, and be a [CredentialRefresher] too.
//
// An error of a source ends the call and is wrapped. It is [ErrUnavailable] if
// it is a time-out or an error of the network, or matches ErrUnavailable, and
// else [ErrNoCredentials]. Its text should hold no secret: the client can't
// know what to take out of it.
type CredentialSource interface {
	Credentials(ctx context.Context) (signer.Credentials, error)
}

// A CredentialRefresher is a [CredentialSource] that can be told that the
// service refused credentials as expired. RefreshCredentials returns others,
// without asking a cache that has the refused ones; it is called from many
// goroutines at once, with the same credentials.
type CredentialRefresher interface {
	RefreshCredentials(ctx context.Context, refused signer.Credentials) (signer.Credentials, error)
}

// CredentialFunc makes a [CredentialSource] of a function.
type CredentialFunc func(ctx context.Context) (signer.Credentials, error)

// Credentials calls f.
func (f CredentialFunc) Credentials(ctx context.Context) (signer.Credentials, error) { return f(ctx) }

// StaticCredentials returns a source of c alone. If c can't sign, each call
// fails with [ErrNoCredentials].
func StaticCredentials(c signer.Credentials) CredentialSource {
	// A function, since fmt would print the secret in a struct's unexported field.
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

// usable returns what a source returned, if that can sign.
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

// kindOfSourceError tells a source that can't be reached from one that has no
// credentials.
func kindOfSourceError(err error) error {
	_, isURL := errors.AsType[*url.Error](err)
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
