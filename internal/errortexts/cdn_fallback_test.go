package errortexts

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/cdn"
	"github.com/cdncsr/cdncsr/csr"
)

// A creator is a cdn.CSRCreator of a function that fails.
type creator func(ctx context.Context) error

func (f creator) CreateCdnCertificateSigningRequest(ctx context.Context, _ *csr.Request) (*csr.Response, error) {
	return nil, f(ctx)
}

// fallbackTexts are the errors of a Fallback and of a Breaker.
func fallbackTexts(*testing.T) []provocation {
	local := &csr.Generator{} // without a store it fails
	return []provocation{
		{"a fallback without its creators", func(t *testing.T) error { return call(t.Context(), &cdn.Fallback{Primary: local}) }},
		{"a negative time for the primary", func(t *testing.T) error {
			return call(t.Context(), &cdn.Fallback{Primary: local, Secondary: local, PrimaryTimeout: -time.Second})
		}},
		{"both fail", func(t *testing.T) error {
			return call(t.Context(), &cdn.Fallback{Primary: newClient(t, nil, down(1, nil)...), Secondary: local})
		}},
		{"the primary does not answer, and the secondary fails", inBubble(func(t *testing.T) error {
			primary := newClient(t, &cdn.Options{HTTPClient: swallow})
			return call(t.Context(), &cdn.Fallback{Primary: primary, Secondary: local, PrimaryTimeout: 5 * time.Second})
		})},
		{"a primary that gives its context's cause", inBubble(func(t *testing.T) error {
			primary := creator(func(ctx context.Context) error {
				<-ctx.Done()
				return context.Cause(ctx)
			})
			return call(t.Context(), &cdn.Fallback{Primary: primary, Secondary: local, PrimaryTimeout: 5 * time.Second})
		})},
		{"a breaker that is open", func(t *testing.T) error {
			down := creator(func(context.Context) error { return cdn.ErrUnavailable })
			breaker, err := cdn.NewBreaker(down, &cdn.BreakerOptions{Failures: 1})
			require.NoError(t, err)
			require.ErrorIs(t, call(t.Context(), breaker), cdn.ErrUnavailable)
			return call(t.Context(), breaker)
		}},
	}
}
