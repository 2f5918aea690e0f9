//go:build unix

package keydir

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/internal/testenv"
)

const countsLinks = true

// What file systems answer that have no hard links, or can't fsync a directory.
var (
	linkRefusals = []error{syscall.EXDEV}
	syncRefusals = []error{syscall.EINVAL, syscall.ENOTSUP}
)

const otherUser = 65534

// TestCreate_Modes shows that what is made is this user's, who can use it, and
// nobody else's, whatever the umask is. (natefinch/atomic copies an old file's
// loose mode.)
func TestCreate_Modes(t *testing.T) {
	for _, umask := range []int{0, 0o022, 0o077, 0o400, 0o600, 0o700, 0o777} {
		for _, allowGroup := range []bool{false, true} {
			path := filepath.Join(t.TempDir(), "new", "keys")
			old := syscall.Umask(umask)
			addErr, _ := tryBoth(path, allowGroup)
			syscall.Umask(old)
			require.NoError(t, addErr, "%04o", umask)
			assert.Equal(t, fs.ModeDir|0o700, mode(t, filepath.Dir(path)), "%04o", umask)
			assert.Equal(t, fs.ModeDir|0o700, mode(t, path), "%04o", umask)
			assert.Equal(t, fs.ModeDir|0o700, mode(t, filepath.Join(path, tempDir)), "%04o", umask)
			assert.Equal(t, fs.FileMode(0o600), mode(t, filepath.Join(path, "new")), "%04o", umask)
		}
	}
}

// TestAdd_ModeWithoutHardLinks is about the file that is written under its own
// name.
func TestAdd_ModeWithoutHardLinks(t *testing.T) {
	dir := create(t, newPath(t))
	dir.link = failLink(errors.ErrUnsupported)
	old := syscall.Umask(0o777)
	err := dir.Add("key", []byte("data"))
	syscall.Umask(old)
	require.NoError(t, err)
	assert.Equal(t, fs.FileMode(0o600), mode(t, filepath.Join(dir.path, "key")))
}

// TestCreate_KeepsSetgid shows that a directory stays one whose files get its
// group.
func TestCreate_KeepsSetgid(t *testing.T) {
	path := newPath(t)
	require.NoError(t, os.Chmod(filepath.Dir(path), 0o755|fs.ModeSetgid))
	require.NoError(t, os.Mkdir(path, 0o700))
	if mode(t, path)&fs.ModeSetgid == 0 {
		t.Skip("directories do not inherit it here")
	}
	require.NoError(t, os.Remove(path))
	old := syscall.Umask(0o777)
	dir, err := Create(path, false)
	syscall.Umask(old)
	require.NoError(t, err)
	require.NoError(t, dir.Close())
	assert.Equal(t, fs.ModeDir|fs.ModeSetgid|0o700, mode(t, path))
}

// TestAdd_ModeThatCanNotBeChanged shows that no file stays that Read could not
// open.
func TestAdd_ModeThatCanNotBeChanged(t *testing.T) {
	for what, chmod := range map[string]func(*os.File, fs.FileMode) error{
		"refused": func(*os.File, fs.FileMode) error { return syscall.EPERM },
		"ignored": func(*os.File, fs.FileMode) error { return nil },
	} {
		dir := create(t, newPath(t))
		dir.chmod = chmod
		old := syscall.Umask(0o400)
		err := dir.Add("key", []byte("data"))
		syscall.Umask(old)
		assert.Error(t, err, what)
		assert.Empty(t, files(t, dir.path), what)
	}
}

func TestOpen_DirectoryMode(t *testing.T) {
	for _, test := range []struct {
		mode       fs.FileMode
		allowGroup bool
		repair     string // empty: the directory is accepted
	}{
		{0o700, false, ""},
		{0o755, false, ""},
		{0o720, false, "chmod go-w"},
		{0o702, false, "chmod go-w"},
		{0o777, false, "chmod go-w"},
		{0o777 | fs.ModeSticky, false, "chmod go-w"},
		{0o700, true, ""},
		{0o770 | fs.ModeSetgid, true, ""},
		{0o775, true, ""},
		{0o702, true, "chmod o-w"},
		{0o777, true, "chmod o-w"},
	} {
		path := createWithKey(t)
		require.NoError(t, os.Chmod(path, test.mode))
		assertAccess(t, path, path, test.mode, test.allowGroup, test.repair)
		assert.Equal(t, fs.ModeDir|test.mode, mode(t, path), "never changed")
	}
}

