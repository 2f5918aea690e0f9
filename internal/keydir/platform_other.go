//go:build !unix && !windows

package keydir

import (
	"io/fs"
	"os"
)

// checksModes reports whether a file's mode says who has access to it.
const checksModes = true

// owner returns nothing: owners have no number here.
func owner(fs.FileInfo) (uid int, known bool) { return 0, false }

// linkCount returns one: there are no hard links.
func linkCount(fs.FileInfo) uint64 { return 1 }

// fsyncDir makes the names in an open directory durable.
func fsyncDir(dir *os.File) error { return dir.Sync() }

func isInvalid(error) bool { return false }

func isLinkUnsupported(error) bool { return false }
