package examples_test

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	_ "github.com/cdncsr/cdncsr/cdn/cdntest" // a changed library invalidates the cached result of this test
)

// The addresses in the README. The test replaces them by free ports.
const (
	readmeFake    = "http://127.0.0.1:8080"
	readmeService = "http://127.0.0.1:8090"
)

// shell runs the README's commands in turn, in a directory of its own.
type shell struct {
	dir           string
	env           []string
	fake, service string // URLs of the running programs
}

// TestREADME_CommandsRun runs every command in the README's sh blocks. A block
// without a language shows the output of the command before it.
func TestREADME_CommandsRun(t *testing.T) {
	sh := &shell{dir: t.TempDir(), env: os.Environ()}
	var output string
	compared := 0
	for _, f := range fences(readREADME(t, "README.md")) {
		switch f.language {
		case "sh":
			for line := range strings.Lines(f.text) {
				line, _, _ = strings.Cut(line, " #")
				for command := range strings.SplitSeq(line, "&&") {
					output = sh.run(t, strings.TrimSpace(command))
				}
			}
		case "":
			compared++
			assert.Equal(t, replaceVariable(f.text), replaceVariable(output))
		}
	}
	assert.Positive(t, compared)
	assert.NotEmpty(t, sh.fake)
	assert.NotEmpty(t, sh.service)
	assert.FileExists(t, filepath.Join(sh.dir, "csrs.jsonl"))
}

// replaceVariable replaces what differs between two runs: key IDs and CSRs.
func replaceVariable(output string) string {
	output = regexp.MustCompile(`[0-9a-f]{32}`).ReplaceAllString(output, "MD5")
	return regexp.MustCompile(`(?s)(BEGIN CERTIFICATE REQUEST-----\n).+(\n-----END)`).
		ReplaceAllString(output, "${1}CSR${2}")
}

// run runs one command and returns its output, stderr before stdout.
func (sh *shell) run(t *testing.T, command string) string {
	t.Helper()
	command, background := strings.CutSuffix(command, " &")
	words := strings.Fields(command)
	switch {
	case strings.HasPrefix(command, "go mod "): // TestREADME_InANewModule runs these
	case command == "go build ./examples/...": // as build does, below
	case command == "go test ./...": // this test is a part of it
	case command == "go run .":
		return sh.runProgram(t, "./examples/quickstart")
	case words[0] == "export":
		sh.env = append(sh.env, words[1:]...)
	case command == "go run ./examples/fakecdn -addr "+strings.TrimPrefix(readmeFake, "http://"):
		require.True(t, background, command)
		sh.startFake(t)
	case command == "go run ./examples/service -endpoint "+readmeFake:
		require.True(t, background, command)
		sh.startService(t)
	case command == "curl --retry 9 --retry-connrefused -X POST "+readmeService+"/csrs/example.com":
		sh.post(t, "/csrs/example.com")
	case strings.HasPrefix(command, "go run ./examples/"):
		return sh.runProgram(t, words[2], words[3:]...)
	default:
		t.Errorf("README.md: %q: a command that this test does not know", command)
	}
	return ""
}

// build builds a program of this module and returns the path of its binary.
func (sh *shell) build(t *testing.T, folder string) string {
	t.Helper()
	sources, err := filepath.Glob("../" + folder + "/*.go")
	require.NoError(t, err)
	for _, source := range sources { // reading a file makes the cached result of this test depend on it
		_, err = os.ReadFile(source)
		require.NoError(t, err)
	}
	binary := filepath.Join(sh.dir, filepath.Base(folder)+".exe")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", binary, folder)
	build.Dir = ".."
	output, err := build.CombinedOutput()
	require.NoError(t, err, string(output))
	return binary
}

func (sh *shell) runProgram(t *testing.T, folder string, args ...string) string {
	t.Helper()
	for i, arg := range args {
		switch {
		case arg == readmeFake:
			args[i] = sh.fake
		case strings.HasPrefix(arg, "examples/"): // relative to the clone
			path, err := filepath.Abs("../" + arg)
			require.NoError(t, err)
			args[i] = path
		}
	}
	program := exec.CommandContext(t.Context(), sh.build(t, folder), args...)
	program.Dir, program.Env = sh.dir, sh.env
	var stdout, stderr bytes.Buffer
	program.Stdout, program.Stderr = &stdout, &stderr
	require.NoError(t, program.Run(), stderr.String())
	return stderr.String() + stdout.String()
}

// startFake runs fakecdn on a free port until the test ends.
func (sh *shell) startFake(t *testing.T) {
	t.Helper()
	program := exec.CommandContext(t.Context(), sh.build(t, "./examples/fakecdn"))
	stdout, err := program.StdoutPipe()
	require.NoError(t, err)
	sh.fake = startProgram(t, program, stdout)
}

// startService runs service on a free port until the test ends.
func (sh *shell) startService(t *testing.T) {
	t.Helper()
	binary := sh.build(t, "./examples/service")
	program := exec.CommandContext(t.Context(), binary, "-endpoint", sh.fake, "-addr", "127.0.0.1:0")
	program.Dir, program.Env = sh.dir, sh.env
	stderr, err := program.StderrPipe()
	require.NoError(t, err)
	sh.service = startProgram(t, program, stderr)
}

// startProgram starts a program, which the end of the test kills, and returns
// the URL in the first line of its output.
func startProgram(t *testing.T, program *exec.Cmd, output io.Reader) string {
	t.Helper()
	require.NoError(t, program.Start())
	t.Cleanup(func() {
		_ = program.Process.Kill() // its own tests check how it exits
		_ = program.Wait()
	})
	line, err := bufio.NewReader(output).ReadString('\n')
	require.NoError(t, err)
	url := regexp.MustCompile(`http://[0-9.]+:[0-9]+`).FindString(line)
	require.NotEmpty(t, url, line)
	return url
}

// post sends a POST request to the running service.
func (sh *shell) post(t *testing.T, path string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, sh.service+path, nil)
	require.NoError(t, err)
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	assert.Equal(t, http.StatusCreated, resp.StatusCode)
}
