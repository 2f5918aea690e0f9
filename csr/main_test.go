package csr

import (
	"os"
	"os/exec"
	"testing"
)

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
