package keydir

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
	tempLife   = time.Hour           // a temporary file that is further from now belongs to a process that died
	sweepMark  = tempDir + "/.sweep" // its modification time is that of the last sweep
)

// Add makes data the durable content of the new file name. If the file exists,
// Add makes it durable and returns an error that matches fs.ErrExist. If only
// the fsync of the directory fails, Add returns that error and the file stays.
//
// Add writes the data to a temporary file and fsyncs it, then links that to
// name, which unlike a rename never replaces a file, and fsyncs the directory.
//
// On a file system without hard links Add writes the file under its name. If
// that fails, for example because the disk is full, Add removes the file. An
// Add of the same name by another process may have returned fs.ErrExist
// meanwhile, although no file remains.
//
// Add removes the temporary files that killed processes left, about once an
// hour. An Add that fails does so at once, so that the next one has room on a
// disk that was full of them.
func (d *Dir) Add(name string, data []byte) error {
	if err := checkName(name); err != nil {
		return err
	}
	if len(data) > MaxSize {
		return fmt.Errorf("%s: %d bytes: want at most %d", name, len(data), MaxSize)
	}
	now, err := d.add(name, data)
	if err != nil && !errors.Is(err, fs.ErrExist) {
		d.removeOldTemps(now)
	} else {
		d.sweep(now)
	}
	return err
}

// add is Add without the checks and the sweep. Whether it fails or not, it
// returns the file system's time, or this machine's if no file can be made.
func (d *Dir) add(name string, data []byte) (now time.Time, err error) {
	temp := tempDir + "/" + rand.Text()
	now, err = d.write(temp, data)
	if err != nil {
		return now, err
	}
	addErr := d.linkOrWrite(temp, name, data)
	_ = d.root.Remove(temp) // if it stays, a sweep removes it
	if addErr != nil && !errors.Is(addErr, fs.ErrExist) {
		return now, addErr
	}
	// Also if the file exists: the process that linked it may not have fsynced
	// the directory yet, and the caller may use the file at once.
	if err = d.syncRoot(d.root); err != nil {
		return now, err
	}
	if addErr != nil {
		return now, fmt.Errorf("%s: %w", name, fs.ErrExist)
	}
	return now, nil
}

// linkOrWrite links the temporary file to name. On a file system without hard
// links it writes data to a new file instead.
func (d *Dir) linkOrWrite(temp, name string, data []byte) error {
	err := d.link(d.root, temp, name)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, fs.ErrExist) && d.isLinked(temp):
		return nil
	case noHardLinks(err):
		_, err = d.write(name, data)
	}
	return err
}

// isLinked reports whether the temporary file has a second name. If a network
// file system repeats a LINK whose answer was lost, the error may be that the
// name exists, although the first LINK made it. The link count shows whether it
// did (open(2), O_EXCL). Opening the file makes an NFS client ask the server
// for the count.
func (d *Dir) isLinked(temp string) bool {
	f, err := d.root.Open(temp)
	if err != nil {
		return false
	}
	defer func() { _ = f.Close() }() // nothing was written through it
	info, err := f.Stat()
	return err == nil && linkCount(info) == 2
}

// write creates the file name with data as its durable content; if it fails,
// the file does not exist. In either case it returns the file system's time, or
// this machine's if the file can't be made.
func (d *Dir) write(name string, data []byte) (now time.Time, err error) {
	f, err := d.openFile(d.root, name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return time.Now(), err
	}
	defer func() {
		if closeErr := f.Close(); err == nil {
			err = closeErr
		}
		if err != nil {
			_ = d.root.Remove(name) // err says why
		}
	}()
	info, err := d.checkNew(f)
	if err != nil {
		return time.Now(), err
	}
	if _, err := f.Write(data); err != nil {
		return info.ModTime(), err
	}
	return info.ModTime(), f.Sync()
}

// checkNew returns an error unless the new file f is open to this user and to
// nobody else. If the umask took this user's permissions away, checkNew gives
// them back.
func (d *Dir) checkNew(f *os.File) (fs.FileInfo, error) {
	info, err := f.Stat()
	if err == nil && !hasPerm(info, 0o600) {
		if err = d.chmod(f, info.Mode()|0o600); err == nil {
			info, err = f.Stat()
		}
	}
	if err != nil {
		return nil, err
	}
	problem, _ := d.access(info, "rwx") // a vfat or SMB mount, or root on NFS
	if problem == "" && !hasPerm(info, 0o600) {
		problem = fmt.Sprintf("is closed to its owner (mode %04o)", info.Mode().Perm())
	}
	if problem != "" {
		return nil, fmt.Errorf("a new file in %s %s: use a file system that keeps modes and owners", d.path, problem)
	}
	return info, nil
}

// hasPerm reports whether a file's mode has all the bits of perm.
func hasPerm(info fs.FileInfo, perm fs.FileMode) bool { return info.Mode()&perm == perm }

// noHardLinks reports whether a file system refused a link because it has none:
// with ENOTSUP, ENOSYS, EPERM (link(2): vfat), or what the operating system
// adds. If the error is about permissions, creating the file fails too.
func noHardLinks(err error) bool {
	return errors.Is(err, errors.ErrUnsupported) || errors.Is(err, fs.ErrPermission) || isLinkUnsupported(err)
}

// sweep removes the temporary files of processes that died, about once in
// sweepEvery for all processes together. Times are those of the file system,
// not of this machine, whose clock may have been wrong: a mark from the future
// does not count. Errors are ignored: the next sweep tries again.
func (d *Dir) sweep(now time.Time) {
	if mark, err := d.root.Lstat(sweepMark); err == nil {
		if age := now.Sub(mark.ModTime()); age >= 0 && age < sweepEvery {
			return
		}
	}
	_ = d.root.Remove(sweepMark) // the new one has a new time
	mark, err := d.root.OpenFile(sweepMark, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return // another process sweeps
	}
	_ = mark.Close() // nothing was written
	d.removeOldTemps(now)
}

// removeOldTemps removes temporary files that are further from now than
// tempLife. If now is wrong and a file is still being written, the Add that
// writes it fails.
func (d *Dir) removeOldTemps(now time.Time) {
	temps, err := d.root.Open(tempDir)
	if err != nil {
		return
	}
	defer func() { _ = temps.Close() }() // nothing was written through it
	names, _ := temps.Readdirnames(-1)   // those that could be read
	for _, name := range names {
		name = tempDir + "/" + name
		if info, err := d.root.Lstat(name); err == nil && now.Sub(info.ModTime()).Abs() > tempLife {
			_ = d.root.Remove(name) // the next sweep tries again
		}
	}
}
