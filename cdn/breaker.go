package cdn

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/sony/gobreaker/v2"

	"github.com/cdncsr/cdncsr/csr"
)

// Breaker is a [CSRCreator] in front of another one, such as a [*Client], which it stops asking after repeated
// ErrUnavailable: calls then fail at once with ErrUnavailable, and nothing is sent, but for single calls that are let through
// as probes. As the Primary of a [Fallback] it makes an outage cost nothing but its first calls. It may be used by many
// goroutines. Make it with [NewBreaker]; the zero value can't be used.
//
// What the service answered counts as available, a refusal too. What the caller ended, a call that was throttled and one
// for which there were no credentials count as neither, but a call that the PrimaryTimeout of a Fallback ended is unavailable.
type Breaker struct {
	creator CSRCreator
	circuit *gobreaker.CircuitBreaker[*csr.Response]
}

// BreakerOptions change what a [Breaker] does. The zero value of each field is its default.
type BreakerOptions struct {
	// Failures is how many calls in a row must be unavailable for the breaker to open. Zero is 5.
	Failures int

	// ProbeInterval is how long the breaker stays open before the next call is let through as a probe; if that is served the
	// breaker closes, if not it stays open for as long again. Zero is 5 s.
	ProbeInterval time.Duration

	// Logger gets a record at warn level when the breaker opens or closes, and at debug level for a probe. Nil logs nothing.
	Logger *slog.Logger
}

const (
	defaultFailures      = 5
	defaultProbeInterval = 5 * time.Second
)

// NewBreaker returns a closed breaker in front of creator. Nil options are the defaults. It is an error if creator is nil or
// an option is negative.
func NewBreaker(creator CSRCreator, opts *BreakerOptions) (*Breaker, error) {
	if creator == nil {
		return nil, errors.New("cdn: breaker: the creator behind it is nil: give one, such as a *Client")
	}
	var set BreakerOptions
	if opts != nil {
		set = *opts
	}
	if set.Failures < 0 {
		return nil, fmt.Errorf("cdn: BreakerOptions.Failures: %d: is negative: leave it 0 for the default", set.Failures)
	}
	if set.ProbeInterval < 0 {
		return nil, fmt.Errorf("cdn: BreakerOptions.ProbeInterval: %s: is negative: leave it 0 for the default", set.ProbeInterval)
	}
	if set.Failures == 0 {
		set.Failures = defaultFailures
	}
	if set.ProbeInterval == 0 {
		set.ProbeInterval = defaultProbeInterval
	}
	if set.Logger == nil {
		set.Logger = slog.New(slog.DiscardHandler)
	}
	return &Breaker{creator: creator, circuit: newCircuit(set)}, nil
}

func newCircuit(set BreakerOptions) *gobreaker.CircuitBreaker[*csr.Response] {
	return gobreaker.NewCircuitBreaker[*csr.Response](gobreaker.Settings{
		MaxRequests:  1,
		Timeout:      set.ProbeInterval,
		ReadyToTrip:  func(counts gobreaker.Counts) bool { return int(counts.ConsecutiveFailures) >= set.Failures },
		IsSuccessful: func(err error) bool { return !errors.Is(err, ErrUnavailable) },
		IsExcluded:   func(err error) bool { return errors.Is(err, errNoVerdict) },
		OnStateChange: func(_ string, from, to gobreaker.State) {
			level := slog.LevelWarn
			if to == gobreaker.StateHalfOpen || from == gobreaker.StateHalfOpen && to == gobreaker.StateOpen {
				level = slog.LevelDebug
			}
			set.Logger.Log(context.Background(), level, "cdn: breaker", "from", from.String(), "to", to.String())
		},
	})
}

// errNoVerdict marks the error of a call that tells nothing of the service's health.
var errNoVerdict = errors.New("cdn: no verdict")

// CreateCdnCertificateSigningRequest asks the creator behind the breaker, or fails with ErrUnavailable if the breaker is open.
func (b *Breaker) CreateCdnCertificateSigningRequest(ctx context.Context, req *csr.Request) (*csr.Response, error) {
	var err error // of the creator, which the circuit may see as another
	resp, verdict := b.circuit.Execute(func() (*csr.Response, error) {
		var resp *csr.Response
		resp, err = b.creator.CreateCdnCertificateSigningRequest(ctx, req)
		return resp, verdictOf(ctx, err)
	})
	if errors.Is(verdict, gobreaker.ErrOpenState) || errors.Is(verdict, gobreaker.ErrTooManyRequests) {
		return nil, &Error{kind: ErrUnavailable, Message: "the breaker is open after repeated failures: nothing was sent"}
	}
	return resp, err
}

// Open tells whether the breaker lets nothing through but a probe.
func (b *Breaker) Open() bool { return b.circuit.State() != gobreaker.StateClosed }

// verdictOf is err as the circuit counts it.
func verdictOf(ctx context.Context, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, ErrThrottled), errors.Is(err, ErrNoCredentials):
		return errNoVerdict
	case primaryTimedOut(ctx) && errors.Is(err, context.DeadlineExceeded):
		return ErrUnavailable
	case ctx.Err() != nil && !errors.Is(err, ErrUnavailable):
		return errNoVerdict
	}
	return err
}
