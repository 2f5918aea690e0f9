package csr

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// Pool is a [KeySource] that has keys ready, so that a call need not wait the tens or hundreds of milliseconds that an
// RSA key takes. One goroutine makes them ahead of time, on at most one core. A key is handed out once.
type Pool struct {
	source KeySource
	size   int
	ready  chan crypto.Signer
	cancel context.CancelFunc
	done   chan struct{} // closed when the filler has ended
}

// NewPool returns a Pool that keeps up to size keys of source ready, and starts to make them. Close it when it is no
// longer needed. If source is nil or size is below one, nothing is started, and NewKey and Close return an error that
// says so.
func NewPool(source KeySource, size int) *Pool {
	p := &Pool{source: source, size: size}
	if p.usable() != nil {
		return p
	}
	ctx, cancel := context.WithCancel(context.Background())
	p.cancel = cancel
	p.done = make(chan struct{})
	p.ready = make(chan crypto.Signer, size-1) // and one in the hands of the filler
	go p.fill(ctx)
	return p
}

// NewKey returns a key that is ready. If none is, or if the pool is closed, it asks the source at once and doesn't wait
// for the keys being made ahead of time. The error is the context's, or the source's.
func (p *Pool) NewKey(ctx context.Context) (crypto.Signer, error) {
	if err := p.usable(); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("csr: pool: %w", err)
	}
	select {
	case key := <-p.ready:
		return key, nil
	default:
		return newKey(ctx, p.source)
	}
}

// Close stops making keys, waits until that has stopped (for a key that is being made, unless the source heeds its
// context), and forgets the keys that are ready. It may be called more than once; its error is always that of NewPool's
// arguments.
func (p *Pool) Close() error {
	if err := p.usable(); err != nil {
		return err
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

// usable returns an error if NewPool could not start anything.
func (p *Pool) usable() error {
	switch {
	case p == nil || isNil(p.source):
		return errors.New("csr: pool: no key source: make one with NewPool(source, size)")
	case p.size < 1:
		return fmt.Errorf("csr: pool: size %d: want 1 or more", p.size)
	}
	return nil
}

// fill makes keys until ctx ends, and waits longer after each failure in a row.
func (p *Pool) fill(ctx context.Context) {
	defer close(p.done)
	wait := backoff.NewExponentialBackOff()
	for ctx.Err() == nil {
		key, err := newKey(ctx, p.source)
		if err != nil { // NewKey will meet it too, and tell its caller
			sleep(ctx, wait.NextBackOff())
			continue
		}
		wait.Reset()
		select {
		case p.ready <- key:
		case <-ctx.Done():
		}
	}
}

// sleep waits for d, or until ctx ends.
func sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
