package csr

import (
	"os"
	"os/exec"
	"testing"

	"go.uber.org/goleak"
)

// TestMain runs the tests and fails if a goroutine is left. In a child process of
// a test it runs runChild.
func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		os.Exit(runChild(dir))
	}
	goleak.VerifyTestMain(m)
}

// skipOrFail skips a test that misses something outside the module: a program, a
// file, a permission. In CI, where nothing may be missing, the test fails.
func skipOrFail(t *testing.T, missing string) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatal(missing)
	}
	t.Skip(missing)
}

// needProgram returns the path of a program. Without it, the test ends by
// skipOrFail.
func needProgram(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		skipOrFail(t, name+" is not installed")
	}
	return path
}
