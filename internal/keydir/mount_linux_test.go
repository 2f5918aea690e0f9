package keydir

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestAdd_DiskFullWithoutHardLinks is about the file that is written under its
// own name: it is removed.
func TestAdd_DiskFullWithoutHardLinks(t *testing.T) {
	mounted, page := t.TempDir(), os.Getpagesize()
	if err := syscall.Mount("tmpfs", mounted, "tmpfs", 0, fmt.Sprintf("mode=0700,size=%d", 4*page)); err != nil {
		skipOrFail(t, "tmpfs can't be mounted: "+err.Error())
	}
	defer func() { assert.NoError(t, syscall.Unmount(mounted, 0)) }()
	dir, err := Create(filepath.Join(mounted, "keys"), false)
	require.NoError(t, err)
	defer dir.Close()
	dir.link = failLink(errors.ErrUnsupported)
	data := []byte(strings.Repeat("x", 3*page)) // there is room for it once, but not twice
	assert.ErrorIs(t, dir.Add("key", data), syscall.ENOSPC)
	assert.Empty(t, files(t, dir.path))
}
