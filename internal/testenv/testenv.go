// Package testenv has what tests need from outside the module: programs, mounts
// and permissions. A test that lacks one is skipped; if the environment has CI
// set, where everything must be there, it fails.
package testenv

import (
	"os"
	"os/exec"
	"testing"
)

// SkipOrFail ends a test because something is missing.
func SkipOrFail(t *testing.T, missing string) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatal(missing)
	}
	t.Skip(missing)
}

// Program returns the path of a program. If it is not installed, the test ends.
func Program(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		SkipOrFail(t, name+" is not installed")
	}
	return path
}
