package cdn

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/cdncsr/cdncsr/signer"
)

// A CredentialSource gives the credentials of a call. The client asks it once a call, and once more when the service says
// that a security token has expired, from many goroutines at once; a source that fetches credentials caches them itself.
//
// An error of a source ends the call with [ErrNoCredentials], and is wrapped; where it was asked once more, in the error of the
// token that has expired. Its text should hold no secret: the client does not know what to take out of it.
type CredentialSource interface {
	Credentials(ctx context.Context) (signer.Credentials, error)
}

// CredentialFunc is a function as a [CredentialSource].
type CredentialFunc func(ctx context.Context) (signer.Credentials, error)

// Credentials calls f.
func (f CredentialFunc) Credentials(ctx context.Context) (signer.Credentials, error) { return f(ctx) }

// StaticCredentials always gives c. Credentials that can't sign make each call fail with [ErrNoCredentials].
func StaticCredentials(c signer.Credentials) CredentialSource {
	// A function, since fmt would print the secret in a struct's unexported field.
	return CredentialFunc(func(context.Context) (signer.Credentials, error) { return c, nil })
}

// EnvCredentials gives what the environment holds at each call in ALIBABA_CLOUD_ACCESS_KEY_ID,
// ALIBABA_CLOUD_ACCESS_KEY_SECRET and, for temporary credentials, ALIBABA_CLOUD_SECURITY_TOKEN. Its error names the
// variable that is not set.
func EnvCredentials() CredentialSource {
	return CredentialFunc(func(context.Context) (signer.Credentials, error) {
		creds := signer.Credentials{
			AccessKeyID:     os.Getenv("ALIBABA_CLOUD_ACCESS_KEY_ID"),
			AccessKeySecret: os.Getenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET"),
			SecurityToken:   os.Getenv("ALIBABA_CLOUD_SECURITY_TOKEN"),
		}
		if creds.AccessKeyID == "" {
			return signer.Credentials{}, errors.New("ALIBABA_CLOUD_ACCESS_KEY_ID is empty: set it in the environment, or use another CredentialSource")
		}
		if creds.AccessKeySecret == "" {
			return signer.Credentials{}, errors.New("ALIBABA_CLOUD_ACCESS_KEY_SECRET is empty: set it in the environment, or use another CredentialSource")
		}
		return creds, nil
	})
}

// askCredentials asks the source for credentials that can sign. Its error is of the kind ErrNoCredentials, and wraps the
// context's as well if that has ended.
func askCredentials(ctx context.Context, source CredentialSource) (signer.Credentials, error) {
	creds, err := source.Credentials(ctx)
	if err == nil {
		err = creds.Validate()
	}
	if err == nil {
		return creds, nil
	}
	err = withoutURL(err)
	failed := &Error{kind: ErrNoCredentials, Message: err.Error(), causes: []error{err}}
	if ctx.Err() != nil {
		return signer.Credentials{}, fmt.Errorf("cdn: %w: %w", ctx.Err(), failed)
	}
	return signer.Credentials{}, failed
}
