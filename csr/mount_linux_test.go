package csr

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/internal/testenv"
)

// TestDirStore_DiskFull fills a file system, by blocks and by files, so that
// each step of Put is once the first to fail. There is an error, no CSR, and
// nothing half-written.
func TestDirStore_DiskFull(t *testing.T) {
	page := os.Getpagesize()
	for what, options := range map[string]string{"blocks": fmt.Sprintf("size=%d", 8*page), "files": "nr_inodes=9"} {
		t.Run(what, func(t *testing.T) {
			dir := filepath.Join(testenv.MountTmpfs(t, options), "keys")
			g := Generator{Keys: DirStore{Path: dir}, Source: P256}
			made := 0
			for range 20 {
				resp, err := g.CreateCdnCertificateSigningRequest(t.Context(), &exampleRequest)
				if err == nil {
					made++
					continue
				}
				assert.ErrorIs(t, err, syscall.ENOSPC)
				assert.Nil(t, resp)
			}
			assert.NotZero(t, made)
			assert.Less(t, made, 20)
			assert.Equal(t, made, assertOnlyKeys(t, dir))
			assert.Len(t, files(t, dir), made, "no temporary file is left")
		})
	}
}

// TestDirStore_DiskFullFromTheStart is about making the directories.
func TestDirStore_DiskFullFromTheStart(t *testing.T) {
	succeeded := false
	for inodes := 2; !succeeded && inodes < 10; inodes++ { // the first is the file system's root
		dir := filepath.Join(testenv.MountTmpfs(t, fmt.Sprintf("nr_inodes=%d", inodes)), "a", "keys")
		g := Generator{Keys: DirStore{Path: dir}, Source: P256}
		resp, err := g.CreateCdnCertificateSigningRequest(t.Context(), &exampleRequest)
		if succeeded = err == nil; succeeded {
			assert.Equal(t, 1, assertOnlyKeys(t, dir))
			continue
		}
		assert.ErrorIs(t, err, syscall.ENOSPC)
		assert.Nil(t, resp)
		assert.Zero(t, assertOnlyKeys(t, dir))
	}
	assert.True(t, succeeded)
}

func TestDirStore_ReadOnly(t *testing.T) {
	dir := testenv.MountTmpfs(t, "size=1m")
	_, name, _ := putKey(t, dir)
	before := files(t, dir)
	require.NoError(t, syscall.Mount("tmpfs", dir, "tmpfs", syscall.MS_REMOUNT|syscall.MS_RDONLY, "mode=0700"))

	for _, path := range []string{dir, filepath.Join(dir, "new")} {
		g := Generator{Keys: DirStore{Path: path}, Source: P256}
		resp, err := g.CreateCdnCertificateSigningRequest(t.Context(), &exampleRequest)
		assert.ErrorIs(t, err, syscall.EROFS)
		assert.Nil(t, resp)
	}
	assert.Equal(t, before, files(t, dir))
	_, err := DirStore{Path: dir}.Get(t.Context(), name)
	assert.NoError(t, err, "a key that is there can be read")
}
