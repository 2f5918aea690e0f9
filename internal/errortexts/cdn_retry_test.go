package errortexts

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/time/rate"

	"github.com/cdncsr/cdncsr/cdn"
	"github.com/cdncsr/cdncsr/cdn/cdntest"
	"github.com/cdncsr/cdncsr/csr"
	"github.com/cdncsr/cdncsr/signer"
)

// noKey are credentials that can't sign.
var noKey signer.Credentials

// failing is a source without credentials.
func failing(err error) cdn.CredentialSource {
	return cdn.CredentialFunc(func(context.Context) (signer.Credentials, error) { return noKey, err })
}

// down is a service that answers as many calls with 503.
func down(calls int, header http.Header) []cdntest.Fault {
	return slices.Repeat([]cdntest.Fault{{Status: 503, Code: "ServiceUnavailable", Message: "Try later.", Header: header}}, calls)
}

// inBubble is fail where time passes at once.
func inBubble(fail func(t *testing.T) error) func(*testing.T) error {
	return func(t *testing.T) (err error) {
		synctest.Test(t, func(t *testing.T) { err = fail(t) })
		return err
	}
}

// swallow is a network that swallows packets.
var swallow = &http.Client{Transport: transport(func(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
})}

// retryTexts are the errors of calls that take more than one attempt, or too long.
func retryTexts(*testing.T) []provocation {
	return []provocation{
		{"four attempts in vain", inBubble(func(t *testing.T) error {
			return call(t.Context(), newClient(t, new(cdn.Options), down(4, nil)...))
		})},
		{"no answer in time", inBubble(func(t *testing.T) error {
			return call(t.Context(), newClient(t, &cdn.Options{MaxAttempts: 1, HTTPClient: swallow}))
		})},
		{"the context ended before the call", func(t *testing.T) error { return call(ended(t), newClient(t, nil)) }},
		{"the context ends after an attempt", inBubble(func(t *testing.T) error {
			ctx, cancel := context.WithCancel(t.Context())
			opts := &cdn.Options{OnAttempt: func(context.Context, cdn.Attempt) { cancel() }}
			return call(ctx, newClient(t, opts, down(1, nil)...))
		})},
		{"the context ends while credentials are asked for", func(t *testing.T) error {
			ctx, cancel := context.WithCancel(t.Context())
			client, err := cdn.NewClient(cdn.CredentialFunc(func(context.Context) (signer.Credentials, error) {
				cancel()
				return noKey, errors.New("vault: no answer")
			}), nil)
			require.NoError(t, err)
			return call(ctx, client)
		}},
		{"a wait that is too long", func(t *testing.T) error {
			return call(t.Context(), newClient(t, new(cdn.Options), down(1, http.Header{"Retry-After": {"60"}})...))
		}},
		{"a wait beyond the deadline", inBubble(func(t *testing.T) error {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			return call(ctx, newClient(t, new(cdn.Options), down(1, http.Header{"Retry-After": {"2"}})...))
		})},
		{"an outage that has used up the retries", inBubble(outage)},
		{"a source that fails when a token has expired", expiredToken},
		{"a limiter that does not let the call through", func(t *testing.T) error {
			return call(t.Context(), newClient(t, &cdn.Options{Limiter: rate.NewLimiter(1, 0)}))
		}},
	}
}

// outage is the last error of many calls to a service that is down.
func outage(t *testing.T) (err error) {
	client := newClient(t, &cdn.Options{MaxAttempts: 2}, down(1000, nil)...)
	for range 101 {
		err = call(t.Context(), client)
	}
	return err
}

// expiredToken is the error of a call whose credentials have expired and can't be renewed.
func expiredToken(t *testing.T) error {
	asked := 0
	source := cdn.CredentialFunc(func(context.Context) (signer.Credentials, error) {
		if asked++; asked > 1 {
			return noKey, errors.New("vault: sealed")
		}
		return hiddenKey, nil
	})
	api := &cdntest.API{Credentials: []signer.Credentials{hiddenKey}, Source: csr.P256}
	api.Inject(cdntest.Fault{Code: "InvalidSecurityToken.Expired", Message: "Specified SecurityToken is expired."})
	client, err := cdn.NewClient(source, &cdn.Options{HTTPClient: &http.Client{Transport: api}})
	require.NoError(t, err)
	return call(t.Context(), client)
}
