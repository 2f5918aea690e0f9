package main

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/cdncsr/cdncsr/cdn"
	"github.com/cdncsr/cdncsr/examples/internal/cli"
)

// A batch is one run of the program over a list.
type batch struct {
	creator cdn.CSRCreator
	journal *journal
	display *display

	total  int          // rows in the list
	before int          // rows with a record from an earlier run
	failed atomic.Int64 // rows reported as failed in this run

	unserved atomic.Int64 // consecutive calls during which the CDN was unavailable
}

// maxUnserved is the number of consecutive calls without an available CDN after
// which the run stops.
const maxUnserved = 64

// run makes the missing CSRs with the given number of workers. It returns nil
// if every row has its CSR.
func (b *batch) run(ctx context.Context, workers int, rows []row) error {
	stoppable, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	noted := make(chan struct{})
	cancelNote := context.AfterFunc(ctx, func() {
		b.display.note("finishing the calls in progress; interrupt again to quit now")
		close(noted)
	})
	missing := b.missing(rows)
	removeBar := b.display.follow(b.progress())
	cli.ForEach(stoppable, min(workers, len(missing)), missing, func(r row) {
		// A call in progress goes on: a canceled one could leave a key without
		// its CSR.
		if err := b.create(context.WithoutCancel(ctx), r); err != nil {
			stop(err)
		}
	})
	if !cancelNote() {
		<-noted
	}
	err := b.journal.close()
	removeBar()
	return b.result(context.Cause(stoppable), err)
}

// missing counts the rows and returns those that need a call. It reports the
// invalid ones.
func (b *batch) missing(rows []row) []row {
	b.total = len(rows)
	var missing []row
	for _, r := range rows {
		switch {
		case r.err != nil:
			b.report(r, r.err)
		case b.journal.names[r.key()]:
			b.before++
		default:
			missing = append(missing, r)
		}
	}
	return missing
}

// create makes the CSR of a row. It returns only errors that would occur for
// every other row too, such as wrong credentials or an unusable key directory.
func (b *batch) create(ctx context.Context, r row) error {
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
		if b.unserved.Add(1) >= maxUnserved {
			return fmt.Errorf("the CDN could not serve %d calls in a row", maxUnserved)
		}
		return nil
	}
	return fmt.Errorf("line %d: %w", r.line, err)
}

func (b *batch) report(r row, err error) {
	b.failed.Add(1)
	b.display.note("line %d: %v", r.line, err)
}

// progress returns a function that returns the progress so far.
func (b *batch) progress() func() progress {
	start := time.Now()
	return func() progress {
		return progress{
			total: b.total, before: b.before, done: b.journal.done(), failed: int(b.failed.Load()),
			elapsed: time.Since(start),
		}
	}
}

// result returns the error of the run, or nil if every row has its CSR. stopped
// is the error that stopped the workers, or nil.
func (b *batch) result(stopped, journalErr error) error {
	done := b.before + b.journal.done()
	have := fmt.Sprintf("%d of %d names have a CSR in %s", done, b.total, b.journal.path)
	switch {
	case journalErr != nil:
		return fmt.Errorf("%s: write the results: %w; %s", have, journalErr, runAgain)
	case done == b.total:
		b.display.note("%s", have)
		return nil
	case errors.Is(stopped, context.Canceled):
		return fmt.Errorf("%s: interrupted; %s", have, runAgain)
	case stopped != nil:
		return fmt.Errorf("%s: %w; %s", have, stopped, runAgain)
	}
	return fmt.Errorf("%s: %d failed, as reported above; %s", have, b.failed.Load(), runAgain)
}

const runAgain = "run the same command again to do the rest"
