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

	"github.com/cdncsr/cdncsr/internal/testenv"
)

func TestCreate_ReadOnly(t *testing.T) {
	path := testenv.MountTmpfs(t, "size=1m")
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
	dir := create(t, filepath.Join(testenv.MountTmpfs(t, fmt.Sprintf("size=%d", 4*page)), "keys"))
	dir.link = failLink(errors.ErrUnsupported)
	data := []byte(strings.Repeat("x", 3*page)) // there is room for it once, but not twice
	assert.ErrorIs(t, dir.Add("key", data), syscall.ENOSPC)
	assert.Empty(t, files(t, dir.path))
}
