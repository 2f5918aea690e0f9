package cdn

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cdncsr/cdncsr/csr"
)

// A CSRCreator answers CreateCdnCertificateSigningRequest: a [*Client], a
// [*Breaker], a [*Fallback], a [*csr.Generator], or your own.
type CSRCreator interface {
	CreateCdnCertificateSigningRequest(ctx context.Context, req *csr.Request) (*csr.Response, error)
}

// Fallback calls Primary and, if Primary is unavailable, Secondary. It is not a
// retry: if Primary rejects a request, its error is returned and Secondary is
// not called. The request is normalized first (see [csr.Request.Normalize]), so
// that both accept the same requests and use the same names. The Origin of the
// response says who has the private key.
type Fallback struct {
	Primary   CSRCreator // required
	Secondary CSRCreator // required

	// PrimaryTimeout is how long Primary may take. The default is half of the
	// time until the context's deadline, or 15 s without a deadline. It leaves
	// time for Secondary if the CDN does not answer at all.
	PrimaryTimeout time.Duration

	// When reports whether Secondary is called after an error of Primary. If
	// nil, [ShouldFallBack] is used. Once the caller's context has ended,
	// neither When nor Secondary is called.
	When func(err error) bool

	// OnFallback, if non-nil, is called with Primary's error before Secondary
	// is called.
	OnFallback func(ctx context.Context, err error)
}

const defaultPrimaryTimeout = 15 * time.Second

// ShouldFallBack reports whether err means that the service is unavailable: it
// matches [ErrUnavailable] or [ErrThrottled], and not [ErrNoCredentials]. It is
// the default of [Fallback].When.
func ShouldFallBack(err error) bool {
	return !errors.Is(err, ErrNoCredentials) && (errors.Is(err, ErrUnavailable) || errors.Is(err, ErrThrottled))
}

// errPrimaryTimeout is the cause of a context that PrimaryTimeout ends.
var errPrimaryTimeout = fmt.Errorf("cdn: fallback: PrimaryTimeout: %w", context.DeadlineExceeded)

// CreateCdnCertificateSigningRequest calls Primary and, if needed, Secondary.
// If both fail, the error is of Secondary's kind, and errors.As finds the
// errors of both.
func (f *Fallback) CreateCdnCertificateSigningRequest(ctx context.Context, req *csr.Request) (*csr.Response, error) {
	if err := f.check(); err != nil {
		return nil, err
	}
	normal, err := req.Normalize()
	if err != nil {
		return nil, err
	}
	resp, err := f.askPrimary(ctx, normal)
	if err == nil || ctx.Err() != nil || !f.when(err) {
		return resp, err
	}
	if f.OnFallback != nil {
		f.OnFallback(ctx, err)
	}
	if ctx.Err() != nil {
		return nil, err
	}
	resp, secondErr := f.Secondary.CreateCdnCertificateSigningRequest(ctx, normal)
	if secondErr != nil {
		return nil, fmt.Errorf("cdn: fallback: %w; Primary: %w", secondErr, kindless{err})
	}
	return resp, nil
}

func (f *Fallback) check() error {
	switch {
	case isNil(f.Primary):
		return errors.New("cdn: fallback: Primary is nil")
	case isNil(f.Secondary):
		return errors.New("cdn: fallback: Secondary is nil")
	case f.PrimaryTimeout < 0:
		return fmt.Errorf("cdn: fallback: PrimaryTimeout %s is negative", f.PrimaryTimeout)
	}
	return nil
}

func (f *Fallback) when(err error) bool {
	if f.When == nil {
		return ShouldFallBack(err)
	}
	return f.When(err)
}

// askPrimary calls Primary. If Primary takes longer than PrimaryTimeout, the
// error is ErrUnavailable.
func (f *Fallback) askPrimary(ctx context.Context, req *csr.Request) (*csr.Response, error) {
	limit := f.PrimaryTimeout
	if limit == 0 {
		limit = defaultPrimaryTimeout
		if deadline, ok := ctx.Deadline(); ok {
			limit = time.Until(deadline) / 2
		}
	}
	primaryCtx, cancel := context.WithTimeoutCause(ctx, limit, errPrimaryTimeout)
	defer cancel()
	resp, err := f.Primary.CreateCdnCertificateSigningRequest(primaryCtx, req)
	if primaryTimedOut(primaryCtx) && errors.Is(err, context.DeadlineExceeded) {
		return nil, fmt.Errorf("%w: no answer within PrimaryTimeout, %s: %w", ErrUnavailable, limit, err)
	}
	return resp, err
}

// primaryTimedOut reports whether the PrimaryTimeout of a Fallback ended ctx.
func primaryTimedOut(ctx context.Context) bool {
	return errors.Is(context.Cause(ctx), errPrimaryTimeout)
}
