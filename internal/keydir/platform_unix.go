//go:build unix

package keydir

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
)

// checksModes reports whether a file's mode says who has access to it.
const checksModes = true

// owner returns the user who owns a file.
func owner(info fs.FileInfo) (uid int, known bool) {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		return int(stat.Uid), true
	}
	return 0, false
}

// linkCount returns how many names a file has.
func linkCount(info fs.FileInfo) uint64 {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		return uint64(stat.Nlink)
	}
	return 1
}

// fsyncDir makes the names in an open directory durable (fsync(2); F_FULLFSYNC
// on macOS).
func fsyncDir(dir *os.File) error { return dir.Sync() }

// isInvalid reports whether err is EINVAL: the file does not support
// synchronization (fsync(2)).
func isInvalid(err error) bool { return errors.Is(err, syscall.EINVAL) }

// isLinkUnsupported reports whether a link was refused because it would leave a
// directory (EXDEV: AFS, project quotas).
func isLinkUnsupported(err error) bool { return errors.Is(err, syscall.EXDEV) }
