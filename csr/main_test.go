package csr

import (
	"os"
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
