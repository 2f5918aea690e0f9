package keydir

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// mountTmpfs returns a directory of mode 0700 with a file system of that size in
// bytes.
func mountTmpfs(t *testing.T, size int) string {
	t.Helper()
	path := t.TempDir()
	if err := syscall.Mount("tmpfs", path, "tmpfs", 0, fmt.Sprintf("mode=0700,size=%d", size)); err != nil {
		skipOrFail(t, "tmpfs can't be mounted: "+err.Error())
	}
	t.Cleanup(func() { assert.NoError(t, syscall.Unmount(path, 0)) })
	return path
}

func TestCreate_ReadOnly(t *testing.T) {
	path := mountTmpfs(t, 1<<20)
	require.NoError(t, syscall.Mount("tmpfs", path, "tmpfs", syscall.MS_REMOUNT|syscall.MS_RDONLY, "mode=0700"))
	for _, path := range []string{path, filepath.Join(path, "keys")} {
		_, err := Create(path, false)
		assert.ErrorIs(t, err, syscall.EROFS)
	}
	dir, err := Open(path, false)
	require.NoError(t, err)
	assert.NoError(t, dir.Close())
}

// TestDir_ClosesFiles shows that no file stays open.
func TestDir_ClosesFiles(t *testing.T) {
	countOpen := func() int {
		entries, err := os.ReadDir("/proc/self/fd")
		require.NoError(t, err)
		return len(entries)
	}
	path := newPath(t)
	before := countOpen()
	dir, err := Create(path, false)
	require.NoError(t, err)
	require.NoError(t, dir.Add("key", []byte("data")))
	assert.ErrorIs(t, dir.Add("key", []byte("data")), fs.ErrExist)
	_, err = dir.Read("key")
	require.NoError(t, err)
	require.NoError(t, dir.Close())
	assert.Equal(t, before, countOpen())
}

// TestAdd_DiskFullWithoutHardLinks is about the file that is written under its
// own name: it is removed.
func TestAdd_DiskFullWithoutHardLinks(t *testing.T) {
	page := os.Getpagesize()
	dir := create(t, filepath.Join(mountTmpfs(t, 4*page), "keys"))
	dir.link = failLink(errors.ErrUnsupported)
	data := []byte(strings.Repeat("x", 3*page)) // there is room for it once, but not twice
	assert.ErrorIs(t, dir.Add("key", data), syscall.ENOSPC)
	assert.Empty(t, files(t, dir.path))
}
