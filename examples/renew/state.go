package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// A state is a folder with what must outlive a run: the key of the ACME account
// at each CA, and a record of each domain. What is served is not in it: the edge
// servers know that.
type state string

// A record is what is known of a domain. It is a file, so that each change of
// it happens as a whole or not at all.
type record struct {
	// The last chain that was issued, in PEM, and the directory of its CA.
	Chain, ChainCA string

	// An order that was begun and has not ended: its URL, the directory of its
	// CA, and once it is finalized the PubMd5 of its CSR.
	OrderURL, OrderCA, OrderKey string
	OrderMisses                 int // how often it could not be asked for

	// The orders that failed in a row, until a certificate was served.
	Failures    int
	FailedAt    time.Time
	RetryAt     time.Time // no order is made before
	LastFailure string

	// The serial of the certificate of which the CA said that it has renewed it
	// already, and when it first did.
	Replaced   string
	ReplacedAt time.Time

	path string
}

// load returns the record of a domain. A file that can't be understood counts
// as none, rather than keep the domain from being renewed.
func (s state) load(domain string) (*record, error) {
	path := filepath.Join(string(s), strings.ReplaceAll(domain, "*", "_")+".json")
	data, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	r := new(record)
	if json.Unmarshal(data, r) != nil {
		r = new(record)
	}
	r.path = path
	return r, nil
}

// save stores the record durably.
func (r *record) save() error {
	data, err := json.MarshalIndent(r, "", "\t")
	if err != nil {
		return err
	}
	return replaceFile(r.path, data)
}

// maxRetryAfter bounds the pause that a CA asks for.
const maxRetryAfter = 24 * time.Hour

// fail counts an order that failed. No other one is made before the pause is
// over, nor before the CA's Retry-After.
func (r *record) fail(now, retryAfter time.Time, cause error) error {
	r.Failures++
	r.FailedAt, r.LastFailure = now, cause.Error()
	r.RetryAt = later(now.Add(pauseAfter(r.Failures)), earlier(retryAfter, now.Add(maxRetryAfter)))
	return r.save()
}

// isWaiting reports whether a failure forbids an order now. A failure in the
// future is none: the clock was wrong then, or is now.
func (r *record) isWaiting(now time.Time) bool {
	return r.Failures > 0 && !now.Before(r.FailedAt) && now.Before(r.RetryAt)
}

// succeed forgets the failures.
func (r *record) succeed() error {
	if r.Failures == 0 {
		return nil
	}
	r.Failures, r.FailedAt, r.RetryAt, r.LastFailure = 0, time.Time{}, time.Time{}, ""
	return r.save()
}

// accountKey returns the key of the account at a CA. It makes one if there is
// none.
func (s state) accountKey(directory string) (crypto.Signer, error) {
	u, err := url.Parse(directory)
	if err != nil {
		return nil, err
	}
	path := filepath.Join(string(s), "account-"+strings.ReplaceAll(u.Host, ":", "_")+".pem")
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return newAccountKey(path)
	}
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(data)
	if block == nil {
		return nil, fmt.Errorf("%s: no key in PEM", path)
	}
	key, err := x509.ParseECPrivateKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return key, nil
}

func newAccountKey(path string) (crypto.Signer, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return nil, err
	}
	return key, replaceFile(path, pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der}))
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
