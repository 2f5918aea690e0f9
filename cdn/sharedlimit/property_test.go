package sharedlimit_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"

	"github.com/cdncsr/cdncsr/cdn/sharedlimit"
)

// A call of Wait, as a property test draws it.
type call struct {
	process         int
	after           time.Duration // since the beginning
	timeout, cancel time.Duration // 0: none
	err             error
	returned        time.Duration
}

func drawMilliseconds(t *rapid.T, label string, most int) time.Duration {
	return time.Duration(rapid.IntRange(0, most).Draw(t, label)) * time.Millisecond
}

func TestProperty_EveryCallReturnsAndTheRateHolds(t *testing.T) {
	const procs = 3
	rapid.Check(t, func(rt *rapid.T) {
		rate := rapid.SampledFrom([]int{1, 7, 30, 100, 1000}).Draw(rt, "rate")
		latency := drawMilliseconds(rt, "latency", 40)
		downFrom := drawMilliseconds(rt, "down from", 4000)
		downFor := drawMilliseconds(rt, "down for", 3000)
		kind := rapid.SampledFrom([]outage{refuses, isStopped, isLossy}).Draw(rt, "kind")
		calls := make([]*call, rapid.IntRange(1, 150).Draw(rt, "calls"))
		for i := range calls {
			calls[i] = &call{
				process: rapid.IntRange(0, procs-1).Draw(rt, "process"),
				after:   drawMilliseconds(rt, "after", 5000),
				timeout: drawMilliseconds(rt, "timeout", 2000),
				cancel:  drawMilliseconds(rt, "cancel", 2000),
			}
		}
		passed := make([]*passes, procs)
		synctest.Test(t, func(t *testing.T) {
			turns := &fakeTurns{latency: latency}
			if downFor > 0 {
				turns.breakFor(kind, downFrom, downFor)
			}
			for i := range passed {
				passed[i] = startPasses()
			}
			limiters := make([]*sharedlimit.Limiter, procs)
			for i := range limiters {
				limiters[i] = &sharedlimit.Limiter{Turns: turns, Rate: rate, Processes: procs}
			}
			var group sync.WaitGroup
			for _, c := range calls {
				group.Go(func() { c.run(t.Context(), limiters[c.process], passed[c.process]) })
			}
			group.Wait()
			time.Sleep(10 * time.Second) // for the requests under way, and the outage
		})
		all := new(passes)
		for _, p := range passed {
			all.at = append(all.at, p.at...)
		}
		// A late answer shifts a turn, and an outage is seen by one
		// process earlier than by the next. Errors that soon end change nothing.
		slack := 1 + int(2*latency*time.Duration(rate)/time.Second)
		if kind != refuses && downFor > 0 || downFor > 400*time.Millisecond {
			slack += 5
		}
		if got := all.most(time.Second); got > rate+slack {
			rt.Fatalf("%d calls passed in a second: want at most %d", got, rate+slack)
		}
		for i, c := range calls {
			if problem := c.problem(); problem != "" {
				rt.Fatalf("call %d: %s: %+v", i, problem, *c)
			}
		}
	})
	assert.False(t, t.Failed())
}

func (c *call) run(ctx context.Context, limiter *sharedlimit.Limiter, passed *passes) {
	time.Sleep(c.after)
	begin := time.Now()
	if c.timeout > 0 {
		var stop context.CancelFunc
		ctx, stop = context.WithTimeout(ctx, c.timeout)
		defer stop()
	}
	if c.cancel > 0 {
		var stop context.CancelFunc
		ctx, stop = context.WithCancel(ctx)
		defer stop()
		defer time.AfterFunc(c.cancel, stop).Stop()
	}
	if c.err = limiter.Wait(ctx); c.err == nil {
		passed.note()
	}
	c.returned = time.Since(begin)
}

// problem says what is wrong with the outcome of a call.
func (c *call) problem() string {
	switch {
	case c.timeout > 0 && c.returned > c.timeout:
		return "it returned after its deadline"
	case c.cancel > 0 && c.returned > c.cancel:
		return "it returned after it was canceled"
	case c.timeout == 0 && c.cancel == 0 && c.err != nil:
		return "it failed without a reason"
	}
	return ""
}
