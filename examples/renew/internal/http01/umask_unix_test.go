//go:build unix

package http01

import (
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The web server can read a proof though the umask of the program hides what it
// makes. The mode of a folder that was there is kept.
func TestDir_ModesWithoutUmask(t *testing.T) {
	old := syscall.Umask(0o077)
	t.Cleanup(func() { syscall.Umask(old) })
	d, kept := Dir(t.TempDir()), Dir(t.TempDir())
	require.NoError(t, os.Mkdir(filepath.Join(string(kept), ".well-known"), 0o750))
	for _, root := range []Dir{d, kept} {
		require.NoError(t, root.Present(t.Context(), challenge))
	}
	mode := func(root Dir, name string) fs.FileMode {
		info, err := os.Stat(filepath.Join(string(root), name))
		require.NoError(t, err)
		return info.Mode().Perm()
	}
	assert.Equal(t, fs.FileMode(0o755), mode(d, ".well-known"))
	assert.Equal(t, fs.FileMode(0o755), mode(d, filepath.Dir(path)))
	assert.Equal(t, fs.FileMode(0o644), mode(d, path))
	assert.Equal(t, fs.FileMode(0o700), mode(kept, ".well-known"))
}
