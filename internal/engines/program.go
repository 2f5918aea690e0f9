package engines

import (
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

// Program returns the path of a program: the one in PATH, or else the last one
// that matches pattern, which is a name or a path in which * stands for a
// version. Without it the test is skipped, or fails if the environment has
// CI=true.
func Program(tb testing.TB, pattern string) string {
	tb.Helper()
	if path, err := exec.LookPath(filepath.Base(pattern)); err == nil {
		return path
	}
	paths, err := filepath.Glob(pattern)
	require.NoError(tb, err)
	for i := len(paths) - 1; i >= 0; i-- { // the newest version first
		if path, err := exec.LookPath(paths[i]); err == nil {
			return path
		}
	}
	if os.Getenv("CI") == "true" {
		tb.Fatalf("%s is not installed", pattern)
	}
	tb.Skipf("%s is not installed", pattern)
	return ""
}

// Program returns the path of a program of the engine, such as pg_dump: the one
// beside the server's, which has its version, or else as the function Program
// does.
func (e *Engine) Program(name string) string {
	e.tb.Helper()
	if path, err := exec.LookPath(beside(e.program, name)); err == nil {
		return path
	}
	return Program(e.tb, name)
}

// beside returns the path that a program called name has if it is in the same
// directory as program.
func beside(program, name string) string {
	if resolved, err := filepath.EvalSymlinks(program); err == nil {
		program = resolved
	}
	return filepath.Join(filepath.Dir(program), name)
}

// freePort returns a free port of loopback. It is below the ports that Linux
// gives to outgoing connections: a client that dials a port of those while its
// engine is down may be connected to itself. It is a random one, because other
// test programs choose ports at the same time, and an engine that is about to
// start, or to start again, does not hold its own.
func freePort(tb testing.TB) string {
	tb.Helper()
	const first, end = 20000, 32000
	for range end - first {
		port := strconv.Itoa(first + rand.IntN(end-first))
		listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", port))
		if err != nil {
			continue
		}
		require.NoError(tb, listener.Close())
		return port
	}
	tb.Fatal("no port is free")
	return ""
}