func TestRead_FileMode(t *testing.T) {
	for _, test := range []struct {
		mode       fs.FileMode
		allowGroup bool
		repair     string // empty: the file is accepted
	}{
		{0o600, false, ""},
		{0o400, false, ""},
		{0o640, false, "chmod go-rwx"},
		{0o604, false, "chmod go-rwx"},
		{0o601, false, "chmod go-rwx"},
		{0o620, false, "chmod go-rwx"},
		{0o600, true, ""},
		{0o660, true, ""},
		{0o440, true, ""},
		{0o604, true, "chmod o-rwx"},
		{0o661, true, "chmod o-rwx"},
		{0o662, true, "chmod o-rwx"},
	} {
		path := createWithKey(t)
		file := filepath.Join(path, "key")
		require.NoError(t, os.Chmod(file, test.mode))
		addErr, readErr := tryBoth(path, test.allowGroup)
		assert.NoError(t, addErr, "another key")
		assertRepair(t, readErr, file, test.mode, test.repair)
		assert.Equal(t, test.mode, mode(t, file), "never changed")
	}
}

// assertAccess asserts that adding and reading fail with an error that names
// the repair of what, or succeed if repair is empty.
func assertAccess(t *testing.T, path, what string, mode fs.FileMode, allowGroup bool, repair string) {
	t.Helper()
	addErr, readErr := tryBoth(path, allowGroup)
	assertRepair(t, addErr, what, mode, repair)
	assertRepair(t, readErr, what, mode, repair)
}

// assertRepair asserts that err names the repair of what, or is nil if repair
// is empty.
func assertRepair(t *testing.T, err error, what string, mode fs.FileMode, repair string) {
	t.Helper()
	if repair == "" {
		assert.NoError(t, err, "%v", mode)
		return
	}
	assert.ErrorContains(t, err, "run "+repair+" "+what, "%v", mode)
	assert.NotErrorIs(t, err, fs.ErrExist)
	assert.NotErrorIs(t, err, fs.ErrNotExist)
}

// TestOwner shows that what another user owns is not used, even by root.
func TestOwner(t *testing.T) {
	if os.Geteuid() != 0 {
		testenv.SkipOrFail(t, "only root can give a file away")
	}
	for _, allowGroup := range []bool{false, true} {
		path := createWithKey(t)
		require.NoError(t, os.Chown(path, otherUser, 0))
		assertAccess(t, path, path, 0o700, allowGroup, "chown 0")
		require.NoError(t, os.Chown(path, 0, 0))

		file := filepath.Join(path, "key")
		require.NoError(t, os.Chown(file, otherUser, 0))
		addErr, readErr := tryBoth(path, allowGroup)
		assert.NoError(t, addErr)
		assertRepair(t, readErr, file, 0o600, "chown 0")

		require.NoError(t, os.Chown(filepath.Join(path, tempDir), otherUser, 0))
		addErr, _ = tryBoth(path, allowGroup)
		assert.ErrorContains(t, addErr, tempDir)

		dir := newDir(path, allowGroup)
		dir.user = otherUser // whose process also accepts what root owns
		require.NoError(t, dir.create())
		_, err := dir.Read("key")
		assert.NoError(t, err)
		require.NoError(t, os.Chown(file, otherUser-1, 0))
		_, err = dir.Read("key")
		assertRepair(t, err, file, 0o600, "chown 65534")
		assert.NoError(t, dir.Close())
	}
}

// TestOwner_NotKnown is about a file system that does not say who owns a file,
// nor how many names it has.
func TestOwner_NotKnown(t *testing.T) {
	info, err := fstest.MapFS{"key": {Mode: 0o600}}.Stat("key")
	require.NoError(t, err)
	_, known := owner(info)
	assert.False(t, known)
	assert.EqualValues(t, 1, linkCount(info))
}

