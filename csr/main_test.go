package csr

import (
	"os"
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
