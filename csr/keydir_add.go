package csr

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"
)

const (
	sweepEvery = time.Hour           // between two sweeps of temporary files
	tempLife   = time.Hour           // a temporary file older than this is of a process that died
	sweepMark  = tempDir + "/.sweep" // its modification time is that of the last sweep
)

// add makes data the durable content of the new file name: written under a temporary name and fsynced, then linked to
// its own name, which never replaces a file as a rename would; then the directory is fsynced.
func (d *keyDir) add(name string, data []byte) error {
	temp := tempDir + "/" + rand.Text()
	now, err := d.write(temp, data)
	if err != nil {
		return err
	}
	defer d.sweep(now)
	err = d.link(temp, name)
	if noHardLinks(err) {
		_, err = d.write(name, data)
	}
	_ = d.root.Remove(temp) // if it stays, a sweep removes it
	if errors.Is(err, fs.ErrExist) {
		err = fmt.Errorf("%s: %w", name, fs.ErrExist)
	} else if err != nil {
		return err
	}
	// Also when the file exists: the process that linked it may not have come to this line yet, and the caller may
	// rely on that key at once.
	return errors.Join(err, d.sync())
}

// write makes the file name, which must not exist, with data as its durable content, or no file. It returns the file's
// modification time: what the file system takes for now.
func (d *keyDir) write(name string, data []byte) (now time.Time, err error) {
	f, err := d.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return time.Time{}, err
	}
	defer func() {
		if err = errors.Join(err, f.Close()); err != nil {
			_ = d.root.Remove(name) // the first error is the one to report
		}
	}()
	if _, err = f.Write(data); err != nil {
		return time.Time{}, err
	}
	if err = f.Sync(); err != nil {
		return time.Time{}, err
	}
	info, err := f.Stat()
	if err != nil {
		return time.Time{}, err
	}
	return info.ModTime(), nil
}

// noHardLinks tells whether a file system refused a link because it has none: ENOTSUP, ENOSYS, or EPERM as of VFAT on
// Linux (link(2)). If it was a lack of permission after all, making the file will meet that again.
func noHardLinks(err error) bool {
	return errors.Is(err, errors.ErrUnsupported) || errors.Is(err, fs.ErrPermission)
}

// sweep removes the temporary files of processes that died, about once in sweepEvery whatever the number of processes.
// Times are the file system's, not this machine's. It never fails: what it can't remove is harmless.
func (d *keyDir) sweep(now time.Time) {
	if mark, err := d.root.Lstat(sweepMark); err == nil && now.Sub(mark.ModTime()) < sweepEvery {
		return
	}
	_ = d.root.Remove(sweepMark) // a new one is as of now
	mark, err := d.root.OpenFile(sweepMark, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return // another process sweeps
	}
	_ = mark.Close() // nothing was written
	temps, err := d.root.Open(tempDir)
	if err != nil {
		return
	}
	defer func() { _ = temps.Close() }() // nothing was written by it
	names, _ := temps.Readdirnames(-1)   // those that could be read
	for _, name := range names {
		name = tempDir + "/" + name
		if info, err := d.root.Lstat(name); err == nil && now.Sub(info.ModTime()) > tempLife {
			_ = d.root.Remove(name) // the next sweep tries again
		}
	}
}
