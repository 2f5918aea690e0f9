package csr

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// tempDir is where files are written before they get their names. It is made only after the key directory itself is
// durable in its parent, so whoever finds it knows that.
const tempDir = ".tmp"

var errSwapped = errors.New("was replaced while it was opened")

// keyDir is an open key directory. It stays the same one whatever happens to its path.
type keyDir struct {
	path string
	root *os.Root
	link func(oldname, newname string) error // root.Link; a test has others
	sync func() error                        // fsync of the directory; same
}

// openKeyDir opens the directory path for reading keys. A missing one matches fs.ErrNotExist.
func openKeyDir(path string) (*keyDir, error) {
	if path == "" {
		return nil, errors.New("the directory has no name: set it, as in csr.DirStore(\"keys\")")
	}
	path = filepath.Clean(path) // a slash at the end would follow a symbolic link
	before, err := os.Lstat(path)
	if err != nil {
		return nil, err
	}
	if err = checkKeyDir(path, before); err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, err
	}
	after, err := root.Stat(".")
	if err != nil || !os.SameFile(before, after) {
		_ = root.Close() // nothing was written through it
		return nil, fmt.Errorf("%s: %w", path, errors.Join(errSwapped, err))
	}
	return &keyDir{path: path, root: root, link: root.Link, sync: func() error { return syncRoot(root) }}, nil
}

// checkKeyDir returns an error for what must not be used as a key directory.
func checkKeyDir(path string, info fs.FileInfo) error {
	switch {
	case info.Mode()&fs.ModeSymlink != 0:
		return fmt.Errorf("%s is a symbolic link: name the directory that it leads to", path)
	case !info.IsDir():
		return fmt.Errorf("%s is not a directory: name another, or move the file away", path)
	case checksModes && info.Mode().Perm()&0o022 != 0:
		return fmt.Errorf("%s can be written to by group or others (mode %04o): chmod go-w %s", path, info.Mode().Perm(), path)
	}
	return nil
}

// makeKeyDir opens the directory path for adding keys, and makes it durably if it is missing.
func makeKeyDir(path string) (*keyDir, error) {
	dir, err := openKeyDir(path)
	if errors.Is(err, fs.ErrNotExist) {
		if err = makeDirs(filepath.Clean(path)); err != nil {
			return nil, err
		}
		dir, err = openKeyDir(path)
	}
	if err != nil {
		return nil, err
	}
	if err := dir.prepare(); err != nil {
		_ = dir.Close() // nothing was written through it
		return nil, err
	}
	return dir, nil
}

// makeDirs makes the directory path and its missing parents, each fsynced in its parent before the next is made in it:
// what has a child is durable.
func makeDirs(path string) error {
	parent := filepath.Join(path, "..")
	if _, err := os.Stat(parent); errors.Is(err, fs.ErrNotExist) {
		if err = makeDirs(parent); err != nil {
			return err
		}
	} else if err != nil {
		return err
	} else if err := syncFoundDir(filepath.Join(parent, "..")); err != nil { // another process may just have made parent
		return err
	}
	mkdirErr := os.Mkdir(path, 0o700)
	if mkdirErr != nil && !errors.Is(mkdirErr, fs.ErrExist) {
		return mkdirErr
	}
	if err := syncDir(parent); err != nil {
		if mkdirErr == nil {
			_ = os.Remove(path) // else the next call would find it, and take it for another's
		}
		return err
	}
	return nil
}

// prepare makes the directory for temporary files, once the key directory is durable in its parent.
func (d *keyDir) prepare() error {
	info, err := d.root.Lstat(tempDir)
	if err == nil {
		return checkTempDir(filepath.Join(d.path, tempDir), info)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := syncFoundDir(filepath.Join(d.path, "..")); err != nil {
		return err
	}
	if err := d.root.Mkdir(tempDir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}

// checkTempDir returns an error for what must not be used for temporary files.
func checkTempDir(path string, info fs.FileInfo) error {
	if !info.IsDir() || checksModes && info.Mode().Perm()&0o022 != 0 {
		return fmt.Errorf("%s is not a directory that this user alone can write to: remove it", path)
	}
	return nil
}

// syncFoundDir is syncDir for a directory in which another has made something, or long ago. If this user must not open
// it, it's not this user's work to make durable.
func syncFoundDir(path string) error {
	if err := syncDir(path); err != nil && !errors.Is(err, fs.ErrPermission) {
		return err
	}
	return nil
}

// syncDir makes the names in the directory path durable.
func syncDir(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // nothing was written by it
	return syncDirFile(f)
}

// syncRoot makes the names in the directory root durable.
func syncRoot(root *os.Root) error {
	f, err := root.Open(".")
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // nothing was written by it
	return syncDirFile(f)
}

// sameFile returns an error unless f is the file that info was read of.
func sameFile(path string, info fs.FileInfo, f *os.File) error {
	now, err := f.Stat()
	if err != nil {
		return err
	}
	if !os.SameFile(info, now) {
		return fmt.Errorf("%s: %w", path, errSwapped)
	}
	return nil
}

// Close closes the directory; its keys are durable before.
func (d *keyDir) Close() error { return d.root.Close() }
