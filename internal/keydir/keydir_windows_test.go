package keydir

import "syscall"

const countsLinks = false

// What file systems answer that have no hard links, or can't fsync a directory.
var (
	linkRefusals = []error{errorInvalidFunction, syscall.Errno(50)} // ERROR_NOT_SUPPORTED
	syncRefusals []error
)
