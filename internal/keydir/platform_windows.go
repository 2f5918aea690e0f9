package keydir

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
)

// checksModes reports whether a file's mode says who has access to it: access
// control lists do.
const checksModes = false

// errorInvalidFunction is ERROR_INVALID_FUNCTION, FAT32's and exFAT's answer to
// what they can't do.
const errorInvalidFunction = syscall.Errno(1)

// owner returns nothing: owners have no number here.
func owner(fs.FileInfo) (uid int, known bool) { return 0, false }

// linkCount returns one: a file's attributes have no link count.
func linkCount(fs.FileInfo) uint64 { return 1 }

// fsyncDir does nothing: Windows can't flush a directory.
func fsyncDir(*os.File) error { return nil }

func isInvalid(error) bool { return false }

// isLinkUnsupported reports whether the file system has no hard links.
func isLinkUnsupported(err error) bool { return errors.Is(err, errorInvalidFunction) }
