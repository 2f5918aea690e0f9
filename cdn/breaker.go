package cdn

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/sony/gobreaker/v2"

	"github.com/cdncsr/cdncsr/csr"
)

// Breaker is a [CSRCreator] in front of another one, such as a [*Client], which it stops asking after repeated
// ErrUnavailable: calls then fail at once with ErrUnavailable, and nothing is sent, but for single calls that are let through
// as probes. As the Primary of a [Fallback] it makes an outage cost nothing but its first calls. It may be used by many
// goroutines. Make it with [NewBreaker]; the zero value can't be used.
//
// What the service answered counts as available, a refusal too. A call of which it knows nothing counts as neither: one that the
// caller ended, that was refused before it was sent, throttled, or without credentials. A call that the PrimaryTimeout of a
// Fallback ended is unavailable.
type Breaker struct {
	creator CSRCreator
	circuit *gobreaker.CircuitBreaker[*csr.Response]
	logger  *slog.Logger
	changes changes
}

// BreakerOptions change what a [Breaker] does. The zero value of each field is its default.
type BreakerOptions struct {
	// Failures is how many calls in a row must be unavailable for the breaker to open. Zero is 5.
	Failures int

	// ProbeInterval is how long the breaker stays open before the next call is let through as a probe. An answer closes
	// it, a refusal too; ErrUnavailable keeps it open for as long again; after a call that tells nothing the next one is a probe.
	// Zero is 5 s.
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
	b := &Breaker{creator: creator, logger: set.Logger}
	b.circuit = gobreaker.NewCircuitBreaker[*csr.Response](gobreaker.Settings{
		MaxRequests:   1,
		Timeout:       set.ProbeInterval,
		ReadyToTrip:   func(counts gobreaker.Counts) bool { return int(counts.ConsecutiveFailures) >= set.Failures },
		IsExcluded:    func(err error) bool { return errors.Is(err, errNoVerdict) },
		OnStateChange: func(_ string, from, to gobreaker.State) { b.changes.add(change{from, to}) },
	})
	return b, nil
}

// errNoVerdict is of a call that tells nothing of the service's health.
var errNoVerdict = errors.New("cdn: no verdict")

// CreateCdnCertificateSigningRequest asks the creator behind the breaker, or fails with ErrUnavailable if the breaker is open.
func (b *Breaker) CreateCdnCertificateSigningRequest(ctx context.Context, req *csr.Request) (*csr.Response, error) {
	if ctx.Err() != nil {
		return nil, fmt.Errorf("cdn: %w", ctx.Err())
	}
	defer b.logChanges(ctx)
	var err error // of the creator, of which the circuit sees the verdict alone
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

// verdictOf is what err tells of the service: nil if it answered, ErrUnavailable if it could not be asked, errNoVerdict if it
// was not asked.
func verdictOf(ctx context.Context, err error) error {
	_, failed := errors.AsType[*Error](err)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, ErrThrottled), errors.Is(err, ErrNoCredentials):
		return errNoVerdict
	case errors.Is(err, ErrUnavailable), primaryTimedOut(ctx) && errors.Is(err, context.DeadlineExceeded):
		return ErrUnavailable
	case failed, errors.Is(err, ErrDenied):
		return nil
	}
	return errNoVerdict
}

// A change is one of the circuit's state.
type change struct{ from, to gobreaker.State }

// changes are those that were not logged yet: the circuit tells of them while it is locked, when a logger must not be called.
type changes struct {
	mu   sync.Mutex
	list []change
}

func (c *changes) add(one change) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.list = append(c.list, one)
}

func (c *changes) take() []change {
	c.mu.Lock()
	defer c.mu.Unlock()
	list := c.list
	c.list = nil
	return list
}

// logChanges logs that the breaker opened or closed at warn level, and what it tries in between at debug level.
func (b *Breaker) logChanges(ctx context.Context) {
	for _, c := range b.changes.take() {
		level := slog.LevelWarn
		if c.to == gobreaker.StateHalfOpen || c.from == gobreaker.StateHalfOpen && c.to == gobreaker.StateOpen {
			level = slog.LevelDebug
		}
		b.logger.Log(ctx, level, "cdn: breaker", "from", c.from.String(), "to", c.to.String())
	}
}
