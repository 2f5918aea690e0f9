// Package keydir keeps small files durably and privately in a directory. It is
// what csr.DirStore and sealed.Dir have in common, and knows names and bytes
// only.
//
// A file, once added, is never replaced. When [Dir.Add] returns nil, the file,
// its directory, and the parents of a directory that [Create] made are fsynced.
// If the process or the machine dies earlier, the directory has the whole file
// or none of that name. Where the file system has no hard links, a file that
// was cut off may be left. Any number of processes may use one directory.
//
// A directory or a file that others can open, that another user owns, or that
// is a symbolic link is refused, and never changed.
//
// Errors have no prefix; callers add their own.
package keydir

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// MaxSize is the largest size of a file in the directory, in bytes.
const MaxSize = 64 << 10

// tempDir is the directory in which files are written before they get their
// names. It is made only after the key directory is durable in its parent, so
// that its existence proves that.
const tempDir = ".tmp"

var errReplaced = errors.New("was replaced while it was being opened")

// A Dir is an open directory. It remains the same directory whatever happens to
// its path, and is safe for concurrent use.
type Dir struct {
	path       string
	allowGroup bool
	user       int // this process's, who may own files besides root
	root       *os.Root

	// Calls that fail on some file systems; tests replace them.
	openFile func(root *os.Root, name string, flag int, perm fs.FileMode) (*os.File, error)
	chmod    func(f *os.File, mode fs.FileMode) error
	link     func(root *os.Root, oldname, newname string) error
	fsync    func(dir *os.File) error
}

// Open opens the directory path for reading. A missing one matches
// fs.ErrNotExist. If allowGroup is set, the group may have access to the
// directory and its files, but no user or group that a POSIX ACL names.
func Open(path string, allowGroup bool) (*Dir, error) {
	d := newDir(path, allowGroup)
	if err := d.open(); err != nil {
		return nil, err
	}
	return d, nil
}

// Create opens the directory path for reading and adding. It makes a missing
// one, and its missing parents, with mode 0700, whatever the umask is. The
// parameter allowGroup is that of [Open].
func Create(path string, allowGroup bool) (*Dir, error) {
	d := newDir(path, allowGroup)
	if err := d.create(); err != nil {
		return nil, err
	}
	return d, nil
}

// Close closes the directory. Added files are durable already.
func (d *Dir) Close() error { return d.root.Close() }

func newDir(path string, allowGroup bool) *Dir {
	if path != "" {
		path = filepath.Clean(path) // a slash at the end would follow a symbolic link
	}
	return &Dir{
		path:       path,
		allowGroup: allowGroup,
		user:       os.Geteuid(),
		openFile:   (*os.Root).OpenFile,
		chmod:      (*os.File).Chmod,
		link:       (*os.Root).Link,
		fsync:      fsyncDir,
	}
}

func (d *Dir) open() error {
	if d.path == "" {
		return errors.New("empty Path")
	}
	info, err := os.Lstat(d.path)
	if err != nil {
		return err
	}
	if err := d.checkDir(info); err != nil {
		return err
	}
	return d.openRoot(info)
}

// openRoot opens the directory, which must still be the one that was checked.
func (d *Dir) openRoot(checked fs.FileInfo) error {
	root, err := os.OpenRoot(d.path)
	if err != nil {
		return err
	}
	if err := d.checkRoot(root, checked); err != nil {
		_ = root.Close() // nothing was written through it
		return err
	}
	d.root = root
	return nil
}

// checkRoot returns an error if root is not the directory that was checked, or
// must not be used because of its ACL.
func (d *Dir) checkRoot(root *os.Root, checked fs.FileInfo) error {
	f, err := root.Open(".")
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // nothing was written through it
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if !os.SameFile(checked, info) {
		return fmt.Errorf("%s %w", d.path, errReplaced)
	}
	return d.checkACL(f, info, d.path, "w")
}

// checkDir returns an error if info is not that of a directory that may be
// used.
func (d *Dir) checkDir(info fs.FileInfo) error {
	switch {
	case info.Mode()&fs.ModeSymlink != 0:
		return fmt.Errorf("%s is a symbolic link: use the path of the directory itself", d.path)
	case !info.IsDir():
		return fmt.Errorf("%s is not a directory", d.path)
	}
	if problem, repair := d.access(info, "w"); problem != "" {
		return fmt.Errorf("%s %s: run %s %s", d.path, problem, repair, d.path)
	}
	return nil
}

// access describes the access that someone other than this user and root has to
// a file, and returns the command that removes it. Both are empty if there is
// none. With permissions "w" only writing counts, with "rwx" any access.
func (d *Dir) access(info fs.FileInfo, permissions string) (problem, repair string) {
	if !checksModes {
		return "", ""
	}
	if uid, known := owner(info); known && uid != 0 && uid != d.user {
		return fmt.Sprintf("is owned by user %d", uid), fmt.Sprintf("chown %d", d.user)
	}
	classes, bits := "group or others", fs.FileMode(0o077)
	repair = "chmod go-" + permissions
	if d.allowGroup {
		classes, bits = "others", 0o007
		repair = "chmod o-" + permissions
	}
	if permissions == "w" {
		bits &= 0o022
	}
	if info.Mode().Perm()&bits == 0 {
		return "", ""
	}
	return fmt.Sprintf("is open to %s (mode %04o)", classes, info.Mode().Perm()), repair
}

// checkName returns an error unless name is the name of a file directly in the
// directory, and not one of those that this package uses itself.
func checkName(name string) error {
	if name == "" || name[0] == '.' || strings.ContainsAny(name, "/\\\x00") {
		return fmt.Errorf("%q is not the name of a file in a key directory", name)
	}
	return nil
}
