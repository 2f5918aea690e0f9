package csr

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The environment of a child process.
const (
	childDir   = "CDNCSR_TEST_CHILD_DIR"   // the key directory
	childCount = "CDNCSR_TEST_CHILD_COUNT" // how many CSRs
)

// runChild is the main function of a child process. It makes CSRs with their
// keys in dir, gets each key from there, and prints each Response as a line of
// JSON.
func runChild(dir string) (exitCode int) {
	count, err := strconv.Atoi(os.Getenv(childCount))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	g := Generator{Keys: DirStore{Path: dir}, Source: P256}
	for range count {
		resp, err := g.CreateCdnCertificateSigningRequest(context.Background(), &exampleRequest)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		if _, err = g.Keys.Get(context.Background(), resp.PubMd5); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		line, err := json.Marshal(resp)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		if _, err := os.Stdout.Write(append(line, '\n')); err != nil {
			return 1
		}
	}
	return 0
}

// newChild returns the command of a child process that makes count CSRs with
// their keys in dir.
func newChild(dir string, count int) *exec.Cmd {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childDir+"="+dir, childCount+"="+strconv.Itoa(count))
	return cmd
}

// assertStored asserts that dir has the key of each Response that a child
// process printed as a whole line, and returns their number.
func assertStored(t *testing.T, dir string, out []byte) int {
	t.Helper()
	count := 0
	lines := bufio.NewReader(bytes.NewReader(out))
	for {
		line, err := lines.ReadBytes('\n')
		if err == io.EOF {
			return count // nobody takes a part of a line for a CSR
		}
		require.NoError(t, err)
		var resp Response
		require.NoError(t, json.Unmarshal(line, &resp))
		parsed, err := resp.CertificateRequest()
		require.NoError(t, err)
		key, err := DirStore{Path: dir}.Get(t.Context(), resp.PubMd5)
		require.NoError(t, err, "a CSR was printed and its key is lost")
		require.Equal(t, parsed.PublicKey, key.Public())
		count++
	}
}

// assertOnlyKeys asserts that every file in dir is a whole key, and returns
// their number.
func assertOnlyKeys(t *testing.T, dir string) int {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if !os.IsNotExist(err) {
		require.NoError(t, err)
	}
	count := 0
	for _, entry := range entries {
		if entry.Name() == ".tmp" {
			continue
		}
		name, isKey := strings.CutSuffix(entry.Name(), ".pem")
		require.True(t, isKey, entry.Name())
		_, err := DirStore{Path: dir}.Get(t.Context(), name)
		require.NoError(t, err)
		count++
	}
	return count
}

// TestDirStore_Killed kills processes at random moments while they make CSRs:
// as many as CDNCSR_CRASH_RUNS says, by default 10. A kill proves nothing about
// fsync; TestDirStore_SystemCalls does.
func TestDirStore_Killed(t *testing.T) {
	runs := 10
	if s := os.Getenv("CDNCSR_CRASH_RUNS"); s != "" {
		var err error
		runs, err = strconv.Atoi(s)
		require.NoError(t, err)
	}
	var dir string
	printed, stored := 0, 0
	for i := range runs {
		if i%10 == 0 { // also kill processes that make the directory
			dir = filepath.Join(t.TempDir(), "new", "keys")
		}
		printed += assertStored(t, dir, killChild(t, dir, i%2 == 0))
		if i%10 == 9 || i == runs-1 {
			stored += assertOnlyKeys(t, dir)
		}
	}
	require.NotZero(t, printed, "no child lived long enough to prove anything")
	require.GreaterOrEqual(t, stored, printed)
	t.Logf("%d kills, %d CSRs printed, %d keys stored", runs, printed, stored)
}

// killChild starts a child process, kills it after a random time, and returns
// what it printed. The time begins with the process, or with its first output.
func killChild(t *testing.T, dir string, fromStart bool) []byte {
	t.Helper()
	cmd := newChild(dir, 1_000_000)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	out := bufio.NewReader(stdout)
	if !fromStart {
		_, err = out.Peek(1)
		require.NoError(t, err)
	}
	kill := time.AfterFunc(rand.N(30*time.Millisecond), func() { _ = cmd.Process.Kill() }) // Wait returns the error
	defer kill.Stop()
	text, err := io.ReadAll(out)
	require.NoError(t, err)
	killed := "signal: killed"
	if runtime.GOOS == "windows" {
		killed = "exit status 1"
	}
	require.ErrorContains(t, cmd.Wait(), killed)
	require.Empty(t, stderr.String())
	return text
}

// TestDirStore_ManyProcesses lets 16 processes use one directory at once, which
// does not exist when they start.
func TestDirStore_ManyProcesses(t *testing.T) {
	const processes, each = 16, 20
	dir := filepath.Join(t.TempDir(), "a", "b", "keys")
	var outs [processes][]byte
	var wait sync.WaitGroup
	for i := range processes {
		wait.Go(func() {
			cmd := newChild(dir, each)
			var stderr bytes.Buffer
			cmd.Stderr = &stderr
			var err error
			outs[i], err = cmd.Output()
			assert.NoError(t, err, stderr.String())
		})
	}
	wait.Wait()
	for _, out := range outs {
		assert.Equal(t, each, assertStored(t, dir, out))
	}
	assert.Equal(t, processes*each, assertOnlyKeys(t, dir))
	left, err := fs.Glob(os.DirFS(dir), ".tmp/[^.]*")
	require.NoError(t, err)
	assert.Empty(t, left, "temporary files")
}
