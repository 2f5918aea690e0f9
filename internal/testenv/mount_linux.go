package testenv

import (
	"syscall"
	"testing"
)

// MountTmpfs returns a directory of mode 0700 with a file system of its own,
// which is unmounted when the test ends. The options are those of tmpfs, such
// as "size=65536". If it can't be mounted, the test ends.
func MountTmpfs(t *testing.T, options string) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "mode=0700,"+options); err != nil {
		SkipOrFail(t, "tmpfs can't be mounted: "+err.Error())
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Errorf("unmount %s: %v", dir, err)
		}
	})
	return dir
}