func TestAdd_ForcedOwner(t *testing.T) {
	if os.Geteuid() != 0 {
		testenv.SkipOrFail(t, "only root can give a file away")
	}
	dir := create(t, newPath(t))
	dir.openFile = func(root *os.Root, name string, flag int, perm fs.FileMode) (*os.File, error) { // NFS with root_squash
		f, err := root.OpenFile(name, flag, perm)
		require.NoError(t, err)
		return f, f.Chown(otherUser, otherUser)
	}
	assert.ErrorContains(t, dir.Add("key", []byte("data")), "65534")
	assert.Empty(t, files(t, dir.path))
}

func TestOpen_SymbolicLink(t *testing.T) {
	path := createWithKey(t)
	dangling := newPath(t)
	require.NoError(t, os.Symlink(newPath(t), dangling))
	link := newPath(t)
	require.NoError(t, os.Symlink(path, link))
	for _, path := range []string{link, link + "/", link + "/.", dangling} {
		addErr, readErr := tryBoth(path, false)
		for _, err := range []error{addErr, readErr} {
			assert.ErrorContains(t, err, "symbolic link", path)
			assert.NotErrorIs(t, err, fs.ErrExist)
			assert.NotErrorIs(t, err, fs.ErrNotExist)
		}
	}
}

// TestRead_NotAFile shows that only a regular file is read, that a pipe does
// not block Read, and that Add leaves what it finds.
func TestRead_NotAFile(t *testing.T) {
	for what, put := range map[string]func(file, good string) error{
		"symbolic link":          func(file, good string) error { return os.Symlink(good, file) },
		"link to itself":         func(file, _ string) error { return os.Symlink(file, file) },
		"dangling symbolic link": func(file, _ string) error { return os.Symlink("nowhere", file) },
		"directory":              func(file, _ string) error { return os.Mkdir(file, 0o700) },
		"pipe":                   func(file, _ string) error { return syscall.Mkfifo(file, 0o600) },
	} {
		dir := create(t, newPath(t))
		require.NoError(t, dir.Add("good", []byte("data")))
		file := filepath.Join(dir.path, "key")
		require.NoError(t, put(file, filepath.Join(dir.path, "good")))
		before := mode(t, file)

		_, err := dir.Read("key")
		assert.ErrorContains(t, err, file, what)
		assert.NotErrorIs(t, err, fs.ErrNotExist, what)
		isLink := before&fs.ModeSymlink != 0
		assert.Equal(t, isLink, err != nil && strings.Contains(err.Error(), "symbolic link"), what)
		assert.ErrorIs(t, dir.Add("key", []byte("data")), fs.ErrExist, what)
		assert.Equal(t, before, mode(t, file), what)
	}
}

func TestCreate_TempDirOfAnother(t *testing.T) {
	for what, put := range map[string]func(temp string) error{
		"symbolic link": func(temp string) error { return os.Symlink(t.TempDir(), temp) },
		"file":          func(temp string) error { return os.WriteFile(temp, nil, 0o600) },
		"loose":         func(temp string) error { return errors.Join(os.Mkdir(temp, 0o700), os.Chmod(temp, 0o777)) },
	} {
		path := createWithKey(t)
		temp := filepath.Join(path, tempDir)
		require.NoError(t, os.RemoveAll(temp))
		require.NoError(t, put(temp))
		addErr, readErr := tryBoth(path, false)
		assert.ErrorContains(t, addErr, temp, what)
		assert.NoError(t, readErr, what)
	}
}

// TestFsyncDir_FailsForAClosedDirectory shows that the directory is asked for,
// which an answer of success alone does not show. (Windows can't fsync one.)
func TestFsyncDir_FailsForAClosedDirectory(t *testing.T) {
	dir, err := os.Open(t.TempDir())
	require.NoError(t, err)
	require.NoError(t, fsyncDir(dir))
	require.NoError(t, dir.Close())
	assert.ErrorIs(t, fsyncDir(dir), os.ErrClosed)
}

// TestDir_SurvivesARename shows that an open directory does not change with its
// path. (Windows lets nobody rename it while it is open.)
func TestDir_SurvivesARename(t *testing.T) {
	dir := create(t, newPath(t))
	moved := dir.path + "-moved"
	require.NoError(t, os.Rename(dir.path, moved))
	elsewhere := t.TempDir()
	require.NoError(t, os.Symlink(elsewhere, dir.path))
	require.NoError(t, dir.Add("key", []byte("data")))
	assert.FileExists(t, filepath.Join(moved, "key"))
	assert.Empty(t, files(t, elsewhere))
}
