package csr

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
)

// read returns the content of the key file name, which must be a file of this user alone.
func (d *keyDir) read(name string) ([]byte, error) {
	before, err := d.root.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: %w", name, fs.ErrNotExist)
	}
	if err != nil {
		return nil, err
	}
	path := filepath.Join(d.path, name)
	if err = checkKeyFile(path, before); err != nil {
		return nil, err
	}
	f, err := d.root.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // nothing was written by it
	if err = sameFile(path, before, f); err != nil {
		return nil, err
	}
	data, err := io.ReadAll(io.LimitReader(f, maxKeyFile+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxKeyFile {
		return nil, fmt.Errorf("%s has more than %d bytes, so it is no key: move it away", path, maxKeyFile)
	}
	return data, nil
}

// checkKeyFile returns an error for what must not be taken for a key file.
func checkKeyFile(path string, info fs.FileInfo) error {
	switch {
	case info.Mode()&fs.ModeSymlink != 0:
		return fmt.Errorf("%s is a symbolic link: put the key file itself in its place", path)
	case !info.Mode().IsRegular():
		return fmt.Errorf("%s is not a regular file: move it away", path)
	case checksModes && info.Mode().Perm()&0o077 != 0:
		return fmt.Errorf("%s can be opened by group or others (mode %04o): chmod 600 %s, if the key is not known to them yet",
			path, info.Mode().Perm(), path)
	}
	return nil
}
