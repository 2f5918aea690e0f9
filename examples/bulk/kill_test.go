package main

import (
	"bytes"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/cdn/cdntest"
	"github.com/cdncsr/cdncsr/csr"
)

// asProgram makes the test binary be the program itself, so that it can be killed.
const asProgram = "BULK_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
	}
	os.Exit(m.Run())
}

// killPlan is how often the program is killed, and over how many names: BULK_KILLS=50 is the long form, over 2,000.
func killPlan(t *testing.T) (kills, names int) {
	t.Helper()
	kills = 5
	if text := os.Getenv("BULK_KILLS"); text != "" {
		var err error
		kills, err = strconv.Atoi(text)
		require.NoError(t, err)
	}
	return kills, 40 * kills
}

const killWorkers = 8

func program(t *testing.T, stderr *bytes.Buffer, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], args...)
	cmd.Env = append(os.Environ(), asProgram+"=1")
	cmd.Stderr = stderr
	return cmd
}

// finish runs the program to its end.
func finish(t *testing.T, args ...string) {
	t.Helper()
	var stderr bytes.Buffer
	require.NoError(t, program(t, &stderr, args...).Run(), &stderr)
}

// A killer counts the calls of a fake CDN and kills from within one of them.
type killer struct {
	mu    sync.Mutex
	calls int
	in    int // calls until it kills
	kill  func()
}

func (k *killer) onRequest(cdntest.Request) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.calls++
	if k.in--; k.in == 0 {
		k.kill()
	}
}

// startAndKill starts cmd, kills it in the nth call from now on, and waits for its end.
func (k *killer) startAndKill(t *testing.T, cmd *exec.Cmd, nth int) {
	t.Helper()
	k.mu.Lock() // until there is a process to kill
	k.in, k.kill = nth, func() { _ = cmd.Process.Kill() }
	err := cmd.Start()
	k.mu.Unlock()
	require.NoError(t, err)
	require.Error(t, cmd.Wait(), "it ended before it was killed: %s", cmd.Stderr)
}

// TestBulk_KilledWhileTheCDNMakesCSRs kills the program within a call, which is then repeated, as may be one of each worker.
func TestBulk_KilledWhileTheCDNMakesCSRs(t *testing.T) {
	kills, names := killPlan(t)
	srv := cdntest.NewServer(t)
	killer := new(killer)
	srv.API.Source, srv.API.OnRequest = csr.P256, killer.onRequest
	setCredentials(t, "testid", "testsecret")
	out := filepath.Join(t.TempDir(), "out.jsonl")
	args := []string{"-mode", "remote", "-endpoint", srv.URL, "-out", out, "-workers", strconv.Itoa(killWorkers), listOf(t, names)}

	for range kills {
		killer.startAndKill(t, program(t, new(bytes.Buffer), args...), 1+rand.IntN(35)) // fewer than there are names for each
	}
	finish(t, args...)

	records := readRecords(t, out)
	require.Len(t, records, names)
	for _, r := range records {
		requireKey(t, &srv.API.Keys, r)
	}
	killer.mu.Lock()
	defer killer.mu.Unlock()
	assert.LessOrEqual(t, killer.calls-names, kills*killWorkers)
}

// TestBulk_KilledWhileThisMachineMakesCSRs kills the program after a random number of keys.
func TestBulk_KilledWhileThisMachineMakesCSRs(t *testing.T) {
	kills, names := killPlan(t)
	dir := t.TempDir()
	keys, out := filepath.Join(dir, "keys"), filepath.Join(dir, "out.jsonl")
	args := []string{"-key-type", "p-256", "-keys", keys, "-out", out, "-workers", strconv.Itoa(killWorkers), listOf(t, names)}

	for range kills {
		var stderr bytes.Buffer
		cmd := program(t, &stderr, args...)
		until := countFiles(keys) + rand.IntN(60)
		require.NoError(t, cmd.Start())
		ended := make(chan error, 1)
		go func() { ended <- cmd.Wait() }()
		killAfter(cmd, keys, until, ended)
	}
	finish(t, args...)

	records := readRecords(t, out)
	require.Len(t, records, names)
	for _, r := range records {
		requireKey(t, csr.DirStore{Path: keys}, r)
	}
	assert.LessOrEqual(t, countFiles(keys), names+kills*killWorkers)
}

// killAfter kills cmd when there are so many keys, and waits for its end.
func killAfter(cmd *exec.Cmd, keys string, until int, ended <-chan error) {
	look := time.NewTicker(time.Millisecond)
	defer look.Stop()
	for countFiles(keys) < until {
		select {
		case <-ended: // before there were so many
			return
		case <-look.C:
		}
	}
	_ = cmd.Process.Kill() // it may have ended
	<-ended
}

// countFiles is the number of keys.
func countFiles(keys string) int {
	files, err := filepath.Glob(filepath.Join(keys, "*.pem"))
	if err != nil {
		panic(err) // the pattern is bad
	}
	return len(files)
}
