package keydir

import (
	"bytes"
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

// failLink returns a link function that only returns an error.
func failLink(err error) func(*os.Root, string, string) error {
	return func(_ *os.Root, oldname, newname string) error {
		return &os.LinkError{Op: "link", Old: oldname, New: newname, Err: err}
	}
}

func TestAdd_ThenRead(t *testing.T) {
	dir := create(t, newPath(t))
	for name, want := range map[string][]byte{
		"empty":   {},
		"key.pem": []byte("data\n"),
		"longest": bytes.Repeat([]byte("x"), MaxSize),
	} {
		require.NoError(t, dir.Add(name, want))
		got, err := dir.Read(name)
		require.NoError(t, err, name)
		assert.True(t, bytes.Equal(want, got), name)
	}
}

func TestAdd_NeverReplaces(t *testing.T) {
	dir := create(t, newPath(t))
	require.NoError(t, dir.Add("key", []byte("first")))
	assert.ErrorIs(t, dir.Add("key", []byte("second")), fs.ErrExist)
	got, err := dir.Read("key")
	require.NoError(t, err)
	assert.Equal(t, "first", string(got))
	assert.Equal(t, []string{"key"}, files(t, dir.path))
}

func TestAdd_RefusesWhatReadRefuses(t *testing.T) {
	dir := create(t, newPath(t))
	assert.Error(t, dir.Add("longer", make([]byte, MaxSize+1)))
	for _, name := range []string{
		"", ".", "..", ".tmp", ".hidden", "../key", "a/b", `a\b`, "/key", "key\x00", filepath.Join(t.TempDir(), "key"),
	} {
		assert.Error(t, dir.Add(name, nil), "%q", name)
		_, err := dir.Read(name)
		assert.ErrorIs(t, err, fs.ErrNotExist, "%q", name)
	}
	assert.Empty(t, files(t, dir.path))
}

func TestAdd_WithoutHardLinks(t *testing.T) {
	refusals := []error{syscall.EPERM, syscall.EACCES, syscall.ENOSYS, errors.ErrUnsupported}
	for _, refusal := range append(refusals, linkRefusals...) {
		dir := create(t, newPath(t))
		dir.link = failLink(refusal)
		require.NoError(t, dir.Add("key", []byte("first")), "%v", refusal)
		assert.ErrorIs(t, dir.Add("key", []byte("second")), fs.ErrExist, "%v", refusal)
		got, err := dir.Read("key")
		require.NoError(t, err)
		assert.Equal(t, "first", string(got), "%v: neither replaced nor removed", refusal)
		assert.Equal(t, []string{"key"}, files(t, dir.path), "%v", refusal)
	}
}

func TestAdd_LinkFails(t *testing.T) {
	dir := create(t, newPath(t))
	dir.link = failLink(syscall.EIO)
	assert.ErrorIs(t, dir.Add("key", []byte("data")), syscall.EIO)
	assert.Empty(t, files(t, dir.path))
}

// TestAdd_SyncFails shows that the file stays: it may be on the disk, and no
// one else can take its name.
func TestAdd_SyncFails(t *testing.T) {
	dir := create(t, newPath(t))
	dir.fsync = func(*os.File) error { return syscall.EIO }
	assert.ErrorIs(t, dir.Add("key", []byte("data")), syscall.EIO)
	assert.Equal(t, []string{"key"}, files(t, dir.path))
}

// TestAdd_SyncsWhatAnotherLinked shows that fs.ErrExist means that the file is
// durable: callers rely on it.
func TestAdd_SyncsWhatAnotherLinked(t *testing.T) {
	dir := create(t, newPath(t))
	require.NoError(t, dir.Add("key", []byte("data")))
	syncs := 0
	dir.fsync = func(*os.File) error {
		syncs++
		return nil
	}
	assert.ErrorIs(t, dir.Add("key", []byte("data")), fs.ErrExist)
	assert.Equal(t, 1, syncs)

	dir.fsync = func(*os.File) error { return syscall.EIO }
	err := dir.Add("key", []byte("data"))
	assert.ErrorIs(t, err, syscall.EIO)
	assert.NotErrorIs(t, err, fs.ErrExist, "it may not be durable")
}

func TestAdd_SyncUnsupported(t *testing.T) {
	for _, refusal := range append([]error{errors.ErrUnsupported, syscall.ENOSYS}, syncRefusals...) {
		dir := newDir(filepath.Join(t.TempDir(), "a", "keys"), false)
		dir.fsync = func(f *os.File) error { return &fs.PathError{Op: "sync", Path: f.Name(), Err: refusal} }
		require.NoError(t, dir.create(), "%v", refusal)
		assert.NoError(t, dir.Add("key", []byte("data")), "%v", refusal)
		assert.NoError(t, dir.Close())
	}
}

// TestAdd_RetransmittedLink shows that a link that was made, but whose answer
// says that the name exists, is a success, unless the name is another file's.
func TestAdd_RetransmittedLink(t *testing.T) {
	if !countsLinks {
		t.Skip("this system has no link count")
	}
	dir := create(t, newPath(t))
	dir.link = func(root *os.Root, oldname, newname string) error {
		if err := root.Link(oldname, newname); err != nil {
			return err
		}
		return failLink(syscall.EEXIST)(root, oldname, newname)
	}
	require.NoError(t, dir.Add("key", []byte("first")))
	assert.ErrorIs(t, dir.Add("key", []byte("second")), fs.ErrExist)
	got, err := dir.Read("key")
	require.NoError(t, err)
	assert.Equal(t, "first", string(got))
	assert.Equal(t, []string{"key"}, files(t, dir.path))
	assert.False(t, dir.isLinked(tempDir+"/missing"))
}

// TestAdd_ForcedMode shows that a file system that makes every file readable by
// all, such as vfat, gets no key: neither one that stays nor a byte of it.
func TestAdd_ForcedMode(t *testing.T) {
	if !checksModes {
		t.Skip("modes mean nothing here")
	}
	for _, noLinks := range []bool{false, true} {
		dir := create(t, newPath(t))
		forced := func(name string) bool { return true }
		if noLinks {
			dir.link = failLink(syscall.EPERM)
			forced = func(name string) bool { return name == "key" }
		}
		dir.openFile = func(root *os.Root, name string, flag int, perm fs.FileMode) (*os.File, error) {
			f, err := root.OpenFile(name, flag, perm)
			if err == nil && forced(name) {
				err = f.Chmod(0o755)
			}
			return f, err
		}
		err := dir.Add("key", []byte("data"))
		assert.ErrorContains(t, err, "0755")
		assert.NotErrorIs(t, err, fs.ErrExist)
		assert.Empty(t, files(t, dir.path))
	}
}

// TestAdd_WriteFails shows that no part of a file stays.
func TestAdd_WriteFails(t *testing.T) {
	dir := create(t, newPath(t))
	dir.openFile = func(root *os.Root, name string, flag int, perm fs.FileMode) (*os.File, error) {
		f, err := root.OpenFile(name, flag, perm)
		require.NoError(t, err)
		require.NoError(t, f.Close())
		return root.Open(name) // can't be written to
	}
	assert.Error(t, dir.Add("key", []byte("data")))
	assert.Empty(t, files(t, dir.path))
}

// TestAdd_StatFails shows that a file whose mode and owner are not known is not
// used.
func TestAdd_StatFails(t *testing.T) {
	dir := create(t, newPath(t))
	dir.openFile = func(root *os.Root, name string, flag int, perm fs.FileMode) (*os.File, error) {
		f, err := root.OpenFile(name, flag, perm)
		require.NoError(t, err)
		return f, f.Close()
	}
	assert.ErrorIs(t, dir.Add("key", []byte("data")), fs.ErrClosed)
	assert.Empty(t, files(t, dir.path))
}

// TestSweep shows that old temporary files are removed and young ones stay, and
// that this is not done each time.
func TestSweep(t *testing.T) {
	dir := create(t, newPath(t))
	now := time.Now().Truncate(time.Second) // which every file system can keep
	leave := func(name string, age time.Duration) {
		require.NoError(t, dir.root.WriteFile(tempDir+"/"+name, []byte("half a k"), 0o600))
		setAge(t, dir, tempDir+"/"+name, now, age)
	}
	leave("older", tempLife+time.Second)
	leave("old", tempLife)
	dir.sweep(now)
	assert.Equal(t, []string{".tmp/old"}, files(t, dir.path), "the first sweep of a directory")

	leave("older", tempLife+time.Second)
	setAge(t, dir, sweepMark, now, sweepEvery-time.Second)
	dir.sweep(now)
	assert.Contains(t, files(t, dir.path), ".tmp/older", "the last sweep was less than an hour ago")

	setAge(t, dir, sweepMark, now, 0)
	dir.sweep(now)
	assert.Contains(t, files(t, dir.path), ".tmp/older", "the last sweep was at this moment")

	setAge(t, dir, sweepMark, now, sweepEvery)
	dir.sweep(now)
	assert.Equal(t, []string{".tmp/old"}, files(t, dir.path))
	info, err := dir.root.Lstat(sweepMark)
	require.NoError(t, err)
	assert.Less(t, time.Since(info.ModTime()), sweepEvery, "a new mark")
}

// TestSweep_TimesInTheFuture shows that neither a mark nor a temporary file with
// a time in the future, as a clock that was wrong leaves it, keeps what a killed
// process left.
func TestSweep_TimesInTheFuture(t *testing.T) {
	now := time.Now().Truncate(time.Second)
	for _, markAge := range []time.Duration{-time.Second, -sweepEvery, -100 * 365 * 24 * time.Hour} {
		dir := create(t, newPath(t))
		for name, age := range map[string]time.Duration{
			"old": tempLife + time.Second, "young": -tempLife, "future": -tempLife - time.Second,
		} {
			require.NoError(t, dir.root.WriteFile(tempDir+"/"+name, []byte("half a k"), 0o600))
			setAge(t, dir, tempDir+"/"+name, now, age)
		}
		require.NoError(t, dir.root.WriteFile(sweepMark, nil, 0o600))
		setAge(t, dir, sweepMark, now, markAge)
		dir.sweep(now)
		assert.Equal(t, []string{".tmp/young"}, files(t, dir.path), markAge)
		info, err := dir.root.Lstat(sweepMark)
		require.NoError(t, err)
		assert.Less(t, time.Until(info.ModTime()), time.Minute, "a new mark")
	}
}

func TestAdd_Sweeps(t *testing.T) {
	dir := create(t, newPath(t))
	require.NoError(t, dir.root.WriteFile(tempDir+"/old", nil, 0o600))
	setAge(t, dir, tempDir+"/old", time.Now(), 2*tempLife)
	require.NoError(t, dir.Add("key", []byte("data")))
	assert.Equal(t, []string{"key"}, files(t, dir.path))
}

// TestAdd_SweepsWhenItFails shows that what killed processes left is removed at
// once, although the last sweep was just now.
func TestAdd_SweepsWhenItFails(t *testing.T) {
	for what, fail := range map[string]func(dir *Dir){
		"open": func(dir *Dir) {
			dir.openFile = func(*os.Root, string, int, fs.FileMode) (*os.File, error) { return nil, syscall.ENOSPC }
		},
		"link": func(dir *Dir) { dir.link = failLink(syscall.ENOSPC) },
		"sync": func(dir *Dir) { dir.fsync = func(*os.File) error { return syscall.ENOSPC } },
	} {
		dir := create(t, newPath(t))
		require.NoError(t, dir.Add("first", nil))
		for name, age := range map[string]time.Duration{"old": 2 * tempLife, "young": tempLife / 2} {
			require.NoError(t, dir.root.WriteFile(tempDir+"/"+name, nil, 0o600))
			setAge(t, dir, tempDir+"/"+name, time.Now(), age)
		}
		fail(dir)
		assert.ErrorIs(t, dir.Add("second", nil), syscall.ENOSPC, what)
		assert.NotContains(t, files(t, dir.path), ".tmp/old", what)
		assert.Contains(t, files(t, dir.path), ".tmp/young", what)
	}
}

// TestSweep_MarkThatCanNotBeReplaced shows that nothing is swept without a new
// mark: another process makes it, and sweeps.
func TestSweep_MarkThatCanNotBeReplaced(t *testing.T) {
	dir := create(t, newPath(t))
	now := time.Now()
	require.NoError(t, dir.root.WriteFile(tempDir+"/old", nil, 0o600))
	setAge(t, dir, tempDir+"/old", now, 2*tempLife)
	require.NoError(t, dir.root.MkdirAll(sweepMark+"/in use", 0o700))
	setAge(t, dir, sweepMark, now, 2*sweepEvery)
	dir.sweep(now)
	assert.Equal(t, []string{".tmp/old"}, files(t, dir.path))
	assert.NoError(t, dir.Add("key", []byte("data")))
}

// TestSweep_FollowsNoLink shows that a key is not written to if the mark
// of the last sweep is a link to it.
func TestSweep_FollowsNoLink(t *testing.T) {
	dir := create(t, newPath(t))
	require.NoError(t, dir.Add("key", []byte("data")))
	now := time.Now()
	setAge(t, dir, "key", now, 2*sweepEvery)
	require.NoError(t, dir.root.Remove(sweepMark))
	require.NoError(t, dir.root.Link("key", sweepMark))
	dir.sweep(now)
	got, err := dir.Read("key")
	require.NoError(t, err)
	assert.Equal(t, "data", string(got))
	info, err := dir.root.Lstat(sweepMark)
	require.NoError(t, err)
	assert.Zero(t, info.Size(), "a mark of its own")
}

// TestAdd_IgnoresLeftovers shows that a file of a killed process is neither a
// key nor an obstacle.
func TestAdd_IgnoresLeftovers(t *testing.T) {
	dir := create(t, newPath(t))
	require.NoError(t, dir.root.WriteFile(tempDir+"/key", []byte("data"), 0o600))
	require.NoError(t, dir.root.WriteFile(tempDir+"/"+strings.Repeat("A", 26), []byte("da"), 0o600))
	_, err := dir.Read("key")
	assert.ErrorIs(t, err, fs.ErrNotExist)
	assert.NoError(t, dir.Add("key", []byte("data")))
}
