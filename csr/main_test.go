package csr

import (
	"os"
	"os/exec"
	"testing"

	"go.uber.org/goleak"
)

// TestMain runs the tests, or what a child process of one of them is to do, and fails if a goroutine is left.
func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		os.Exit(runChild(dir))
	}
	goleak.VerifyTestMain(m)
}

// skipOrFail ends a test that misses something outside the module: a program, a file, a permission. In CI, where all of
// it must be there, that is a failure.
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
