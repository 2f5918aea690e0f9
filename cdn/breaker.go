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

// Breaker is a [CSRCreator] in front of another one, such as a [*Client]. After
// repeated [ErrUnavailable] it opens: calls then fail at once with
// ErrUnavailable and nothing is sent, except for single calls that it lets
// through as probes. As the Primary of a [Fallback] it spares callers the wait
// for a service that is down. A Breaker is safe for concurrent use. Make one
// with [NewBreaker]; the zero value is not usable.
//
// Any answer of the service counts as available, even a refusal. A call does
// not count if its caller ended it, if it was refused before it was sent, if it
// was throttled, or if there were no credentials. A call that the
// PrimaryTimeout of a Fallback ended counts as unavailable, unless it waited
// for most of its time in the queue of its own client.
type Breaker struct {
	creator    CSRCreator
	circuit    *gobreaker.TwoStepCircuitBreaker[*csr.Response]
	probeLimit time.Duration
	logger     *slog.Logger
	changes    changes
}

// BreakerOptions change what a [Breaker] does. Each zero field means its
// default.
type BreakerOptions struct {
	// Failures is how many calls in a row must be unavailable for the breaker
	// to open. The default is 5.
	Failures int

	// ProbeInterval is how long the breaker stays open before it lets the next
	// call through as a probe. An answer closes it; ErrUnavailable keeps it
	// open for as long again, and so does a probe that takes longer than a
	// minute, or than ProbeInterval if that is longer. The default is 5 s.
	ProbeInterval time.Duration

	// Logger gets a record at warn level when the breaker opens or closes, and
	// at debug level for a probe. If nil, nothing is logged.
	Logger *slog.Logger
}

const (
	defaultFailures      = 5
	defaultProbeInterval = 5 * time.Second
	minProbeLimit        = time.Minute // longer than a call with the default options
)

// NewBreaker returns a closed breaker in front of creator. If opts is nil, the
// defaults are used.
func NewBreaker(creator CSRCreator, opts *BreakerOptions) (*Breaker, error) {
	if isNil(creator) {
		return nil, errors.New("cdn: breaker: nil CSRCreator")
	}
	var set BreakerOptions
	if opts != nil {
		set = *opts
	}
	if set.Failures < 0 {
		return nil, fmt.Errorf("cdn: BreakerOptions.Failures %d is negative", set.Failures)
	}
	if set.ProbeInterval < 0 {
		return nil, fmt.Errorf("cdn: BreakerOptions.ProbeInterval %s is negative", set.ProbeInterval)
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
	b := &Breaker{creator: creator, probeLimit: max(set.ProbeInterval, minProbeLimit), logger: set.Logger}
	b.circuit = gobreaker.NewTwoStepCircuitBreaker[*csr.Response](gobreaker.Settings{
		MaxRequests:   1,
		Timeout:       set.ProbeInterval,
		ReadyToTrip:   func(counts gobreaker.Counts) bool { return int(counts.ConsecutiveFailures) >= set.Failures },
		IsExcluded:    func(err error) bool { return errors.Is(err, errNoOutcome) },
		OnStateChange: func(_ string, from, to gobreaker.State) { b.changes.add(change{from, to}) },
	})
	return b, nil
}

// errNoOutcome is the outcome of a call that does not show whether the service
// is available.
var errNoOutcome = errors.New("cdn: no outcome")

// CreateCdnCertificateSigningRequest calls the creator behind the breaker. If
// the breaker is open, it fails with [ErrUnavailable].
func (b *Breaker) CreateCdnCertificateSigningRequest(ctx context.Context, req *csr.Request) (*csr.Response, error) {
	if ctx.Err() != nil {
		return nil, fmt.Errorf("cdn: %w", contextError(ctx))
	}
	defer b.logChanges(ctx)
	report, err := b.circuit.Allow()
	if err != nil {
		const message = "the breaker is open after repeated failures: nothing was sent"
		return nil, &Error{kind: ErrUnavailable, Message: message}
	}
	outcome := errNoOutcome // of a call that panics or ends its goroutine
	var once sync.Once
	if b.circuit.State() == gobreaker.StateHalfOpen {
		timer := time.AfterFunc(b.probeLimit, func() { once.Do(func() { report(ErrUnavailable) }) })
		defer timer.Stop()
	}
	defer func() { once.Do(func() { report(outcome) }) }()
	resp, err := b.creator.CreateCdnCertificateSigningRequest(ctx, req)
	outcome = outcomeOf(ctx, err)
	return resp, err
}

// IsOpen reports whether the breaker lets nothing through but a probe.
func (b *Breaker) IsOpen() bool { return b.circuit.State() != gobreaker.StateClosed }

// outcomeOf returns nil if the service answered, ErrUnavailable if it did not,
// and errNoOutcome if err does not show which.
func outcomeOf(ctx context.Context, err error) error {
	_, failed := errors.AsType[*Error](err)
	_, waited := errors.AsType[queued](err)
	switch {
	case err == nil:
		return nil
	case waited, errors.Is(ctx.Err(), context.Canceled): // whose cause may be of another call
		return errNoOutcome
	case errors.Is(err, ErrThrottled), errors.Is(err, ErrNoCredentials):
		return errNoOutcome
	case errors.Is(err, ErrUnavailable), primaryTimedOut(ctx) && errors.Is(err, context.DeadlineExceeded):
		return ErrUnavailable
	case failed, errors.Is(err, ErrDenied):
		return nil
	}
	return errNoOutcome
}

// A change is a change of the circuit's state.
type change struct{ from, to gobreaker.State }

// changes collects the changes that are not logged yet: the circuit reports
// them under its lock, where a logger must not be called.
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

// logChanges logs at warn level that the breaker opened or closed, and at debug
// level that it probes.
func (b *Breaker) logChanges(ctx context.Context) {
	for _, c := range b.changes.take() {
		level := slog.LevelWarn
		if c.to == gobreaker.StateHalfOpen || c.from == gobreaker.StateHalfOpen && c.to == gobreaker.StateOpen {
			level = slog.LevelDebug
		}
		b.logger.Log(ctx, level, "cdn: breaker", "from", c.from.String(), "to", c.to.String())
	}
}
