package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cdncsr/cdncsr/cdn"
)

// A batch is a run of the program over a list.
type batch struct {
	creator cdn.CSRCreator
	journal *journal
	display *display

	total  int          // rows of the list
	before int          // of these, those that had a record before this run
	failed atomic.Int64 // of these, those that were reported

	unserved atomic.Int64 // calls in a row that the CDN could not serve
}

// mostUnserved is how many calls in a row the CDN may fail to serve before the rest of the list is left to another run.
const mostUnserved = 64

// run makes the CSRs that are missing, workers at a time. It returns nil if each row has its CSR.
func (b *batch) run(ctx context.Context, workers int, rows []row) error {
	stoppable, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	noted := make(chan struct{})
	quiet := context.AfterFunc(ctx, func() {
		b.display.note("finishing the calls under way; interrupt again to end at once")
		close(noted)
	})
	missing := b.missing(rows)
	ended := b.display.follow(b.progress())
	forEach(stoppable, min(workers, len(missing)), missing, func(r row) {
		// A call that was begun is finished: ending it would leave a key without its CSR.
		if err := b.make(context.WithoutCancel(ctx), r); err != nil {
			stop(err)
		}
	})
	if !quiet() {
		<-noted
	}
	err := b.journal.close()
	ended()
	return b.verdict(context.Cause(stoppable), err)
}

// missing counts the rows and returns those that are to be asked for; those that can't be are reported.
func (b *batch) missing(rows []row) []row {
	b.total = len(rows)
	var missing []row
	for _, r := range rows {
		switch {
		case r.err != nil:
			b.report(r, r.err)
		case b.journal.names[r.name()]:
			b.before++
		default:
			missing = append(missing, r)
		}
	}
	return missing
}

// make makes the CSR of a row. An error is one that any other row would meet as well.
func (b *batch) make(ctx context.Context, r row) error {
	resp, err := b.creator.CreateCdnCertificateSigningRequest(ctx, &r.request)
	switch {
	case err == nil:
		b.unserved.Store(0)
		return b.journal.append(r.request.CommonName, resp)
	case errors.Is(err, cdn.ErrInvalidRequest):
		b.report(r, err)
		return nil
	case errors.Is(err, cdn.ErrUnavailable), errors.Is(err, cdn.ErrThrottled):
		b.report(r, err)
		if b.unserved.Add(1) >= mostUnserved {
			return fmt.Errorf("%d calls in a row were not served, so the rest is not tried: wait, or call less often", mostUnserved)
		}
		return nil
	}
	return fmt.Errorf("line %d: %w", r.line, err)
}

func (b *batch) report(r row, err error) {
	b.failed.Add(1)
	b.display.note("line %d: %v", r.line, err)
}

// progress returns a function that tells how far the batch is.
func (b *batch) progress() func() progress {
	start := time.Now()
	return func() progress {
		return progress{
			total: b.total, before: b.before, done: b.journal.done(), failed: int(b.failed.Load()), elapsed: time.Since(start),
		}
	}
}

// verdict is how the batch ended: stopped tells why not every row was tried, or is nil.
func (b *batch) verdict(stopped, journalErr error) error {
	done := b.before + b.journal.done()
	have := fmt.Sprintf("%d of %d names have a CSR in %s", done, b.total, b.journal.path)
	switch {
	case journalErr != nil:
		return fmt.Errorf("%s: put this right and run the same command again: %w", have, journalErr)
	case done == b.total:
		b.display.note("%s", have)
		return nil
	case errors.Is(stopped, context.Canceled):
		return fmt.Errorf("%s: stopped: run the same command again to go on", have)
	case stopped != nil:
		return fmt.Errorf("%s: put this right and run the same command again: %w", have, stopped)
	}
	return fmt.Errorf("%s: %d failed for the reasons above: put right what is wrong and run the same command again", have, b.failed.Load())
}

// forEach calls do for each item, so many at a time, and returns when each call has. Once ctx has ended none is begun.
func forEach[T any](ctx context.Context, atATime int, items []T, do func(T)) {
	queue := make(chan T)
	var workers sync.WaitGroup
	for range atATime {
		workers.Go(func() {
			for item := range queue {
				if ctx.Err() == nil {
					do(item)
				}
			}
		})
	}
	for _, item := range items {
		if ctx.Err() != nil {
			break
		}
		select {
		case queue <- item:
		case <-ctx.Done():
		}
	}
	close(queue)
	workers.Wait()
}
