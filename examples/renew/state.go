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
	"strings"
	"time"
)

// A state is a folder with what must outlive a run: the key of the ACME account
// of each CA, and of each domain the last chain and its failures. What is served
// is not in it: the edge servers know that.
type state string

// failures are the orders of a domain that failed in a row.
type failures struct {
	Count int
	Until time.Time // before which no other order is made
	Last  string    // why the last one failed
}

func (s state) path(domain, suffix string) string {
	return filepath.Join(string(s), strings.ReplaceAll(domain, "*", "_")+suffix)
}

// chain returns the last chain that was issued for a domain; nil without one.
func (s state) chain(domain string) ([]byte, error) { return readIfThere(s.path(domain, ".chain.pem")) }

// saveChain keeps a chain durably.
func (s state) saveChain(domain string, chain []byte) error {
	return replaceFile(s.path(domain, ".chain.pem"), chain)
}

// failures returns the failures of a domain. A file that can't be read counts
// as none, rather than keep the domain from being renewed.
func (s state) failures(domain string) (failures, error) {
	var f failures
	data, err := readIfThere(s.path(domain, ".failures.json"))
	if err != nil || data == nil || json.Unmarshal(data, &f) != nil {
		return failures{}, err
	}
	return f, nil
}

// saveFailure counts a failure of a domain.
func (s state) saveFailure(domain string, f failures, now time.Time, cause error) (failures, error) {
	f = failures{Count: f.Count + 1, Until: now.Add(pauseAfter(f.Count + 1)), Last: cause.Error()}
	data, err := json.Marshal(f)
	if err != nil {
		return f, err
	}
	return f, replaceFile(s.path(domain, ".failures.json"), data)
}

// clearFailures forgets the failures of a domain.
func (s state) clearFailures(domain string) error {
	err := os.Remove(s.path(domain, ".failures.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// accountKey returns the key of the account at a CA. It makes one if there is
// none.
func (s state) accountKey(directory string) (crypto.Signer, error) {
	u, err := url.Parse(directory)
	if err != nil {
		return nil, err
	}
	path := filepath.Join(string(s), "account-"+strings.ReplaceAll(u.Host, ":", "_")+".pem")
	data, err := readIfThere(path)
	if err != nil {
		return nil, err
	}
	if data == nil {
		return newAccountKey(path)
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

// readIfThere returns the content of a file; nil if there is none.
func readIfThere(path string) ([]byte, error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return data, err
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
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	err = dir.Sync()
	if errors.Is(err, errors.ErrUnsupported) || errors.Is(err, fs.ErrPermission) || errors.Is(err, fs.ErrInvalid) {
		err = nil // Windows and some file systems can't
	}
	return errors.Join(err, dir.Close())
}
