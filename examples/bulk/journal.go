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

// A record is a line of the results.
type record struct {
	Name string // as the list has it; CommonName is as the CSR has it
	csr.Response
	Origin string // who has the private key: "local" or "CDN"
}

// syncEvery is how long a record may be written before it is synced, together with those that came meanwhile: a sync for each
// would halve what the disk has left for the keys.
const syncEvery = 100 * time.Millisecond

// A journal is the file of the results. A record that was appended outlives the program from then on, and the machine from when
// it is synced; only then it counts as done.
type journal struct {
	path  string
	names map[string]bool // whose records were there when it was opened, in lower case

	mu      sync.Mutex
	file    *os.File
	written int   // records appended
	synced  int   // of these
	err     error // what stopped it; nothing is appended after that

	stop, stopped chan struct{}
}

// openJournal opens or makes the file at path. A record that is cut off at the end, as a kill leaves it, is dropped; anything else
// that is no record is an error.
func openJournal(path string) (*journal, error) {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a regular file: name another by -out", path)
	}
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		return nil, err
	}
	j := &journal{path: path, file: file, names: make(map[string]bool), stop: make(chan struct{}), stopped: make(chan struct{})}
	if err := j.recover(); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	go j.syncNowAndThen()
	return j, nil
}

// recover reads the names of the records, cuts off what is torn, and makes the file's own name durable.
func (j *journal) recover() error {
	reader := bufio.NewReader(j.file)
	var whole int64 // bytes of lines that have their ends
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
		case isRecord: // whoever edited the file took the line's end
			_, err = j.file.WriteString("\n")
			return errors.Join(err, j.file.Sync())
		case atEnd && isTorn(line):
			return errors.Join(os.Truncate(j.path, whole), j.file.Sync())
		default:
			return fmt.Errorf("%s: line %d is no record: was the file changed? move it away, or name another by -out", j.path, number)
		}
	}
}

// note adds the name of a record, and tells whether the line is one.
func (j *journal) note(line []byte) bool {
	var r record
	if err := json.Unmarshal(line, &r); err != nil || r.Name == "" {
		return false
	}
	j.names[strings.ToLower(r.Name)] = true
	return true
}

// isTorn tells whether line is the beginning of a record, with zeros behind it if a machine lost its power.
func isTorn(line []byte) bool {
	const begin = `{"Name":"`
	text := strings.TrimRight(string(line), "\x00")
	return strings.HasPrefix(text, begin) || len(text) < len(begin) && strings.HasPrefix(begin, text)
}

// syncParent makes the name of a new file durable. Windows has no way to.
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

// append writes a record in one piece.
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

// done is how many records of this run are synced.
func (j *journal) done() int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.synced
}

func (j *journal) syncNowAndThen() {
	defer close(j.stopped)
	tick := time.NewTicker(syncEvery)
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

// sync makes what is written durable; its error is that of the next append, and of close.
func (j *journal) sync() {
	j.mu.Lock()
	written, idle := j.written, j.written == j.synced || j.err != nil
	j.mu.Unlock()
	if idle {
		return
	}
	err := j.file.Sync() // without the lock: others append meanwhile
	j.mu.Lock()
	defer j.mu.Unlock()
	if err != nil {
		j.err = err
		return
	}
	j.synced = written
}

// close syncs what is left and closes the file.
func (j *journal) close() error {
	close(j.stop)
	<-j.stopped
	j.sync()
	return errors.Join(j.err, j.file.Close())
}
