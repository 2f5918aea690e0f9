package examples_test

import (
	"bufio"
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	_ "github.com/cdncsr/cdncsr/cdn/cdntest" // go test runs this test again when the library has changed
)

// shell runs the README's commands one after the other, each program from a binary of it, in a directory of its own.
type shell struct {
	dir  string
	env  []string
	fake string // the URL of fakecdn, which takes the place of the README's
}

// fakeURL is what the README has fakecdn listen on; the test takes a free port instead.
const fakeURL = "http://127.0.0.1:8080"

// TestREADME_CommandsRun runs every line of the README's sh blocks. The block that follows shows what the last one printed.
func TestREADME_CommandsRun(t *testing.T) {
	sh := &shell{dir: t.TempDir(), env: os.Environ()}
	var printed string
	for _, f := range fences(readREADME(t, "README.md")) {
		switch f.language {
		case "sh":
			for line := range strings.Lines(f.text) {
				printed = sh.run(t, strings.TrimSpace(line))
			}
		case "":
			require.NotEmpty(t, printed)
			assert.Equal(t, variable(f.text), variable(printed))
		}
	}
	require.NotEmpty(t, sh.fake)
}

// variable replaces what differs between two runs: IDs, digests, CSRs.
func variable(output string) string {
	for pattern, name := range map[string]string{
		`[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}`: "ID",
		`[0-9a-f]{32}`: "MD5",
		`(BEGIN CERTIFICATE REQUEST-----\\n)[^"]*(\\n-----END CERTIFICATE REQUEST-----\\n)`: "${1}CSR${2}",
	} {
		output = regexp.MustCompile(pattern).ReplaceAllString(output, name)
	}
	return output
}

// run runs one command and returns what it printed, the error output first.
func (sh *shell) run(t *testing.T, line string) string {
	t.Helper()
	words := strings.Fields(line)
	switch command := strings.Join(words[:min(2, len(words))], " "); {
	case command == "go get":
		requireModule(t, words[2:])
	case command == "go test":
		assert.Equal(t, []string{"./..."}, words[2:]) // what is running now
	case words[0] == "export":
		sh.env = append(sh.env, words[1:]...)
	case line == "go run ./examples/fakecdn -addr 127.0.0.1:8080":
		sh.startFake(t)
	case command == "go run":
		return sh.runProgram(t, words[2], words[3:])
	default:
		t.Errorf("README.md: %q: a command that this test does not know", line)
	}
	return ""
}

// requireModule requires that a go get is for a package of this module: for a module alone it would not get what its packages
// need.
func requireModule(t *testing.T, args []string) {
	t.Helper()
	require.Len(t, args, 1)
	folder, ok := strings.CutPrefix(args[0], modulePath(t))
	require.True(t, ok, args[0])
	require.DirExists(t, ".."+folder)
}

// modulePath returns the path of this module.
func modulePath(t *testing.T) string {
	t.Helper()
	mod, err := os.ReadFile("../go.mod")
	require.NoError(t, err)
	path, _, _ := strings.Cut(strings.TrimPrefix(string(mod), "module "), "\n")
	return path
}

func (sh *shell) build(t *testing.T, folder string) string {
	t.Helper()
	sources, err := filepath.Glob("../" + folder + "/*.go")
	require.NoError(t, err)
	for _, source := range sources { // read, so that go test runs this test again when the program has changed
		_, err = os.ReadFile(source)
		require.NoError(t, err)
	}
	binary := filepath.Join(sh.dir, filepath.Base(folder)+".exe")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", binary, folder)
	build.Dir = ".."
	out, err := build.CombinedOutput()
	require.NoError(t, err, string(out))
	return binary
}

func (sh *shell) runProgram(t *testing.T, folder string, args []string) string {
	t.Helper()
	for i, arg := range args {
		if arg == fakeURL {
			args[i] = sh.fake
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
	require.NoError(t, program.Start())
	t.Cleanup(func() {
		_ = program.Process.Kill() // whether it ends well is for its own tests
		_ = program.Wait()
	})
	line, err := bufio.NewReader(stdout).ReadString('\n')
	require.NoError(t, err)
	url, ok := strings.CutPrefix(line, "listening on ")
	require.True(t, ok, line)
	sh.fake = strings.TrimSpace(url)
}
