package engines

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// startTimeout bounds the start of an engine, its recovery after a crash
// included.
const startTimeout = 60 * time.Second

// An Engine is the server process of a database that a test started. It ends
// with the test. Its methods fail the test instead of returning errors and
// must be called from one goroutine at a time.
type Engine struct {
	Addr string // the server's HOST:PORT, the same after a restart
	Dir  string // its data directory; removed at the end
	Log  string // the file that has the server's messages

	tb      testing.TB
	kind    kind
	program string
	process *exec.Cmd
	ended   chan struct{} // closed when process has ended
}

// A kind is what one brand of server needs.
type kind struct {
	name    string
	program string         // name or pattern of the server's program
	user    string         // the account to run as if the test runs as root; empty: root will do
	driver  string         // of database/sql; empty: no SQL
	stop    syscall.Signal // asks it to end without waiting for its clients
	end     syscall.Signal // ends it and its children at once

	prepare func(program, dir string) *exec.Cmd // makes the data directory; nil: the server does
	args    func(dir, port string) []string
	dsn     func(Access) string
	ping    func(ctx context.Context, dsn string) error
}

// Access says how to connect to an engine. The zero value connects the
// administrator directly.
type Access struct {
	User   string // an account without a password; empty: the administrator
	Addr   string // HOST:PORT, such as a proxy's; empty: the engine's own
	Params string // further parameters of the driver, as in "a=b&c=d"
}

// start starts an engine with further arguments for its server.
func start(tb testing.TB, k kind, settings []string) *Engine {
	tb.Helper()
	program := Program(tb, k.program)
	dir, err := os.MkdirTemp("", "cdncsr-"+k.name+"-")
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, os.RemoveAll(dir)) })
	port := freePort(tb)
	e := &Engine{
		Addr: net.JoinHostPort("127.0.0.1", port), Dir: filepath.Join(dir, "data"), Log: filepath.Join(dir, "log"),
		tb: tb, kind: k, program: program,
	}
	require.NoError(tb, os.Mkdir(e.Dir, 0o700))
	require.NoError(tb, giveTo(k.user, dir, e.Dir))
	if k.prepare != nil {
		e.run(k.prepare(program, e.Dir))
	}
	args := k.args
	e.kind.args = func(dir, port string) []string { return append(args(dir, port), settings...) }
	tb.Cleanup(e.finish)
	e.Start()
	return e
}

// DSN returns the data source name for the engine's usual driver: the URL of
// PostgreSQL, the DSN of go-sql-driver/mysql, the URL of Redis.
func (e *Engine) DSN(a Access) string {
	if a.Addr == "" {
		a.Addr = e.Addr
	}
	return e.kind.dsn(a)
}

// DB opens the engine for the administrator, until the test ends.
func (e *Engine) DB() *sql.DB {
	e.tb.Helper()
	db, err := sql.Open(e.kind.driver, e.DSN(Access{}))
	require.NoError(e.tb, err)
	e.tb.Cleanup(func() { _ = db.Close() }) // the engine may have gone
	return db
}

// Start starts the server on the data and the port that it had, and returns
// when it answers.
func (e *Engine) Start() {
	e.tb.Helper()
	require.Nil(e.tb, e.process, "%s runs already", e.kind.name)
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	var err error
	for ctx.Err() == nil { // PostgreSQL refuses to start while a child of its killed predecessor lives
		if err = e.launch(ctx); err == nil {
			return
		}
		e.halt(e.kind.end)
		pause(ctx)
	}
	require.NoError(e.tb, err, "%s did not start:\n%s", e.kind.name, e.messages())
}

// Kill ends the server with SIGKILL, as a crash would.
func (e *Engine) Kill() {
	e.tb.Helper()
	require.NotNil(e.tb, e.process, "%s does not run", e.kind.name)
	e.halt(syscall.SIGKILL)
}

// Stop asks the server to end without waiting for its clients.
func (e *Engine) Stop() {
	e.tb.Helper()
	require.NotNil(e.tb, e.process, "%s does not run", e.kind.name)
	e.halt(e.kind.stop)
}

// launch starts the server and returns nil when it answers.
func (e *Engine) launch(ctx context.Context) error {
	log, err := os.OpenFile(e.Log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }() // the server has its own descriptor
	_, port, err := net.SplitHostPort(e.Addr)
	if err != nil {
		return err
	}
	cmd := exec.Command(e.program, e.kind.args(e.Dir, port)...)
	cmd.Stdout, cmd.Stderr = log, log
	if err := e.confine(cmd); err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = cmd.Wait() // killed, mostly; messages tells why it ended by itself
	}()
	e.process, e.ended = cmd, ended
	for {
		if err = e.kind.ping(ctx, e.DSN(Access{})); err == nil {
			return nil
		}
		select {
		case <-ended:
			return fmt.Errorf("it ended: %w", err)
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		default:
			pause(ctx)
		}
	}
}

// halt sends the server a signal and waits for its end.
func (e *Engine) halt(signal syscall.Signal) {
	e.tb.Helper()
	if e.process == nil {
		return
	}
	_ = e.process.Process.Signal(signal) // it may have ended
	select {
	case <-e.ended:
	case <-time.After(startTimeout):
		_ = e.process.Process.Kill()
		<-e.ended
		e.tb.Errorf("%s did not end within %s of %s", e.kind.name, startTimeout, signal)
	}
	e.process = nil
}

// finish ends the server with the test and shows what it said if that failed.
func (e *Engine) finish() {
	e.halt(e.kind.end)
	if e.tb.Failed() {
		e.tb.Logf("%s said at last:\n%s", e.kind.name, e.messages())
	}
}

// messages returns the end of the server's log.
func (e *Engine) messages() string {
	text, err := os.ReadFile(e.Log)
	if err != nil {
		return err.Error()
	}
	return tail(string(text))
}

// tail returns the last lines of a log, the long ones shortened.
func tail(text string) string {
	const most, width = 30, 200
	lines := strings.Split(strings.TrimSpace(text), "\n")
	lines = lines[max(0, len(lines)-most):]
	for i, line := range lines {
		if len(line) > width {
			lines[i] = line[:width] + "…"
		}
	}
	return strings.Join(lines, "\n")
}

// run runs a command as the server's user.
func (e *Engine) run(cmd *exec.Cmd) {
	e.tb.Helper()
	require.NoError(e.tb, e.confine(cmd))
	out, err := cmd.CombinedOutput()
	require.NoError(e.tb, err, "%s:\n%s", cmd, tail(string(out)))
}

// confine makes cmd run as the server's user and in the engine's directory,
// with its temporary files too: MariaDB deletes those of others when it starts.
func (e *Engine) confine(cmd *exec.Cmd) error {
	cmd.Dir = e.Dir
	cmd.Env = append(os.Environ(), "TMPDIR="+filepath.Dir(e.Dir))
	return runAs(cmd, e.kind.user)
}

// pause waits a moment for a process outside, or until ctx ends.
func pause(ctx context.Context) {
	select {
	case <-ctx.Done():
	case <-time.After(20 * time.Millisecond):
	}
}
