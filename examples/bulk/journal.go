package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/cdncsr/cdncsr/csr"
)

// A record is one line of the results file.
type record struct {
	Name string // as in the list; CommonName is the name in the CSR
	csr.Response
	Origin string // who has the private key: "local" or "CDN"
}

// syncInterval is how long a record may wait for its sync. One sync serves all
// records written meanwhile: with a sync for each, the keys would get half as
// much of the disk's time.
const syncInterval = 100 * time.Millisecond

// A journal is the results file. An appended record survives a kill of the
// process at once, and a power failure after the next sync. Only then it counts
// as done.
type journal struct {
	path  string
	names map[string]bool // lower-case names with a record from an earlier run

	mu      sync.Mutex
	file    *os.File
	written int   // records appended
	synced  int   // records synced
	err     error // the first failure; nothing is appended after it

	stop, stopped chan struct{}
}

// openJournal opens or creates the file at path. It drops an incomplete last
// record, which a kill leaves, and returns an error for any other line that is
// not a record.
func openJournal(path string) (*journal, error) {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a regular file", path)
	}
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		return nil, err
	}
	j := &journal{
		path: path, file: file, names: make(map[string]bool),
		stop: make(chan struct{}), stopped: make(chan struct{}),
	}
	if err := j.recover(); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	go j.syncPeriodically()
	return j, nil
}

// recover reads the names of the records, drops a torn last record, and makes
// the file's directory entry durable.
func (j *journal) recover() error {
	reader := bufio.NewReader(j.file)
	var whole int64 // bytes in complete lines
	for number := 1; ; number++ {
		line, err := reader.ReadBytes('\n')
		atEnd := errors.Is(err, io.EOF)
		if err != nil && !atEnd {
			return err
		}
		if len(line) == 0 {
			return syncParent(j.path)
		}
		switch isRecord := j.note(line); {
		case isRecord && !atEnd:
			whole += int64(len(line))
		case isRecord: // an editor has removed the last line end
			_, err = j.file.WriteString("\n")
			return errors.Join(err, j.file.Sync())
		case atEnd && isTorn(line):
			return errors.Join(os.Truncate(j.path, whole), j.file.Sync())
		default:
			return fmt.Errorf("%s: line %d is not a record of this program", j.path, number)
		}
	}
}

// note adds the name of the record in line. It reports whether line is a
// record.
func (j *journal) note(line []byte) bool {
	var r record
	if err := json.Unmarshal(line, &r); err != nil || r.Name == "" {
		return false
	}
	j.names[strings.ToLower(r.Name)] = true
	return true
}

// isTorn reports whether line is the beginning of a record. After a power
// failure, zero bytes may follow it.
func isTorn(line []byte) bool {
	const prefix = `{"Name":"`
	text := strings.TrimRight(string(line), "\x00")
	return strings.HasPrefix(text, prefix) || strings.HasPrefix(prefix, text)
}

// syncParent makes the directory entry of a new file durable, which Windows has
// no call for.
func syncParent(path string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// append writes a record with one write.
func (j *journal) append(name string, resp *csr.Response) error {
	line, err := json.Marshal(record{Name: name, Response: *resp, Origin: resp.Origin.String()})
	if err != nil {
		return err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.err != nil {
		return j.err
	}
	if _, err := j.file.Write(append(line, '\n')); err != nil {
		j.err = err
		return err
	}
	j.written++
	return nil
}

// done returns the number of records of this run that are synced.
func (j *journal) done() int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.synced
}

func (j *journal) syncPeriodically() {
	defer close(j.stopped)
	tick := time.NewTicker(syncInterval)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			j.sync()
		case <-j.stop:
			return
		}
	}
}

// sync makes the written records durable. The next append and close return its
// error.
func (j *journal) sync() {
	j.mu.Lock()
	written, idle := j.written, j.written == j.synced || j.err != nil
	j.mu.Unlock()
	if idle {
		return
	}
	err := j.file.Sync() // without the lock, so that others can append
	j.mu.Lock()
	defer j.mu.Unlock()
	if err != nil {
		j.err = err
		return
	}
	j.synced = written
}

// close syncs the remaining records and closes the file.
func (j *journal) close() error {
	close(j.stop)
	<-j.stopped
	j.sync()
	return errors.Join(j.err, j.file.Close())
}
