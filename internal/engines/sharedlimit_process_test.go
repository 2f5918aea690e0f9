package engines_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/cdn/sharedlimit"
)

// limiterEnv has the limiterJob of a process that TestLimiterProcess is.
const limiterEnv = "CDNCSR_LIMITER_JOB"

// A limiterJob is what one of the processes of a test does: so many workers
// wait for one turn after the other.
type limiterJob struct {
	Driver, DSN, Account string
	Dialect              sharedlimit.Dialect
	Processes, Workers   int
	Duration             time.Duration
}

// A limiterResult is what came of it.
type limiterResult struct {
	Passed   []int64 // when calls were let through, in nanoseconds since 1970
	Requests int64   // of the engine
	Errors   []string
	Late     time.Duration // the most that one of the machine's timers was late
}

// counted counts the requests of an engine.
type counted struct {
	sharedlimit.Turns
	requests atomic.Int64
}

func (c *counted) Take(ctx context.Context, n int, interval, ahead time.Duration) (time.Duration, bool, error) {
	c.requests.Add(1)
	return c.Turns.Take(ctx, n, interval, ahead)
}

// silent is a logger of the drivers, which tell the standard error of each
// connection that an outage ends.
type silent struct{}

func (silent) Print(...any)                           {}
func (silent) Printf(context.Context, string, ...any) {}

// TestLimiterProcess is no test: the tests start this program again to have
// processes, which do the job in limiterEnv.
func TestLimiterProcess(t *testing.T) {
	text := os.Getenv(limiterEnv)
	if text == "" {
		t.Skip("runs as a process of other tests")
	}
	var job limiterJob
	require.NoError(t, json.Unmarshal([]byte(text), &job))
	redis.SetLogger(silent{})
	require.NoError(t, mysql.SetLogger(silent{}))
	turns, closer, err := turnsDriver{job.Driver, job.Dialect}.open(job.DSN)
	require.NoError(t, err)
	defer func() { _ = closer.Close() }() // the process ends
	c := &counted{Turns: turns(job.Account)}
	limiter := &sharedlimit.Limiter{Turns: c, Processes: job.Processes}
	fmt.Println("ready")
	_, err = bufio.NewReader(os.Stdin).ReadString('\n')
	require.NoError(t, err)
	result := job.work(t.Context(), limiter)
	result.Requests = c.requests.Load()
	out, err := json.Marshal(result)
	require.NoError(t, err)
	fmt.Printf("%s\n", out)
}

func (j *limiterJob) work(ctx context.Context, limiter *sharedlimit.Limiter) *limiterResult {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	time.AfterFunc(j.Duration, cancel) // no deadline: a call that knows one is refused early
	result := new(limiterResult)
	var mu sync.Mutex
	var group sync.WaitGroup
	for range j.Workers {
		group.Go(func() {
			for {
				err := limiter.Wait(ctx)
				now := time.Now().UnixNano()
				if ctx.Err() != nil {
					return
				}
				mu.Lock()
				if err == nil {
					result.Passed = append(result.Passed, now)
				} else {
					result.Errors = append(result.Errors, err.Error())
				}
				mu.Unlock()
			}
		})
	}
	result.Late = lateness(ctx)
	group.Wait()
	return result
}

// lateness returns the most that a timer is late until ctx ends: what a
// machine that is busy with other work adds to the time of each call.
func lateness(ctx context.Context) (most time.Duration) {
	const tick = 5 * time.Millisecond
	for ctx.Err() == nil {
		begin := time.Now()
		time.Sleep(tick)
		most = max(most, time.Since(begin)-tick)
	}
	return most
}

// A limiterProcess is a process that does a job.
type limiterProcess struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

// startProcesses starts n processes that begin their job when told to.
func startProcesses(tb testing.TB, n int, job limiterJob) []*limiterProcess {
	tb.Helper()
	job.Processes = n
	text, err := json.Marshal(job)
	require.NoError(tb, err)
	processes := make([]*limiterProcess, n)
	for i := range processes {
		cmd := exec.CommandContext(tb.Context(), os.Args[0], "-test.run=^TestLimiterProcess$")
		cmd.Env = append(os.Environ(), limiterEnv+"="+string(text))
		cmd.Stderr = os.Stderr
		in, err := cmd.StdinPipe()
		require.NoError(tb, err)
		out, err := cmd.StdoutPipe()
		require.NoError(tb, err)
		require.NoError(tb, cmd.Start())
		processes[i] = &limiterProcess{cmd, in, bufio.NewReader(out)}
	}
	for _, p := range processes {
		line, err := p.out.ReadString('\n')
		require.NoError(tb, err)
		require.Equal(tb, "ready\n", line)
	}
	return processes
}

// begin tells the process to do its job.
func (p *limiterProcess) begin(tb testing.TB) {
	tb.Helper()
	_, err := io.WriteString(p.in, "go\n")
	require.NoError(tb, err)
}

// result waits for the end of the process.
func (p *limiterProcess) result(tb testing.TB) limiterResult {
	tb.Helper()
	var result limiterResult
	require.NoError(tb, json.NewDecoder(p.out).Decode(&result))
	_, err := io.Copy(io.Discard, p.out)
	require.NoError(tb, err)
	require.NoError(tb, p.cmd.Wait())
	return result
}

// kill ends the process as a crash would.
func (p *limiterProcess) kill(tb testing.TB) {
	tb.Helper()
	require.NoError(tb, p.cmd.Process.Kill())
	_ = p.cmd.Wait() // killed
}
