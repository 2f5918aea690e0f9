package keydir

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestOpen_Missing(t *testing.T) {
	path := newPath(t)
	_, err := Open(path, false)
	assert.ErrorIs(t, err, fs.ErrNotExist)
	assert.NoDirExists(t, path)
}

func TestOpen_EmptyPath(t *testing.T) {
	t.Chdir(t.TempDir())
	addErr, readErr := tryBoth("", false)
	for _, err := range []error{addErr, readErr} {
		require.Error(t, err)
		assert.NotErrorIs(t, err, fs.ErrNotExist)
	}
	assert.Empty(t, files(t, "."))
}

func TestOpen_FileInPlaceOfTheDirectory(t *testing.T) {
	file := filepath.Join(createWithKey(t), "key")
	for _, path := range []string{file, filepath.Join(file, "keys")} {
		addErr, readErr := tryBoth(path, false)
		assert.Error(t, addErr)
		assert.Error(t, readErr)
		assert.NotErrorIs(t, readErr, fs.ErrNotExist)
	}
}

func TestCreate_Paths(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, path := range []string{"keys", "./a/b/../c/", "d//e", ".", newPath(t) + "/"} {
		dir := create(t, path)
		require.NoError(t, dir.Add("key", []byte("data")), path)
		assert.FileExists(t, filepath.Join(path, "key"))
	}
}

// TestOpenRoot_Replaced shows that only the directory that was checked is used.
func TestOpenRoot_Replaced(t *testing.T) {
	checked, err := os.Lstat(createWithKey(t))
	require.NoError(t, err)
	dir := newDir(createWithKey(t), false)
	assert.ErrorIs(t, dir.openRoot(checked), errReplaced)
}

// TestOpenRoot_Removed shows that a directory that is gone since it was checked
// is missing.
func TestOpenRoot_Removed(t *testing.T) {
	path := newPath(t)
	require.NoError(t, os.Mkdir(path, 0o700))
	checked, err := os.Lstat(path)
	require.NoError(t, err)
	require.NoError(t, os.Remove(path))
	assert.ErrorIs(t, newDir(path, false).openRoot(checked), fs.ErrNotExist)
}

// TestReadFile_Replaced shows that only the file that was checked is read.
func TestReadFile_Replaced(t *testing.T) {
	dir := create(t, newPath(t))
	require.NoError(t, dir.Add("key", []byte("data")))
	require.NoError(t, dir.Add("other", []byte("data")))
	checked, err := dir.root.Lstat("other")
	require.NoError(t, err)
	data, err := dir.readFile("key", checked)
	assert.ErrorIs(t, err, errReplaced)
	assert.Nil(t, data)
}

// TestReadFile_Removed shows that a file that is gone since it was checked is
// missing.
func TestReadFile_Removed(t *testing.T) {
	dir := create(t, newPath(t))
	require.NoError(t, dir.Add("key", []byte("data")))
	checked, err := dir.root.Lstat("key")
	require.NoError(t, err)
	require.NoError(t, dir.root.Remove("key"))
	_, err = dir.readFile("key", checked)
	assert.ErrorIs(t, err, fs.ErrNotExist)
}

// TestRead_Fails shows that what can't be looked at or read is not missing.
func TestRead_Fails(t *testing.T) {
	dir := create(t, newPath(t))
	_, lookErr := dir.Read(strings.Repeat("k", 1000)) // longer than a file system's names
	checked, err := dir.root.Lstat(tempDir)
	require.NoError(t, err)
	_, readErr := dir.readFile(tempDir, checked)
	for _, err := range []error{lookErr, readErr} {
		require.Error(t, err)
		assert.NotErrorIs(t, err, fs.ErrNotExist)
	}
}

func TestRead_TooLong(t *testing.T) {
	dir := create(t, newPath(t))
	require.NoError(t, dir.root.WriteFile("key", make([]byte, MaxSize+1), 0o600))
	_, err := dir.Read("key")
	require.Error(t, err)
	assert.NotErrorIs(t, err, fs.ErrNotExist)
}

// TestSyncForeign_IgnoresOnlyPermissionErrors is about the parent of a
// directory that was found.
func TestSyncForeign_IgnoresOnlyPermissionErrors(t *testing.T) {
	dir := newDir(newPath(t), false)
	assert.ErrorIs(t, dir.syncForeign(dir.path), fs.ErrNotExist)
	assert.NoError(t, dir.syncForeign(filepath.Dir(dir.path)))
	dir.fsync = func(*os.File) error { return fs.ErrPermission }
	assert.NoError(t, dir.syncForeign(filepath.Dir(dir.path)))
	assert.ErrorIs(t, dir.syncPath(filepath.Dir(dir.path)), fs.ErrPermission)
}

// recordSyncs makes dir record the names of the directories that it fsyncs. The
// fsync of the directory named failing is an error.
func recordSyncs(dir *Dir, failing string) (synced *[]string) {
	synced = new([]string)
	dir.fsync = func(f *os.File) error {
		name := filepath.Base(filepath.Clean(f.Name()))
		*synced = append(*synced, name)
		if name == failing {
			return fs.ErrInvalid
		}
		return nil
	}
	return synced
}

// TestCreate_SyncsWhatItMakes also shows that a parent that was found is
// fsynced in its own parent: another process may have made it just now.
func TestCreate_SyncsWhatItMakes(t *testing.T) {
	root := filepath.Join(t.TempDir(), "root")
	require.NoError(t, os.MkdirAll(filepath.Join(root, "found"), 0o700))
	dir := newDir(filepath.Join(root, "found", "made", "keys"), false)
	synced := recordSyncs(dir, "")
	require.NoError(t, dir.create())
	defer dir.Close()
	assert.Equal(t, []string{
		"root",  // has found
		"found", // has made
		"made",  // has keys
		"made",  // before .tmp says that it is durable
	}, *synced)

	*synced = nil
	require.NoError(t, dir.makeDirs(dir.path), "another process made it first")
	assert.Equal(t, []string{"found", "made"}, *synced)
	assert.NoError(t, dir.makeTempDir(), "another process made it first")
}

// TestCreate_SyncFails shows that a directory that is not durable is not left
// to the next call, which would take it for one that is.
func TestCreate_SyncFails(t *testing.T) {
	root := filepath.Join(t.TempDir(), "root")
	require.NoError(t, os.Mkdir(root, 0o700))
	path := filepath.Join(root, "made", "keys")
	for _, test := range []struct{ failing, missing string }{
		{"root", filepath.Dir(path)},
		{"made", path},
	} {
		dir := newDir(path, false)
		recordSyncs(dir, test.failing)
		for range 2 {
			assert.ErrorIs(t, dir.create(), fs.ErrInvalid)
			assert.NoDirExists(t, test.missing)
		}
	}

	require.NoError(t, os.Mkdir(path, 0o700)) // by another process
	dir := newDir(path, false)
	recordSyncs(dir, "made")
	assert.ErrorIs(t, dir.makeDirs(path), fs.ErrInvalid)
	assert.ErrorIs(t, dir.create(), fs.ErrInvalid)
	assert.DirExists(t, path)
	assert.NoDirExists(t, filepath.Join(path, tempDir), "which says that the directory is durable")
}
