// Package lease lets one run at a time work in a folder, which many machines
// may share. The run that holds the folder's lock refreshes it. When it is
// killed, its lease ends by itself.
package lease

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/cdncsr/cdncsr/examples/internal/cli"
)

const (
	leaseTime    = time.Minute // after which a lock that is not refreshed is free
	refreshPause = 10 * time.Second
)

// ErrHeld means that another run is at work in the folder.
var ErrHeld = errors.New("another run is at work in this folder")

// A lock is the lock file of a folder, as one run sees it.
type lock struct {
	dir, path string
	token     string // of this run
}

func newLock(dir, token string) *lock { return &lock{dir, filepath.Join(dir, "lock"), token} }

// Take takes the lock of the folder dir. It waits for the lease of a killed run
// to end, but not for a run at work: then it returns ErrHeld. The context held
// ends when the lease is lost, as on a machine that stood still for a minute.
// Free gives the lock back.
func Take(ctx context.Context, dir string) (held context.Context, free func(), err error) {
	l := newLock(dir, rand.Text())
	for end := time.Now().Add(leaseTime + 2*refreshPause); ; {
		err := l.take()
		if err == nil {
			break
		}
		if !errors.Is(err, fs.ErrExist) {
			return nil, nil, err
		}
		if time.Now().After(end) {
			return nil, nil, ErrHeld
		}
		if err := cli.Sleep(ctx, refreshPause); err != nil {
			return nil, nil, err
		}
	}
	held, cancel := context.WithCancelCause(context.WithValue(ctx, lockKey{}, l))
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		l.refresh(held, cancel)
	}()
	return held, func() {
		cancel(nil)
		<-stopped
		if l.isOurs() {
			_ = os.Remove(l.path) // else it is free in a minute
		}
	}, nil
}

// lockKey is the key of the lock in its context.
type lockKey struct{}

// Check returns an error if ctx is one that Take returned, or is derived from
// one, and another run has taken the lock since.
func Check(ctx context.Context) error {
	if l, ok := ctx.Value(lockKey{}).(*lock); ok && !l.isOurs() {
		return l.lost()
	}
	return nil
}

func (l *lock) lost() error { return fmt.Errorf("%s: the lease was lost", l.path) }

// take makes the lock file. It returns fs.ErrExist if another run has one that
// it refreshes.
func (l *lock) take() error {
	err := l.write(os.O_CREATE | os.O_EXCL)
	if !errors.Is(err, fs.ErrExist) {
		return err
	}
	if isStale, staleErr := l.isStale(l.path); staleErr != nil || !isStale {
		return cmp.Or(staleErr, err)
	}
	if err := l.discard(); err != nil {
		return err
	}
	return l.write(os.O_CREATE | os.O_EXCL)
}

// discard removes a stale lock. Of two runs that do so at once, the second may
// move the new lock of the first: it finds out, puts that back, and returns
// fs.ErrExist.
func (l *lock) discard() error {
	aside := filepath.Join(l.dir, ".lock-"+l.token)
	if err := os.Rename(l.path, aside); err != nil {
		return fs.ErrExist // another run has discarded it
	}
	defer func() { _ = os.Remove(aside) }() // nobody reads it
	isStale, err := l.isStale(aside)
	if err == nil && isStale {
		return nil
	}
	_ = os.Link(aside, l.path) // else the other run notices that its lease is lost
	return cmp.Or(err, fs.ErrExist)
}

// isStale reports whether a lock was not refreshed for leaseTime, by the clock
// of the file system, which all machines share. A lock from the future was
// written while that clock was wrong. A lock that is gone is not stale.
func (l *lock) isStale(path string) (bool, error) {
	now, err := os.CreateTemp(l.dir, ".now-*")
	if err != nil {
		return false, err
	}
	defer func() { _ = os.Remove(now.Name()) }() // nobody reads it
	defer func() { _ = now.Close() }()
	_, err = now.WriteString("now")
	clock, clockErr := os.Stat(now.Name())
	if err = cmp.Or(err, clockErr); err != nil {
		return false, err
	}
	file, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil && clock.ModTime().Sub(file.ModTime()).Abs() > leaseTime, err
}

// refresh keeps the lease until ctx ends, and ends ctx when it is lost.
func (l *lock) refresh(ctx context.Context, cancel context.CancelCauseFunc) {
	for cli.Sleep(ctx, refreshPause) == nil {
		if !l.isOurs() || l.write(0) != nil {
			cancel(l.lost())
		}
	}
}

// write writes the token, so that the file system's clock dates the file. A file
// that it has made and can't write is removed.
func (l *lock) write(flag int) error {
	file, err := os.OpenFile(l.path, os.O_WRONLY|flag, 0o600)
	if err != nil {
		return err
	}
	_, err = file.WriteString(l.token)
	err = errors.Join(err, file.Close())
	if err != nil && flag&os.O_EXCL != 0 {
		_ = os.Remove(l.path) // the first error counts
	}
	return err
}

// isOurs reports whether the lock has the token of this run.
func (l *lock) isOurs() bool {
	data, err := os.ReadFile(l.path)
	return err == nil && string(data) == l.token
}
