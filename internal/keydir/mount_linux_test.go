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
	"time"

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

// TestAdd_DiskFullOfTemporaryFiles is about a file system that is full, by
// blocks or by files, of what killed processes left. The sweep that is due
// comes too late: the last one was just now.
func TestAdd_DiskFullOfTemporaryFiles(t *testing.T) {
	data := []byte(strings.Repeat("x", os.Getpagesize()))
	for what, options := range map[string]string{"blocks": "size=65536", "files": "nr_inodes=16"} {
		for how, link := range map[string]func(*os.Root, string, string) error{
			"links": (*os.Root).Link, "no links": failLink(errors.ErrUnsupported),
		} {
			t.Run(what+", "+how, func(t *testing.T) {
				dir := create(t, filepath.Join(testenv.MountTmpfs(t, options), "keys"))
				dir.link = link
				require.NoError(t, dir.Add("first", data))
				require.NoError(t, dir.root.WriteFile(tempDir+"/young", data, 0o600))
				fill(t, dir, data)
				assert.ErrorIs(t, dir.Add("second", data), syscall.ENOSPC)
				assert.NoError(t, dir.Add("second", data))
				assert.Equal(t, []string{".tmp/young", "first", "second"}, files(t, dir.path))
			})
		}
	}
}

// fill fills the file system of dir with old temporary files of that content.
func fill(t *testing.T, dir *Dir, data []byte) {
	t.Helper()
	var err error
	for i := 0; err == nil && i < 100; i++ {
		err = dir.root.WriteFile(fmt.Sprintf("%s/old%d", tempDir, i), data, 0o600)
	}
	require.ErrorIs(t, err, syscall.ENOSPC)
	for _, name := range files(t, dir.path) {
		if strings.HasPrefix(name, tempDir+"/old") {
			setAge(t, dir, name, time.Now(), 3*tempLife)
		}
	}
}
