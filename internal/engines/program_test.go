package engines

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestProgram_InPathOrTheNewest(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("PATH", dir)
	pattern := filepath.Join(dir, "*", "bin", "server")
	for _, version := range []string{"15", "17", "18"} {
		bin := filepath.Join(dir, version, "bin")
		require.NoError(t, os.MkdirAll(bin, 0o700))
		if version != "18" { // of which only clients are installed
			require.NoError(t, os.WriteFile(filepath.Join(bin, "server"), nil, 0o700))
		}
	}
	assert.Equal(t, filepath.Join(dir, "17", "bin", "server"), Program(t, pattern))

	inPath := filepath.Join(dir, "server")
	require.NoError(t, os.Symlink(filepath.Join(dir, "15", "bin", "server"), inPath))
	assert.Equal(t, inPath, Program(t, pattern))
	assert.Equal(t, filepath.Join(dir, "15", "bin", "dump"), beside(inPath, "dump"))
}

// TestProgram_Missing runs itself in an environment that lacks the engines.
func TestProgram_Missing(t *testing.T) {
	const child = "CDNCSR_ENGINES_MISSING"
	if os.Getenv(child) != "" {
		Program(t, "no-such-program")
		return
	}
	for ci, want := range map[string]string{"": "--- SKIP", "true": "--- FAIL"} {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestProgram_Missing$", "-test.v")
		cmd.Env = append(os.Environ(), child+"=1", "CI="+ci)
		out, err := cmd.CombinedOutput()
		assert.Equal(t, ci == "true", err != nil, "%s", out)
		assert.Contains(t, string(out), want, "CI=%s", ci)
		assert.Contains(t, string(out), "no-such-program is not installed", "CI=%s", ci)
	}
}

func TestTail(t *testing.T) {
	assert.Equal(t, "one\ntwo", tail("one\ntwo\n"))
	lines := strings.Split(tail(strings.Repeat("begin\n", 10)+strings.Repeat("end\n", 29)+strings.Repeat("x", 1000)), "\n")
	assert.Len(t, lines, 30)
	assert.Equal(t, "end", lines[0])
	assert.Equal(t, strings.Repeat("x", 200)+"…", lines[29])
}
