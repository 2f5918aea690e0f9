package main

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/internal/engines"
)

func TestScript_ShowsWhatItSays(t *testing.T) {
	for _, program := range []string{"/usr/lib/postgresql/*/bin/postgres", "redis-server", "curl", "openssl"} {
		engines.Program(t, program)
	}
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
