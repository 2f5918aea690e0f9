package sharedlimit_test

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestDependencies_StandardLibraryOnly(t *testing.T) {
	const format = "{{if not .Standard}}{{.ImportPath}}{{end}}"
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", "-f", format, ".").Output()
	require.NoError(t, err)
	assert.Equal(t, []string{"github.com/cdncsr/cdncsr/cdn/sharedlimit"}, strings.Fields(string(out)))
}
