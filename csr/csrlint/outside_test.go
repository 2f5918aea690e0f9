package csrlint

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/internal/testenv"
)

// buildModule builds the program in internal/name, a module of its own, and
// returns its path. Nothing is downloaded for it; without its dependencies the
// test is skipped, or fails in CI.
func buildModule(t *testing.T, name string) string {
	t.Helper()
	folder, program := filepath.Join("..", "..", "internal", name), filepath.Join(t.TempDir(), name+".exe")
	for _, file := range []string{"main.go", "go.mod", "go.sum"} { // read, so that go test runs this again after a change
		_, err := os.ReadFile(filepath.Join(folder, file))
		require.NoError(t, err)
	}
	build := exec.CommandContext(t.Context(), testenv.Program(t, "go"), "build", "-o", program, ".")
	build.Dir = folder
	build.Env = append(os.Environ(), "GOPROXY=off", "GOFLAGS=-mod=readonly", "GOWORK=off")
	out, err := build.CombinedOutput()
	if strings.Contains(string(out), "GOPROXY=off") {
		testenv.SkipOrFail(t, name+" is not downloaded: run go mod download in internal/"+name)
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
