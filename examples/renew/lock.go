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

// lock takes the lock file of a folder, which many machines may share. The
// context that it returns ends if the lease is lost, as on a machine that stood
// still for a minute. Unlock gives the lock back.
func (s state) lock(ctx context.Context) (locked context.Context, unlock func() error, err error) {
	path, token := filepath.Join(string(s), "lock"), rand.Text()
	mine := filepath.Join(string(s), ".lock-"+token)
	if err := os.WriteFile(mine, []byte(token), 0o600); err != nil {
		return nil, nil, err
	}
	defer func() { _ = os.Remove(mine) }() // the lock is a link to the same file
	err = os.Link(mine, path)              // fails if it exists, on a network too
	if errors.Is(err, fs.ErrExist) && s.isStale(mine, path) {
		err = errors.Join(s.discard(path), os.Link(mine, path))
	}
	if errors.Is(err, fs.ErrExist) {
		return nil, nil, errLocked
	}
	if err != nil {
		return nil, nil, err
	}
	locked, cancel := context.WithCancelCause(ctx)
	stopped := make(chan struct{})
	go refresh(locked, cancel, path, token, stopped)
	return locked, func() error {
		cancel(nil)
		<-stopped
		if !holds(path, token) {
			return nil // it is another's by now
		}
		return os.Remove(path)
	}, nil
}

// isStale reports whether the lock was not refreshed for leaseTime, by the
// clock of the file system, which has just written mine.
func (s state) isStale(mine, path string) bool {
	now, err := os.Stat(mine)
	if err != nil {
		return false
	}
	lock, err := os.Stat(path)
	return err == nil && now.ModTime().Sub(lock.ModTime()) > leaseTime
}

// discard takes a stale lock away. Of two runs that do so at once, the second
// may move the first one's new lock: it finds out, and puts that back.
func (s state) discard(path string) error {
	aside := filepath.Join(string(s), ".lock-"+rand.Text())
	if err := os.Rename(path, aside); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	}
	defer func() { _ = os.Remove(aside) }()
	info, err := os.Stat(aside)
	if err == nil && time.Since(info.ModTime()) < leaseTime {
		return os.Link(aside, path)
	}
	return err
}

// refresh keeps the lease until ctx ends, and ends ctx when it is lost.
func refresh(ctx context.Context, cancel context.CancelCauseFunc, path, token string, stopped chan<- struct{}) {
	defer close(stopped)
	ticker := time.NewTicker(leaseRenew)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		now := time.Now()
		if err := os.Chtimes(path, now, now); err != nil || !holds(path, token) {
			cancel(fmt.Errorf("%s: the lease was lost", path))
			return
		}
	}
}

// holds reports whether the lock has this token.
func holds(path, token string) bool {
	data, err := os.ReadFile(path)
	return err == nil && string(data) == token
}
