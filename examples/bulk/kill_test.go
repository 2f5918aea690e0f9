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

// asProgram is set in the environment of a test binary that runs as the program
// itself, so that it can be killed.
const asProgram = "BULK_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
	}
	os.Exit(m.Run())
}

// killPlan returns how often to kill the program, and the length of its list.
// BULK_KILLS=50 asks for a longer run, over 2,000 names.
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

// finish runs the program and requires that it succeeds.
func finish(t *testing.T, args ...string) {
	t.Helper()
	var stderr bytes.Buffer
	require.NoError(t, program(t, &stderr, args...).Run(), &stderr)
}

// A killer counts the calls to a fake CDN and kills the program during one.
type killer struct {
	mu    sync.Mutex
	calls int
	in    int // calls left until it kills
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

// startAndKill starts cmd, kills it during the nth call from now, and waits for
// it to exit.
func (k *killer) startAndKill(t *testing.T, cmd *exec.Cmd, nth int) {
	t.Helper()
	k.mu.Lock() // until there is a process to kill
	k.in, k.kill = nth, func() { _ = cmd.Process.Kill() }
	err := cmd.Start()
	k.mu.Unlock()
	require.NoError(t, err)
	require.Error(t, cmd.Wait(), "exited before it was killed: %s", cmd.Stderr)
}

// The program is killed during a call, which the next run repeats. Each worker
// may have such a call.
func TestBulk_SurvivesKillsWithRemoteKeys(t *testing.T) {
	kills, names := killPlan(t)
	srv := cdntest.NewServer(t)
	killer := new(killer)
	srv.API.Source, srv.API.OnRequest = csr.P256, killer.onRequest
	setCredentials(t, "testid", "testsecret")
	out := filepath.Join(t.TempDir(), "out.jsonl")
	workers := strconv.Itoa(killWorkers)
	args := []string{"-mode", "remote", "-endpoint", srv.URL, "-out", out, "-workers", workers, listOf(t, names)}

	for range kills {
		killer.startAndKill(t, program(t, new(bytes.Buffer), args...), 1+rand.IntN(35)) // fewer than the names per kill
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

// The program is killed after a random number of keys.
func TestBulk_SurvivesKillsWithLocalKeys(t *testing.T) {
	kills, names := killPlan(t)
	dir := t.TempDir()
	keys, out := filepath.Join(dir, "keys"), filepath.Join(dir, "out.jsonl")
	workers := strconv.Itoa(killWorkers)
	args := []string{"-key-type", "p-256", "-keys", keys, "-out", out, "-workers", workers, listOf(t, names)}

	for range kills {
		var stderr bytes.Buffer
		cmd := program(t, &stderr, args...)
		until := countFiles(keys) + rand.IntN(60)
		require.NoError(t, cmd.Start())
		exited := make(chan error, 1)
		go func() { exited <- cmd.Wait() }()
		killAfter(cmd, keys, until, exited)
	}
	finish(t, args...)

	records := readRecords(t, out)
	require.Len(t, records, names)
	for _, r := range records {
		requireKey(t, csr.DirStore{Path: keys}, r)
	}
	assert.LessOrEqual(t, countFiles(keys), names+kills*killWorkers)
}

// killAfter kills cmd when the directory holds n keys, and waits for it to
// exit.
func killAfter(cmd *exec.Cmd, keys string, n int, exited <-chan error) {
	poll := time.NewTicker(time.Millisecond)
	defer poll.Stop()
	for countFiles(keys) < n {
		select {
		case <-exited: // with fewer keys
			return
		case <-poll.C:
		}
	}
	_ = cmd.Process.Kill() // it may have exited
	<-exited
}

// countFiles returns the number of key files in a directory.
func countFiles(keys string) int {
	files, err := filepath.Glob(filepath.Join(keys, "*.pem"))
	if err != nil {
		panic(err) // a malformed pattern
	}
	return len(files)
}
