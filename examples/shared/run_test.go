package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// needPrograms skips the test if an outside program is missing; if the
// environment has CI=true, the test fails.
func needPrograms(t *testing.T, patterns ...string) {
	t.Helper()
	for _, pattern := range patterns {
		paths, err := filepath.Glob(pattern)
		require.NoError(t, err)
		_, lookErr := exec.LookPath(filepath.Base(pattern))
		if len(paths) > 0 || lookErr == nil {
			continue
		}
		if os.Getenv("CI") == "true" {
			t.Fatalf("%s is not installed", pattern)
		}
		t.Skipf("%s is not installed", pattern)
	}
}

func TestScript_ShowsWhatItSays(t *testing.T) {
	needPrograms(t, "/usr/lib/postgresql/*/bin/postgres", "redis-server", "curl", "openssl")
	out, err := exec.CommandContext(t.Context(), "./run.sh").CombinedOutput()
	require.NoError(t, err, "%s", out)
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	assert.Contains(t, string(out), "whose key has: CDN\n")
	assert.Contains(t, string(out), "whose key has: local\n")
	assert.Equal(t, "the second process has the key of this CSR", lines[len(lines)-1])
}

// Each variable that the program needs is in the compose file, the script and
// the README.
func TestConfig_IsInEveryDocument(t *testing.T) {
	var needed []string
	_, err := readConfig(func(name string) string {
		needed = append(needed, name)
		return ""
	})
	require.Error(t, err)
	require.NotEmpty(t, needed)
	for _, document := range []string{"compose.yaml", "run.sh", "README.md"} {
		text, err := os.ReadFile(document)
		require.NoError(t, err)
		for _, name := range needed {
			assert.Contains(t, string(text), name, document)
		}
	}
}
