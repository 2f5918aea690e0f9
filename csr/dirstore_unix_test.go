//go:build unix

package csr

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestDirStore_Modes(t *testing.T) {
	_, _, file := putKey(t, filepath.Join(t.TempDir(), "new", "keys"))
	for path, want := range map[string]fs.FileMode{
		file:                             0o600,
		filepath.Dir(file):               fs.ModeDir | 0o700,
		filepath.Dir(filepath.Dir(file)): fs.ModeDir | 0o700,
	} {
		info, err := os.Lstat(path)
		require.NoError(t, err)
		assert.Equal(t, want, info.Mode(), path)
	}
}

// TestDirStore_AllowGroup does to a directory and its keys what Kubernetes does
// to a volume at each mount when the Pod has an fsGroup.
func TestDirStore_AllowGroup(t *testing.T) {
	dir := newDir(t)
	_, name, file := putKey(t, dir)
	other := newTestKey(t, P256)
	otherName, err := PubMD5(other.Public())
	require.NoError(t, err)
	err = filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			return os.Chmod(path, 0o770|fs.ModeSetgid)
		}
		return os.Chmod(path, 0o660)
	})
	require.NoError(t, err)

	refusing, allowing := DirStore{Path: dir}, DirStore{Path: dir, AllowGroup: true}
	_, err = refusing.Get(t.Context(), name)
	assert.ErrorContains(t, err, "chmod go-w "+dir)
	assert.ErrorContains(t, refusing.Put(t.Context(), otherName, other), "chmod go-w "+dir)

	_, err = allowing.Get(t.Context(), name)
	assert.NoError(t, err)
	require.NoError(t, allowing.Put(t.Context(), otherName, other))
	_, err = allowing.Get(t.Context(), otherName)
	assert.NoError(t, err)

	require.NoError(t, os.Chmod(file, 0o664))
	_, err = allowing.Get(t.Context(), name)
	assert.ErrorContains(t, err, "chmod o-rwx "+file)
}
