package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

const (
	leaseTime  = time.Minute // after which a lock that is not refreshed is free
	leaseRenew = 10 * time.Second
)

// errLocked means that another run is at work in the same folder.
var errLocked = errors.New("another run is at work in this folder")

// lock takes the lock file of the folder, which many machines may share. It
// waits for a lease that a killed run has left, but not for a run at work. The
// context that it returns ends when the lease is lost, as on a machine that
// stood still for a minute. Unlock gives the lock back.
func (s state) lock(ctx context.Context) (locked context.Context, unlock func(), err error) {
	path, token := filepath.Join(string(s), "lock"), rand.Text()
	for end := time.Now().Add(leaseTime + 2*leaseRenew); ; {
		err := s.tryLock(path, token)
		if err == nil {
			break
		}
		if !errors.Is(err, fs.ErrExist) {
			return nil, nil, err
		}
		if time.Now().After(end) {
			return nil, nil, errLocked
		}
		if err := sleep(ctx, leaseRenew); err != nil {
			return nil, nil, err
		}
	}
	locked, cancel := context.WithCancelCause(ctx)
	stopped := make(chan struct{})
	go refresh(locked, cancel, path, token, stopped)
	return locked, func() {
		cancel(nil)
		<-stopped
		if holds(path, token) {
			_ = os.Remove(path) // else it is free in a minute
		}
	}, nil
}

// tryLock makes the lock file. It returns fs.ErrExist if another run has one
// that it refreshes.
func (s state) tryLock(path, token string) error {
	err := create(path, token)
	if !errors.Is(err, fs.ErrExist) || !s.isStale(path) {
		return err
	}
	if err := s.discard(path, token); err != nil {
		return err
	}
	return create(path, token)
}

// discard removes a stale lock. Of two runs that do so at once, the second may
// move the new lock of the first: it finds out, puts that back, and returns
// fs.ErrExist.
func (s state) discard(path, token string) error {
	aside := filepath.Join(string(s), ".lock-"+token)
	if err := os.Rename(path, aside); err != nil {
		return fs.ErrExist // another run has discarded it
	}
	defer func() { _ = os.Remove(aside) }() // nobody reads it
	if !s.isStale(aside) {
		_ = os.Link(aside, path) // else the other run notices that its lease is lost
		return fs.ErrExist
	}
	return nil
}

func create(path, content string) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = file.WriteString(content)
	return errors.Join(err, file.Close())
}

// isStale reports whether the lock was not refreshed for leaseTime, by the
// clock of the file system, which all machines share. A lock from the future was
// written while that clock was wrong.
func (s state) isStale(path string) bool {
	now, err := os.CreateTemp(string(s), ".now-*")
	if err != nil {
		return false
	}
	defer func() { _ = os.Remove(now.Name()) }() // nobody reads it
	defer func() { _ = now.Close() }()
	_, err = now.WriteString("now")
	clock, clockErr := os.Stat(now.Name())
	lock, lockErr := os.Stat(path)
	return errors.Join(err, clockErr, lockErr) == nil && clock.ModTime().Sub(lock.ModTime()).Abs() > leaseTime
}

// refresh keeps the lease until ctx ends, and ends ctx when it is lost.
func refresh(ctx context.Context, cancel context.CancelCauseFunc, path, token string, stopped chan<- struct{}) {
	defer close(stopped)
	for sleep(ctx, leaseRenew) == nil {
		if !holds(path, token) || write(path, token) != nil {
			cancel(fmt.Errorf("%s: the lease was lost", path))
		}
	}
}

// write writes the same content anew, so that the file system's clock dates it.
func write(path, content string) error {
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = file.WriteString(content)
	return errors.Join(err, file.Close())
}

// holds reports whether the lock has this token.
func holds(path, token string) bool {
	data, err := os.ReadFile(path)
	return err == nil && string(data) == token
}

// sleep returns nil after d, or before that the cause that ended ctx.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
