// Package state keeps what must outlive a run: the key of an ACME account, and
// a record of each domain. Each is a file that is replaced as a whole and
// durably, so that a run may be killed at any point. Which certificate is served
// is not in it: the edge servers know that.
package state

import (
	"context"
	"crypto"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"time"

	"github.com/cdncsr/cdncsr/csr"
	"github.com/cdncsr/cdncsr/examples/internal/cli"
	"github.com/cdncsr/cdncsr/examples/renew/internal/due"
	"github.com/cdncsr/cdncsr/examples/renew/internal/lease"
)

// A Folder has the account's key and the records of one CA, so that nothing of
// one CA is taken for another's.
type Folder string

// unsafe is what the name of a folder is not to have on every system.
var unsafe = regexp.MustCompile(`[^A-Za-z0-9.-]`)

// In returns the folder of a CA within dir. Directory is the URL of the CA's
// directory.
func In(dir, directory string) Folder {
	_, name, _ := strings.Cut(directory, "://")
	return Folder(filepath.Join(dir, unsafe.ReplaceAllString(name, "_")))
}

// Make makes the folder if it does not exist, durably.
func (f Folder) Make() error {
	if info, err := os.Stat(string(f)); err == nil && info.IsDir() {
		return nil
	}
	if err := os.MkdirAll(string(f), 0o700); err != nil {
		return err
	}
	return syncDir(filepath.Dir(string(f)))
}

// A Record is what is known of a domain.
type Record struct {
	// Chain is the last one that was issued, in PEM; empty if there is none.
	Chain string

	// An order that was begun and has not ended: its URL, the profile that it
	// asked for, and once it is finalized the PubMd5 of its CSR.
	OrderURL, OrderProfile, OrderKey string

	OrderMisses int // how often it or its certificate could not be fetched

	// The orders that failed in a row, until a certificate was served.
	Failures    int
	FailedAt    time.Time
	RetryAt     time.Time // no order is made before
	LastFailure string

	// The serial number of the certificate of which the CA said that it has
	// renewed it already, and when it first did.
	Replaced   string
	ReplacedAt time.Time

	path string
}

// Load returns the record of a domain. A file that can't be understood counts
// as none, rather than keep the domain from being renewed.
func (f Folder) Load(domain string) (*Record, error) {
	path := filepath.Join(string(f), strings.ReplaceAll(domain, "*", "_")+".json")
	data, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	r := new(Record)
	if json.Unmarshal(data, r) != nil {
		r = new(Record)
	}
	r.path = path
	return r, nil
}

// Save stores the record durably, unless the lease of ctx is lost.
func (r *Record) Save(ctx context.Context) error {
	if err := lease.Check(ctx); err != nil {
		return err
	}
	data, err := json.MarshalIndent(r, "", "\t")
	if err != nil {
		return err
	}
	return replaceFile(r.path, data)
}

// Leaf returns the certificate of the chain; nil if there is none that can be
// read.
func (r *Record) Leaf() *x509.Certificate {
	leaf, err := cli.Leaf([]byte(r.Chain))
	if err != nil {
		return nil
	}
	return leaf
}

// maxRetryAfter bounds the pause that a CA asks for.
const maxRetryAfter = 24 * time.Hour

// Fail counts an order that failed. No other one is made before the pause is
// over, nor before the CA's Retry-After, if that is not zero. Fail returns the
// cause and says when.
func (r *Record) Fail(ctx context.Context, now, retryAfter time.Time, cause error) error {
	r.Failures++
	r.FailedAt, r.LastFailure = now, cause.Error()
	r.RetryAt = now.Add(max(due.Pause(r.Failures), min(retryAfter.Sub(now), maxRetryAfter)))
	if err := r.Save(ctx); err != nil {
		return errors.Join(cause, err)
	}
	return fmt.Errorf("%w; no other order before %s", cause, r.RetryAt.UTC().Format(time.RFC3339))
}

// CheckPause returns an error if a failure forbids an order now. A failure in
// the future does not: the clock was wrong then, or is now.
func (r *Record) CheckPause(now time.Time) error {
	if r.Failures == 0 || now.Before(r.FailedAt) || !now.Before(r.RetryAt) {
		return nil
	}
	return fmt.Errorf("no order before %s, after %d that failed: %s", r.RetryAt.UTC().Format(time.RFC3339), r.Failures, r.LastFailure)
}

// Succeed forgets the failures.
func (r *Record) Succeed(ctx context.Context) error {
	if r.Failures == 0 {
		return nil
	}
	r.Failures, r.FailedAt, r.RetryAt, r.LastFailure = 0, time.Time{}, time.Time{}, ""
	return r.Save(ctx)
}

// AccountKey returns the account's key. It makes one if there is none.
func (f Folder) AccountKey(ctx context.Context) (crypto.Signer, error) {
	store := csr.DirStore{Path: filepath.Join(string(f), "account"), AllowGroup: true}
	files, err := os.ReadDir(store.Path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	for _, file := range files {
		if name, ok := strings.CutSuffix(file.Name(), ".pem"); ok {
			return store.Get(ctx, name)
		}
	}
	key, err := csr.P256.NewKey(ctx)
	if err != nil {
		return nil, err
	}
	name, err := csr.PubMD5(key.Public())
	if err != nil {
		return nil, err
	}
	return key, store.Put(ctx, name, key)
}

// replaceFile writes a file so that, whenever the machine stops, it is the old
// one or the new one, and that the new one stays once replaceFile has returned.
func replaceFile(path string, data []byte) (err error) {
	temp, err := os.CreateTemp(filepath.Dir(path), ".temp-*") // mode 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(temp.Name()) // the first error counts
		}
	}()
	_, err = temp.Write(data)
	if err = errors.Join(err, temp.Sync(), temp.Close()); err != nil {
		return err
	}
	if err = os.Rename(temp.Name(), path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

// syncDir makes the entries of a directory durable.
func syncDir(path string) error {
	if runtime.GOOS == "windows" {
		return nil // directories can't be synced there
	}
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
