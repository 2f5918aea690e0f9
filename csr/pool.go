package csr

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// A Pool is a [KeySource] that makes keys ahead of time, so that a call need
// not wait the tens or hundreds of milliseconds that an RSA key takes. One
// goroutine makes them, on at most one core. No key is returned twice.
type Pool struct {
	source KeySource
	ready  chan crypto.Signer
	cancel context.CancelFunc
	done   chan struct{} // closed when fill has returned
}

// maxPoolSize is more keys than a program needs, and few enough to allocate
// room for them at once: 1 MiB.
const maxPoolSize = 1 << 16

// NewPool returns a Pool that keeps up to size keys from source ready, and
// starts to make them. The caller must call Close when the Pool is no longer
// needed. NewPool returns an error if source is nil or a nil pointer, or if
// size is not in the range from 1 to 65,536.
func NewPool(source KeySource, size int) (*Pool, error) {
	if isNil(source) {
		return nil, errors.New("csr: pool: the key source is nil")
	}
	if size < 1 || size > maxPoolSize {
		return nil, fmt.Errorf("csr: pool: size %d: want 1 to %d", size, maxPoolSize)
	}
	ctx, cancel := context.WithCancel(context.Background())
	p := &Pool{
		source: source,
		ready:  make(chan crypto.Signer, size-1), // fill keeps one more until there is room
		cancel: cancel,
		done:   make(chan struct{}),
	}
	go p.fill(ctx)
	return p, nil
}

// NewKey returns a key that is ready. If none is, or if the Pool is closed, it
// gets one from the source and does not wait for the goroutine. An error is the
// source's, or matches ctx.Err(): NewKey returns when ctx ends, and drops the
// key of a source that returns later. If the source panics or calls
// runtime.Goexit, NewKey returns an error, which %+v prints with the stack.
func (p *Pool) NewKey(ctx context.Context) (crypto.Signer, error) {
	if p == nil || p.source == nil {
		return nil, errors.New("csr: pool: not made by NewPool")
	}
	if err := withCause(ctx, ctx.Err()); err != nil {
		return nil, fmt.Errorf("csr: pool: %w", err)
	}
	select {
	case key := <-p.ready:
		return key, nil
	default:
	}
	select {
	case asked := <-p.ask(ctx):
		return asked.key, asked.err
	case <-ctx.Done():
		return nil, fmt.Errorf("csr: pool: %w", withCause(ctx, ctx.Err()))
	}
}

// Close stops making keys and drops those that are ready. It cancels the
// context of the source and waits until the source returns. It may be called
// more than once, and always returns nil.
func (p *Pool) Close() error {
	if p == nil || p.source == nil {
		return nil
	}
	p.cancel()
	<-p.done
	for {
		select {
		case <-p.ready:
		default:
			return nil
		}
	}
}

// fill makes keys until ctx ends. After each further failure in a row it waits
// longer.
func (p *Pool) fill(ctx context.Context) {
	defer close(p.done)
	wait := backoff.NewExponentialBackOff()
	for ctx.Err() == nil {
		asked := <-p.ask(ctx) // Close waits for a source that ignores its context
		if asked.err != nil { // NewKey gets it too, and returns it
			sleep(ctx, wait.NextBackOff())
			continue
		}
		wait.Reset()
		select {
		case p.ready <- asked.key:
		case <-ctx.Done():
		}
	}
}

// A keyResult is what a source returned.
type keyResult struct {
	key crypto.Signer
	err error
}

// ask calls the source and returns a channel that gets the result. The source
// runs in a goroutine of its own, so that neither a panic nor runtime.Goexit
// ends the one that asks.
func (p *Pool) ask(ctx context.Context) <-chan keyResult {
	results := make(chan keyResult, 1) // nobody may wait for the result
	go func() {
		var result keyResult
		returned := false
		defer func() {
			if !returned {
				result.err = &sourceExit{source: p.source, value: recover(), stack: debug.Stack()}
			}
			results <- result
		}()
		result.key, result.err = newKey(ctx, p.source)
		returned = true
	}()
	return results
}

// A sourceExit is the error of a key source that did not return.
type sourceExit struct {
	source KeySource
	value  any // of the panic; nil after runtime.Goexit
	stack  []byte
}

func (e *sourceExit) Error() string {
	if e.value == nil {
		return fmt.Sprintf("csr: pool: the key source %T called runtime.Goexit", e.source)
	}
	return fmt.Sprintf("csr: pool: the key source %T panicked: %v", e.source, e.value)
}

// Unwrap returns the value of the panic if that is an error.
func (e *sourceExit) Unwrap() error {
	err, _ := e.value.(error)
	return err
}

// Format adds the stack to what %+v prints.
func (e *sourceExit) Format(s fmt.State, verb rune) {
	_, _ = fmt.Fprintf(s, fmt.FormatString(s, verb), e.Error()) // s keeps the error
	if verb == 'v' && s.Flag('+') {
		_, _ = fmt.Fprintf(s, "\n%s", e.stack)
	}
}

// sleep waits for d, or until ctx ends.
func sleep(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}
