package errortexts

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/cdn/cdntest"
	"github.com/cdncsr/cdncsr/csr"
	"github.com/cdncsr/cdncsr/signer"
)

// programSections are the texts of the examples.
func programSections(t *testing.T) []section {
	bin := buildExamples(t)
	return []section{
		{"examples/create", []string{"create: "}, createTexts(bin)},
		{"examples/bulk", []string{"bulk: "}, bulkTexts(bin)},
		{"examples/fakecdn", []string{"fakecdn: "}, fakecdnTexts(bin)},
		{"examples/service", []string{"service: "}, serviceTexts(bin)},
		{"examples/service, its answers", []string{`{"Error":"`}, serviceAnswers(bin)},
		{"examples/quickstart", []string{"TIME cdn: ", "TIME csr: ", "TIME CSR_MODE "}, quickstartTexts(bin)},
	}
}

// buildExamples builds the examples and returns their directory.
func buildExamples(t *testing.T) string {
	t.Helper()
	bin := t.TempDir()
	args := []string{"build", "-ldflags=-s -w", "-o", bin + string(filepath.Separator)}
	for _, name := range []string{"create", "bulk", "fakecdn", "service", "quickstart"} {
		args = append(args, "../../examples/"+name)
	}
	out, err := exec.CommandContext(t.Context(), "go", args...).CombinedOutput()
	require.NoError(t, err, string(out))
	return bin
}

// A run is a program with its arguments, in an empty directory of its own.
type run struct {
	program string
	args    []string
	files   map[string]string // that are in the directory
	env     []string          // besides credentials that a fake CDN knows
	line    int               // of stderr, from 0, where the text is
}

// command is the program, ready to be started. It is interrupted when ctx ends.
func (r run) command(ctx context.Context, t *testing.T) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(ctx, r.program, r.args...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.Dir = t.TempDir()
	for name, content := range r.files {
		require.NoError(t, os.WriteFile(filepath.Join(cmd.Dir, name), []byte(content), 0o600))
	}
	cmd.Env = append(
		[]string{"ALIBABA_CLOUD_ACCESS_KEY_ID=" + hiddenKey.AccessKeyID, "ALIBABA_CLOUD_ACCESS_KEY_SECRET=" + hiddenKey.AccessKeySecret},
		r.env...,
	)
	return cmd
}

// fail runs the program, which must fail, and returns what it said in its line.
func (r run) fail(t *testing.T) error {
	t.Helper()
	return r.failAs(t, r.command(t.Context(), t))
}

// failAs is fail for a command that was made of r.
func (r run) failAs(t *testing.T, cmd *exec.Cmd) error {
	t.Helper()
	var stderr strings.Builder
	cmd.Stderr = &stderr
	var exit *exec.ExitError
	require.ErrorAs(t, cmd.Run(), &exit, "it ended as if all were well: %s", stderr.String())
	lines := strings.Split(strings.TrimSuffix(stderr.String(), "\n"), "\n")
	require.Greater(t, len(lines), r.line, stderr.String())
	return errors.New(lines[r.line])
}

// newServer starts a fake CDN that knows the access key of every run.
func newServer(t *testing.T, faults ...cdntest.Fault) *cdntest.Server {
	t.Helper()
	srv := cdntest.NewServer(t)
	srv.API.Credentials = []signer.Credentials{{AccessKeyID: hiddenKey.AccessKeyID, AccessKeySecret: hiddenKey.AccessKeySecret}}
	srv.API.Source = csr.P256
	srv.API.Inject(faults...)
	return srv
}

// busy is a service that asks to come back so late that no client of this library waits for it.
var busy = cdntest.Fault{Status: 503, Code: "ServiceUnavailable", Message: "Try later.", Header: http.Header{"Retry-After": {"60"}}}

// takenAddress is an address that someone listens on.
func takenAddress(t *testing.T) string {
	t.Helper()
	srv := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(srv.Close)
	return srv.Listener.Addr().(*net.TCPAddr).String()
}
