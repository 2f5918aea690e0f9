package keydir

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

func (d *Dir) create() error {
	err := d.open()
	if errors.Is(err, fs.ErrNotExist) {
		if err = d.makeDirs(d.path); err != nil {
			return err
		}
		err = d.open()
	}
	if err != nil {
		return err
	}
	if err := d.checkTempDir(); err != nil {
		_ = d.Close() // nothing was written through it
		return err
	}
	return nil
}

// makeDirs makes the directory path and its missing parents. Each is fsynced in
// its parent before the next is made in it, so a directory that has a child is
// durable.
func (d *Dir) makeDirs(path string) error {
	parent := filepath.Join(path, "..")
	_, err := os.Stat(parent)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		err = d.makeDirs(parent)
	case err == nil:
		err = d.syncForeign(filepath.Join(parent, "..")) // another process may have made parent just now
	}
	if err != nil {
		return err
	}
	root, err := os.OpenRoot(parent)
	if err != nil {
		return err
	}
	defer func() { _ = root.Close() }() // syncRoot has fsynced it
	name := filepath.Base(path)
	mkdirErr := mkdir(root, name)
	if mkdirErr != nil && !errors.Is(mkdirErr, fs.ErrExist) {
		return fmt.Errorf("%s: %w", path, mkdirErr)
	}
	if err := d.syncRoot(root); err != nil {
		if mkdirErr == nil {
			_ = root.Remove(name) // otherwise the next call would take it for another's, and durable
		}
		return err
	}
	return nil
}

// mkdir makes the directory name with mode 0700. If the umask took this user's
// permissions away, mkdir gives them back.
func mkdir(root *os.Root, name string) error {
	if err := root.Mkdir(name, 0o700); err != nil {
		return err
	}
	info, err := root.Lstat(name)
	if err == nil && !hasPerm(info, 0o700) {
		err = root.Chmod(name, info.Mode()|0o700)
	}
	if err != nil {
		_ = root.Remove(name) // err says why
	}
	return err
}

// checkTempDir returns an error if the directory for temporary files must not
// be used. A missing one is made.
func (d *Dir) checkTempDir() error {
	info, err := d.root.Lstat(tempDir)
	if errors.Is(err, fs.ErrNotExist) {
		return d.makeTempDir()
	}
	if err != nil {
		return err
	}
	path := filepath.Join(d.path, tempDir)
	if !info.IsDir() {
		return fmt.Errorf("%s is not a directory: remove it", path)
	}
	if problem, _ := d.access(info, "w"); problem != "" {
		return fmt.Errorf("%s %s: remove it", path, problem)
	}
	f, err := d.root.Open(tempDir)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // nothing was written through it
	return d.checkACL(f, info, path, "w")
}

// makeTempDir makes the directory for temporary files once the directory itself
// is durable in its parent. Another process may do the same at that time.
func (d *Dir) makeTempDir() error {
	if err := d.syncForeign(filepath.Join(d.path, "..")); err != nil {
		return err
	}
	if err := mkdir(d.root, tempDir); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}

// syncForeign is syncPath for a directory in which this process made nothing,
// but another one may have. If this user may not open it, that is not an error.
func (d *Dir) syncForeign(path string) error {
	if err := d.syncPath(path); err != nil && !errors.Is(err, fs.ErrPermission) {
		return err
	}
	return nil
}

// syncPath makes the names in the directory path durable.
func (d *Dir) syncPath(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return d.syncAndClose(f)
}

// syncRoot makes the names in the directory root durable.
func (d *Dir) syncRoot(root *os.Root) error {
	f, err := root.Open(".")
	if err != nil {
		return err
	}
	return d.syncAndClose(f)
}

// syncAndClose fsyncs and closes the directory f. It ignores ENOTSUP, ENOSYS
// and EINVAL (vboxsf), the errors of file systems that can't fsync directories.
func (d *Dir) syncAndClose(f *os.File) error {
	defer func() { _ = f.Close() }() // nothing was written through it
	err := d.fsync(f)
	if errors.Is(err, errors.ErrUnsupported) || isInvalid(err) {
		return nil
	}
	return err
}
