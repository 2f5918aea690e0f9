package keydir

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// newPath returns the path of a directory that does not exist yet.
func newPath(t *testing.T) string {
	t.Helper()
	return filepath.Join(t.TempDir(), "keys")
}

// create creates the directory path, which is closed when the test ends.
func create(t *testing.T, path string) *Dir {
	t.Helper()
	dir, err := Create(path, false)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, dir.Close()) })
	return dir
}

// createWithKey creates a new directory that has a file "key", and closes it.
func createWithKey(t *testing.T) (path string) {
	t.Helper()
	path = newPath(t)
	dir, err := Create(path, false)
	require.NoError(t, err)
	require.NoError(t, dir.Add("key", []byte("data")))
	require.NoError(t, dir.Close())
	return path
}

// tryBoth adds a file "new" to the directory path, then reads the file "key",
// and returns both errors.
func tryBoth(path string, allowGroup bool) (addErr, readErr error) {
	if dir, err := Create(path, allowGroup); err != nil {
		addErr = err
	} else {
		addErr = dir.Add("new", []byte("data"))
		_ = dir.Close() // addErr is what the test asks for
	}
	dir, err := Open(path, allowGroup)
	if err != nil {
		return addErr, err
	}
	_, readErr = dir.Read("key")
	_ = dir.Close() // readErr is what the test asks for
	return addErr, readErr
}

// files returns the names in a directory and in its directory for temporary
// files, but for the mark of the last sweep.
func files(t *testing.T, path string) []string {
	t.Helper()
	var names []string
	err := fs.WalkDir(os.DirFS(path), ".", func(name string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && name != sweepMark {
			names = append(names, name)
		}
		return err
	})
	require.NoError(t, err)
	return names
}

// setAge makes a file in dir as old as that at the time now.
func setAge(t *testing.T, dir *Dir, name string, now time.Time, age time.Duration) {
	t.Helper()
	require.NoError(t, dir.root.Chtimes(name, now.Add(-age), now.Add(-age)))
}

func mode(t *testing.T, path string) fs.FileMode {
	t.Helper()
	info, err := os.Lstat(path)
	require.NoError(t, err)
	return info.Mode()
}
