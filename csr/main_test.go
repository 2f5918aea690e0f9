package csr

import (
	"os"
	"os/exec"
	"testing"

	"go.uber.org/goleak"
)

// TestMain runs the tests and fails if a goroutine is left. In a child process
// of a test it runs that test's part instead.
func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		os.Exit(runChild(dir))
	}
	goleak.VerifyTestMain(m)
}

// skipOrFail ends a test that needs something outside the module: a program, a
// file, or a permission. It fails the test in CI, which has all of it, and
// skips it otherwise.
func skipOrFail(t *testing.T, missing string) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatal(missing)
	}
	t.Skip(missing)
}

// needProgram returns the path of a program. If there is none, it calls
// skipOrFail.
func needProgram(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		skipOrFail(t, name+" is not installed")
	}
	return path
}
