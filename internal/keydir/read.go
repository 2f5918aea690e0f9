package keydir

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Read returns the content of the file name. The error matches fs.ErrNotExist
// if, and only if, there is no such file.
func (d *Dir) Read(name string) ([]byte, error) {
	if err := checkName(name); err != nil {
		return nil, fmt.Errorf("%w: %w", err, fs.ErrNotExist)
	}
	info, err := d.root.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: %w", name, fs.ErrNotExist)
	}
	if err != nil {
		return nil, err
	}
	if err := d.checkFile(name, info); err != nil {
		return nil, err
	}
	return d.readFile(name, info)
}

// readFile returns the content of the file name, which must still be the one
// that was checked.
func (d *Dir) readFile(name string, checked fs.FileInfo) ([]byte, error) {
	path := filepath.Join(d.path, name)
	f, err := d.root.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // nothing was written through it
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !os.SameFile(checked, info) {
		return nil, fmt.Errorf("%s %w", path, errReplaced)
	}
	if err = d.checkACL(f, info, path, "rwx"); err != nil {
		return nil, err
	}
	data, err := io.ReadAll(io.LimitReader(f, MaxSize+1))
	if err != nil {
		return nil, err
	}
	if len(data) > MaxSize {
		return nil, fmt.Errorf("%s has more than %d bytes", path, MaxSize)
	}
	return data, nil
}

// checkFile returns an error if info is not that of a file that may be read.
func (d *Dir) checkFile(name string, info fs.FileInfo) error {
	path := filepath.Join(d.path, name)
	switch {
	case info.Mode()&fs.ModeSymlink != 0:
		return fmt.Errorf("%s is a symbolic link: put the file itself in its place", path)
	case !info.Mode().IsRegular():
		return fmt.Errorf("%s is not a regular file", path)
	}
	if problem, repair := d.access(info, "rwx"); problem != "" {
		return fmt.Errorf("%s %s: run %s %s", path, problem, repair, path)
	}
	return nil
}
