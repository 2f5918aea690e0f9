package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestIsTerminal(t *testing.T) {
	file, err := os.Create(filepath.Join(t.TempDir(), "file"))
	require.NoError(t, err)
	defer func() { require.NoError(t, file.Close()) }()
	device, err := os.Open(os.DevNull)
	require.NoError(t, err)
	defer func() { require.NoError(t, device.Close()) }()
	assert.False(t, IsTerminal(new(bytes.Buffer)))
	assert.False(t, IsTerminal(file))
	assert.True(t, IsTerminal(device))
}
