package keydir

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
)

// checksModes reports whether a file's mode says who has access to it. On
// Windows access control lists do.
const checksModes = false

// errorInvalidFunction is ERROR_INVALID_FUNCTION, the error of FAT32 and exFAT
// for an unsupported operation.
const errorInvalidFunction = syscall.Errno(1)

// owner returns nothing: owners have no number here.
func owner(fs.FileInfo) (uid int, known bool) { return 0, false }

// linkCount returns one: the attributes of a file have no link count.
func linkCount(fs.FileInfo) uint64 { return 1 }

// fsyncDir does nothing: Windows can't flush a directory.
func fsyncDir(*os.File) error { return nil }

func isInvalid(error) bool { return false }

// isLinkUnsupported reports whether the file system has no hard links.
func isLinkUnsupported(err error) bool { return errors.Is(err, errorInvalidFunction) }
