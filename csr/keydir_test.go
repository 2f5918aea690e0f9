package csr

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// openTestDir returns an open key directory for adding files.
func openTestDir(t *testing.T) *keyDir {
	t.Helper()
	dir, err := makeKeyDir(newDir(t))
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, dir.Close()) })
	return dir
}

// files returns the names in a key directory and in its directory for temporary files, without what is always there.
func files(t *testing.T, dir string) []string {
	t.Helper()
	var names []string
	err := fs.WalkDir(os.DirFS(dir), ".", func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && path != sweepMark {
			names = append(names, path)
		}
		return err
	})
	require.NoError(t, err)
	return names
}

func linkError(err error) func(oldname, newname string) error {
	return func(oldname, newname string) error {
		return &os.LinkError{Op: "link", Old: oldname, New: newname, Err: err}
	}
}

func TestKeyDir_WithoutHardLinks(t *testing.T) {
	for _, refusal := range []error{syscall.EPERM, syscall.ENOSYS, errors.ErrUnsupported} {
		dir := openTestDir(t)
		dir.link = linkError(refusal)
		require.NoError(t, dir.add("key", []byte("first")), refusal)
		assert.Equal(t, []string{"key"}, files(t, dir.path))

		assert.ErrorIs(t, dir.add("key", []byte("second")), fs.ErrExist, refusal)
		data, err := dir.root.ReadFile("key")
		require.NoError(t, err)
		assert.Equal(t, "first", string(data), "never replaced, nor removed")
		assert.Equal(t, []string{"key"}, files(t, dir.path))
	}
}

func TestKeyDir_LinkFails(t *testing.T) {
	dir := openTestDir(t)
	dir.link = linkError(syscall.EIO)
	assert.ErrorIs(t, dir.add("key", []byte("data")), syscall.EIO)
	assert.Empty(t, files(t, dir.path))
}

// TestKeyDir_SyncFails holds that the file stays: the key may be on the disk, and its name can't be taken by another.
func TestKeyDir_SyncFails(t *testing.T) {
	dir := openTestDir(t)
	dir.sync = func() error { return syscall.EIO }
	assert.ErrorIs(t, dir.add("key", []byte("data")), syscall.EIO)
	assert.Equal(t, []string{"key"}, files(t, dir.path))
}

// TestKeyDir_SyncsWhatAnotherLinked holds that fs.ErrExist says that the file is durable: Generator relies on it.
func TestKeyDir_SyncsWhatAnotherLinked(t *testing.T) {
	dir := openTestDir(t)
	require.NoError(t, dir.add("key", []byte("data")))
	synced := false
	dir.sync = func() error {
		synced = true
		return nil
	}
	assert.ErrorIs(t, dir.add("key", []byte("data")), fs.ErrExist)
	assert.True(t, synced)
}

// TestKeyDir_Sweep holds that old temporary files go, that young ones stay, and that it is not done each time.
func TestKeyDir_Sweep(t *testing.T) {
	dir := openTestDir(t)
	age := func(name string, hours time.Duration) {
		then := time.Now().Add(-hours * time.Hour)
		require.NoError(t, dir.root.Chtimes(name, then, then))
	}
	leave := func(name string, hours time.Duration) {
		require.NoError(t, dir.root.WriteFile(tempDir+"/"+name, []byte("half a k"), 0o600))
		age(tempDir+"/"+name, hours)
	}
	leave("old", 2)
	leave("young", 0)
	require.NoError(t, dir.add("key1", []byte("data")))
	assert.Equal(t, []string{".tmp/young", "key1"}, files(t, dir.path))

	leave("old", 2)
	require.NoError(t, dir.add("key2", []byte("data")))
	assert.Contains(t, files(t, dir.path), ".tmp/old", "swept a moment ago")

	age(sweepMark, 2)
	require.NoError(t, dir.add("key3", []byte("data")))
	assert.Equal(t, []string{".tmp/young", "key1", "key2", "key3"}, files(t, dir.path))
}

// TestKeyDir_LeftOversAreNoKeys holds that what a killed process leaves is in nobody's way.
func TestKeyDir_LeftOversAreNoKeys(t *testing.T) {
	path := newDir(t)
	_, name, file := putKey(t, path)
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	require.NoError(t, os.Remove(file))
	require.NoError(t, os.WriteFile(filepath.Join(path, tempDir, name+".pem"), data, 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(path, tempDir, strings.Repeat("A", 26)), data[:9], 0o600))
	_, err = DirStore(path).Get(t.Context(), name)
	assert.ErrorIs(t, err, fs.ErrNotExist)
	putKey(t, path)
}

// TestKeyDir_SweepWritesThroughNoLink holds that a key is not written to if the mark of the last sweep is a link to it.
func TestKeyDir_SweepWritesThroughNoLink(t *testing.T) {
	dir := openTestDir(t)
	require.NoError(t, dir.add("key1", []byte("data")))
	then := time.Now().Add(-2 * time.Hour)
	require.NoError(t, dir.root.Chtimes("key1", then, then))
	require.NoError(t, dir.root.Remove(sweepMark))
	require.NoError(t, dir.root.Link("key1", sweepMark))
	require.NoError(t, dir.add("key2", []byte("data")))
	data, err := dir.root.ReadFile("key1")
	require.NoError(t, err)
	assert.Equal(t, "data", string(data))
	info, err := dir.root.Lstat(sweepMark)
	require.NoError(t, err)
	assert.Zero(t, info.Size(), "a mark of its own")
}
