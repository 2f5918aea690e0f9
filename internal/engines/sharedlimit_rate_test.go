package engines_test

import (
	"os"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/cdncsr/cdncsr/internal/engines"
)

// limits are what a run of processes has to keep to. The short ones leave room
// for a machine that does other things at the same time.
type limits struct {
	duration              time.Duration
	least, most           int     // calls in all
	mostInSecond          int     // in any second
	requestsPerCall       float64 // of the engine
	downFrom, downFor     time.Duration
	leastInSecondOfOutage int // in each second from the beginning on
	mostInSecondOfOutage  int
}

// runLimits returns the limits of a short run or, if the environment has
// CDNCSR_ENGINES_FULL, those that the package promises on an idle machine.
func runLimits() limits {
	if os.Getenv("CDNCSR_ENGINES_FULL") != "" {
		return limits{
			duration: 10 * time.Second, least: 990, most: 1010, mostInSecond: 103, requestsPerCall: 1.1,
			downFrom: 3 * time.Second, downFor: 3 * time.Second, leastInSecondOfOutage: 60, mostInSecondOfOutage: 110,
		}
	}
	return limits{
		duration: 3 * time.Second, least: 200, most: 310, mostInSecond: 110, requestsPerCall: 1.3,
		downFrom: time.Second, downFor: time.Second, leastInSecondOfOutage: 20, mostInSecondOfOutage: 115,
	}
}

// A tally is what all processes of a run did together.
type tally struct {
	passed   []time.Duration // since the beginning, in order
	requests int
	errors   []string
	late     time.Duration // the most that one of the machine's timers was late
}

// slack is how many calls more than allowed may pass in a second because
// timers were late: all calls of that time pass at its end.
func (s *tally) slack() int { return int(s.late / (10 * time.Millisecond)) }

// runProcesses lets n processes do the job; during is called meanwhile.
func runProcesses(tb testing.TB, n int, job limiterJob, during func()) *tally {
	tb.Helper()
	processes := startProcesses(tb, n, job)
	begin := time.Now().UnixNano()
	for _, p := range processes {
		p.begin(tb)
	}
	during()
	sum := new(tally)
	for _, p := range processes {
		result := p.result(tb)
		sum.requests += int(result.Requests)
		sum.errors = append(sum.errors, result.Errors[:min(3, len(result.Errors))]...) // the others say the same
		sum.late = max(sum.late, result.Late)
		for _, at := range result.Passed {
			sum.passed = append(sum.passed, time.Duration(at-begin))
		}
	}
	slices.Sort(sum.passed)
	return sum
}

// mostIn returns the most calls in any window.
func (s *tally) mostIn(window time.Duration) int {
	most, first := 0, 0
	for last, at := range s.passed {
		for at-s.passed[first] >= window {
			first++
		}
		most = max(most, last-first+1)
	}
	return most
}

// bySecond returns the calls in each second from the beginning on.
func (s *tally) bySecond(duration time.Duration) []int {
	counts := make([]int, int(duration/time.Second))
	for _, at := range s.passed {
		if second := int(at / time.Second); second < len(counts) {
			counts[second]++
		}
	}
	return counts
}

func TestLimiter(t *testing.T) {
	for _, e := range turnsEngines {
		t.Run(e.name, func(t *testing.T) {
			engine, driver := e.start(t), e.drivers[0]
			driver.create(t, engine)
			job := limiterJob{Driver: driver.name, Dialect: driver.dialect, DSN: engine.DSN(engines.Access{}), Workers: 8}
			t.Run("ProcessesShareTheRate", func(t *testing.T) { testRate(t, job) })
			t.Run("AbandonedCallsCostOneSecondAtMost", func(t *testing.T) { testAbandoned(t, job) })
			t.Run("EngineStoppedAndStartedAgain", func(t *testing.T) { testOutage(t, job, engine) })
		})
	}
}

func testRate(t *testing.T, job limiterJob) {
	want := runLimits()
	job.Account, job.Duration = "rate", want.duration
	got := runProcesses(t, 8, job, func() {})
	calls := len(got.passed)
	perCall := float64(got.requests) / float64(max(calls, 1))
	t.Logf("%d calls in %s, at most %d in a second, %.2f requests a call; timers up to %s late",
		calls, want.duration, got.mostIn(time.Second), perCall, got.late)
	assert.Empty(t, got.errors)
	assert.GreaterOrEqual(t, calls, want.least)
	assert.LessOrEqual(t, calls, want.most)
	assert.LessOrEqual(t, got.mostIn(time.Second), want.mostInSecond+got.slack())
	assert.LessOrEqual(t, perCall, want.requestsPerCall)
}

// testAbandoned kills 8 processes in which 512 calls wait.
func testAbandoned(t *testing.T, job limiterJob) {
	want := runLimits()
	job.Account, job.Workers, job.Duration = "abandoned", 64, time.Minute
	abandoned := startProcesses(t, 8, job)
	for _, p := range abandoned {
		p.begin(t)
	}
	<-time.After(500 * time.Millisecond)
	job.Workers, job.Duration = 8, want.duration
	for _, p := range abandoned {
		p.kill(t)
	}
	next := runProcesses(t, 8, job, func() {})
	calls := len(next.passed)
	t.Logf("the next run: %d calls in %s", calls, want.duration)
	assert.Empty(t, next.errors)
	assert.GreaterOrEqual(t, calls, want.least-100)
}

func testOutage(t *testing.T, job limiterJob, engine *engines.Engine) {
	want := runLimits()
	job.Account, job.Duration = "outage", want.duration
	got := runProcesses(t, 8, job, func() {
		<-time.After(want.downFrom)
		engine.Kill()
		<-time.After(want.downFor)
		engine.Start()
	})
	seconds := got.bySecond(want.duration)
	t.Logf("calls in each second: %v; at most %d in any; timers up to %s late", seconds, got.mostIn(time.Second), got.late)
	assert.Empty(t, got.errors)
	for second, calls := range seconds {
		assert.GreaterOrEqual(t, calls, want.leastInSecondOfOutage, "second %d", second)
	}
	assert.LessOrEqual(t, got.mostIn(time.Second), want.mostInSecondOfOutage+got.slack())
}
