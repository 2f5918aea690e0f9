package cdn

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cdncsr/cdncsr/csr"
)

// A CSRCreator answers CreateCdnCertificateSigningRequest: a [*Client], a [*Breaker], a [*Fallback], a [*csr.Generator], or
// one of the caller's own.
type CSRCreator interface {
	CreateCdnCertificateSigningRequest(ctx context.Context, req *csr.Request) (*csr.Response, error)
}

// Fallback asks Primary, and Secondary where Primary could not serve. It is no retry: where Primary said no, that is the
// answer. The Response's Origin says who made the CSR, and so who has its key: what follows differs.
type Fallback struct {
	Primary   CSRCreator // required
	Secondary CSRCreator // required

	// PrimaryTimeout is how long Primary may take. Zero is half of what the context's deadline leaves, or no bound without one:
	// a CDN that swallows packets must not use up the caller's time before Secondary is asked. Negative is an error.
	PrimaryTimeout time.Duration

	// When tells whether Secondary is to be asked after err of Primary. Nil is where err is ErrUnavailable or ErrThrottled, and
	// not ErrNoCredentials. Once the caller's context has ended, neither When nor Secondary is asked.
	When func(err error) bool

	// OnFallback is told of every stand-in with Primary's error, before Secondary is asked. Nil tells no one.
	OnFallback func(ctx context.Context, err error)
}

// errPrimaryTimeout is an exceeded deadline, and the cause of the context that PrimaryTimeout ends.
var errPrimaryTimeout = fmt.Errorf("cdn: fallback: Primary's time is up: PrimaryTimeout gives it more: %w", context.DeadlineExceeded)

// CreateCdnCertificateSigningRequest asks Primary, then perhaps Secondary. If both fail the error wraps both.
func (f *Fallback) CreateCdnCertificateSigningRequest(ctx context.Context, req *csr.Request) (*csr.Response, error) {
	if f.Primary == nil || f.Secondary == nil {
		return nil, errors.New("cdn: fallback: Primary and Secondary are both required: set the one that is nil")
	}
	if f.PrimaryTimeout < 0 {
		return nil, fmt.Errorf("cdn: fallback: PrimaryTimeout %s: is negative: leave it 0 for the default", f.PrimaryTimeout)
	}
	resp, err := f.askPrimary(ctx, req)
	if err == nil || !f.standsIn(ctx, err) {
		return resp, err
	}
	if f.OnFallback != nil {
		f.OnFallback(ctx, err)
	}
	resp, secondErr := f.Secondary.CreateCdnCertificateSigningRequest(ctx, req)
	if secondErr != nil {
		return nil, fmt.Errorf("cdn: fallback: Secondary: %w; it was asked since Primary failed: %w", secondErr, err)
	}
	return resp, nil
}

// askPrimary gives Primary its share of the time. That it did not suffice is ErrUnavailable.
func (f *Fallback) askPrimary(ctx context.Context, req *csr.Request) (*csr.Response, error) {
	limit := f.PrimaryTimeout
	if limit == 0 {
		deadline, ok := ctx.Deadline()
		if !ok {
			return f.Primary.CreateCdnCertificateSigningRequest(ctx, req)
		}
		limit = time.Until(deadline) / 2
	}
	limited, cancel := context.WithTimeoutCause(ctx, limit, errPrimaryTimeout)
	defer cancel()
	resp, err := f.Primary.CreateCdnCertificateSigningRequest(limited, req)
	if err != nil && primaryTimedOut(limited) && !errors.Is(err, ErrNoCredentials) && errors.Is(err, context.DeadlineExceeded) {
		return nil, fmt.Errorf("%w: no answer within %s: %w", ErrUnavailable, limit, err)
	}
	return resp, err
}

// primaryTimedOut tells whether it was a Fallback, and not the caller, that ended ctx.
func primaryTimedOut(ctx context.Context) bool {
	return errors.Is(context.Cause(ctx), errPrimaryTimeout)
}

func (f *Fallback) standsIn(ctx context.Context, err error) bool {
	switch {
	case ctx.Err() != nil:
		return false
	case f.When != nil:
		return f.When(err)
	case errors.Is(err, ErrNoCredentials):
		return false
	}
	return errors.Is(err, ErrUnavailable) || errors.Is(err, ErrThrottled)
}
