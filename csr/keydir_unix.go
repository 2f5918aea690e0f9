//go:build !windows

package csr

import "os"

// checksModes tells that a file's mode says who can open it.
const checksModes = true

// syncDirFile makes the names in an open directory durable (fsync(2); F_FULLFSYNC on macOS).
func syncDirFile(f *os.File) error { return f.Sync() }
