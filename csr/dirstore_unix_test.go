//go:build unix

package csr

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func mode(t *testing.T, path string) fs.FileMode {
	t.Helper()
	info, err := os.Lstat(path)
	require.NoError(t, err)
	return info.Mode()
}

// TestDirStore_Modes holds that what is made is the user's alone, whatever the umask allows. (natefinch/atomic: copies
// an old file's loose mode.)
func TestDirStore_Modes(t *testing.T) {
	old := syscall.Umask(0)
	defer syscall.Umask(old)
	dir := filepath.Join(t.TempDir(), "new", "keys")
	_, _, file := putKey(t, dir)
	assert.Equal(t, fs.ModeDir|0o700, mode(t, filepath.Dir(dir)))
	assert.Equal(t, fs.ModeDir|0o700, mode(t, dir))
	assert.Equal(t, fs.ModeDir|0o700, mode(t, filepath.Join(dir, tempDir)))
	assert.Equal(t, fs.FileMode(0o600), mode(t, file))
}

func TestDirStore_LooseDirectory(t *testing.T) {
	for _, loose := range []fs.FileMode{0o720, 0o702, 0o777, 0o777 | fs.ModeSticky} {
		dir := newDir(t)
		key, name, _ := putKey(t, dir)
		require.NoError(t, os.Chmod(dir, loose))
		putErr := DirStore(dir).Put(t.Context(), name, key)
		_, getErr := DirStore(dir).Get(t.Context(), name)
		for _, err := range []error{putErr, getErr} {
			assert.ErrorContains(t, err, "chmod go-w "+dir)
			assert.NotErrorIs(t, err, fs.ErrExist)
			assert.NotErrorIs(t, err, fs.ErrNotExist)
		}
		assert.Equal(t, fs.ModeDir|loose, mode(t, dir), "never changed")

		require.NoError(t, os.Chmod(dir, 0o755)) // what the error says helps
		_, err := DirStore(dir).Get(t.Context(), name)
		assert.NoError(t, err)
	}
}

func TestDirStore_LooseKeyFile(t *testing.T) {
	dir := newDir(t)
	_, name, file := putKey(t, dir)
	for _, loose := range []fs.FileMode{0o640, 0o604, 0o601, 0o620, 0o666} {
		require.NoError(t, os.Chmod(file, loose))
		_, err := DirStore(dir).Get(t.Context(), name)
		assert.ErrorContains(t, err, "chmod 600 "+file)
		assert.NotErrorIs(t, err, fs.ErrNotExist)
		assert.Equal(t, loose, mode(t, file), "never changed")
	}
	for _, tight := range []fs.FileMode{0o600, 0o400} {
		require.NoError(t, os.Chmod(file, tight))
		_, err := DirStore(dir).Get(t.Context(), name)
		assert.NoError(t, err)
	}
}

func TestDirStore_LinkInPlaceOfTheDirectory(t *testing.T) {
	dir := newDir(t)
	key, name, _ := putKey(t, dir)
	dangling := filepath.Join(t.TempDir(), "dangling")
	require.NoError(t, os.Symlink(filepath.Join(t.TempDir(), "nowhere"), dangling))
	link := filepath.Join(t.TempDir(), "link")
	require.NoError(t, os.Symlink(dir, link))
	for _, path := range []string{link, link + "/", link + "/.", dangling} {
		putErr := DirStore(path).Put(t.Context(), name, key)
		_, getErr := DirStore(path).Get(t.Context(), name)
		for _, err := range []error{putErr, getErr} {
			assert.ErrorContains(t, err, "symbolic link", path)
			assert.NotErrorIs(t, err, fs.ErrExist)
			assert.NotErrorIs(t, err, fs.ErrNotExist)
		}
	}
}

func TestDirStore_FileInPlaceOfTheDirectory(t *testing.T) {
	key, name, file := putKey(t, newDir(t))
	for _, path := range []string{file, filepath.Join(file, "keys")} {
		assert.Error(t, DirStore(path).Put(t.Context(), name, key))
		_, err := DirStore(path).Get(t.Context(), name)
		assert.Error(t, err)
		assert.NotErrorIs(t, err, fs.ErrNotExist)
	}
}

// TestDirStore_OtherInPlaceOfTheKey holds that nothing but a regular file is taken for a key, and that a pipe doesn't
// stop Get.
func TestDirStore_OtherInPlaceOfTheKey(t *testing.T) {
	for what, put := range map[string]func(file, good string) error{
		"symbolic link":          func(file, good string) error { return os.Symlink(good, file) },
		"link to itself":         func(file, _ string) error { return os.Symlink(file, file) },
		"dangling symbolic link": func(file, _ string) error { return os.Symlink("nowhere", file) },
		"directory":              func(file, _ string) error { return os.Mkdir(file, 0o700) },
		"pipe":                   func(file, _ string) error { return syscall.Mkfifo(file, 0o600) },
	} {
		dir := newDir(t)
		key, name, file := putKey(t, dir)
		good := filepath.Join(dir, "good")
		require.NoError(t, os.Rename(file, good))
		require.NoError(t, put(file, good))
		before := mode(t, file)

		_, err := DirStore(dir).Get(t.Context(), name)
		require.Error(t, err, what)
		assert.NotErrorIs(t, err, fs.ErrNotExist, what)
		assert.ErrorContains(t, err, file, what)
		assert.Equal(t, before&fs.ModeSymlink != 0, strings.Contains(err.Error(), "symbolic link"), what)
		assert.ErrorIs(t, DirStore(dir).Put(t.Context(), name, key), fs.ErrExist, what)
		assert.Equal(t, before, mode(t, file), what)
	}
}

func TestDirStore_OtherInPlaceOfTheTemporaryDirectory(t *testing.T) {
	elsewhere := t.TempDir()
	for what, put := range map[string]func(temp string) error{
		"symbolic link": func(temp string) error { return os.Symlink(elsewhere, temp) },
		"file":          func(temp string) error { return os.WriteFile(temp, nil, 0o600) },
		"loose":         func(temp string) error { return errors.Join(os.Mkdir(temp, 0o700), os.Chmod(temp, 0o777)) },
	} {
		dir := newDir(t)
		require.NoError(t, os.Mkdir(dir, 0o700))
		require.NoError(t, put(filepath.Join(dir, tempDir)))
		key := newTestKey(t, P256)
		name, err := PubMD5(key.Public())
		require.NoError(t, err)
		assert.ErrorContains(t, DirStore(dir).Put(t.Context(), name, key), tempDir, what)
		_, err = DirStore(dir).Get(t.Context(), name)
		assert.ErrorIs(t, err, fs.ErrNotExist, what)
	}
}

// TestKeyDir_StaysItself holds that an open directory is not left by what happens to its path. (Windows lets no
// one rename it meanwhile.)
func TestKeyDir_StaysItself(t *testing.T) {
	dir := openTestDir(t)
	moved := dir.path + "-moved"
	require.NoError(t, os.Rename(dir.path, moved))
	elsewhere := t.TempDir()
	require.NoError(t, os.Symlink(elsewhere, dir.path))
	require.NoError(t, dir.add("key", []byte("data")))
	assert.FileExists(t, filepath.Join(moved, "key"))
	assert.Empty(t, files(t, elsewhere))
}
