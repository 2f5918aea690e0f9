package csrlint

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// skipOrFail ends a test that lacks something outside the module. In CI, where
// everything must be there, the test fails.
func skipOrFail(t *testing.T, missing string) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatal(missing)
	}
	t.Skip(missing)
}

// needProgram returns the path of a program, or ends the test as skipOrFail does.
func needProgram(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		skipOrFail(t, name+" is not installed")
	}
	return path
}

// buildModule builds the program in internal/name, a module of its own, and
// returns its path. Nothing is downloaded for it; without its dependencies the
// test ends as skipOrFail does.
func buildModule(t *testing.T, name string) string {
	t.Helper()
	folder, program := filepath.Join("..", "..", "internal", name), filepath.Join(t.TempDir(), name+".exe")
	for _, file := range []string{"main.go", "go.mod", "go.sum"} { // read, so that go test runs this again after a change
		_, err := os.ReadFile(filepath.Join(folder, file))
		require.NoError(t, err)
	}
	build := exec.CommandContext(t.Context(), needProgram(t, "go"), "build", "-o", program, ".")
	build.Dir = folder
	build.Env = append(os.Environ(), "GOPROXY=off", "GOFLAGS=-mod=readonly", "GOWORK=off")
	out, err := build.CombinedOutput()
	if strings.Contains(string(out), "GOPROXY=off") {
		skipOrFail(t, name+" is not downloaded: run go mod download in internal/"+name)
	}
	require.NoError(t, err, string(out))
	return program
}

// ask runs a program that answers each PEM block with a line.
func ask(t *testing.T, program, pems string) []string {
	t.Helper()
	command := exec.CommandContext(t.Context(), program)
	command.Stdin, command.Stderr = strings.NewReader(pems), os.Stderr
	out, err := command.Output()
	require.NoError(t, err)
	return strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
}
