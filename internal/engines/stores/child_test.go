package stores_test

import (
	"context"
	"crypto"
	"crypto/x509"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/csr"
	"github.com/cdncsr/cdncsr/csr/sealed"
	"github.com/cdncsr/cdncsr/csr/sqlstore"
)

// childEnv names the file that has the work of a child process.
const childEnv = "CDNCSR_STORES_CHILD"

// The work of a child process. With Keys it puts each of them from each of
// Goroutines at once, and prints a report. Without, it puts blobs until it is
// killed, and prints the name of each that Put returned nil for.
type work struct {
	Driver, DSN string
	Dialect     sqlstore.Dialect
	Table       string
	RingKey     []byte
	Keys        [][]byte // PKCS #8 in DER
	Goroutines  int
}

// A report is what a child process says about Keys.
type report struct {
	Wins   []int    // by key: the goroutines whose Put returned nil
	Losses []int    // by key: those that were told fs.ErrExist
	Errors []string // all other errors
}

// child returns the command of a child process that does w.
func child(t *testing.T, w work) *exec.Cmd {
	t.Helper()
	data, err := json.Marshal(w)
	require.NoError(t, err)
	file, err := os.CreateTemp(t.TempDir(), "work")
	require.NoError(t, err)
	_, err = file.Write(data)
	require.NoError(t, errors.Join(err, file.Close()))
	program, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), program)
	cmd.Env = append(os.Environ(), childEnv+"="+file.Name())
	cmd.Stderr = os.Stderr
	return cmd
}

// runChild does the work that the environment names and returns the exit code.
func runChild() int {
	if err := doWork(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func doWork() error {
	data, err := os.ReadFile(os.Getenv(childEnv))
	if err != nil {
		return err
	}
	var w work
	if err := json.Unmarshal(data, &w); err != nil {
		return err
	}
	db, err := sql.Open(w.Driver, w.DSN)
	if err != nil {
		return err
	}
	db.SetMaxOpenConns(w.Goroutines)
	table := &sqlstore.Table{DB: db, Dialect: w.Dialect, Name: w.Table}
	if len(w.Keys) == 0 {
		return w.putBlobs(table)
	}
	ring, err := sealed.NewKeyring(w.RingKey)
	if err != nil {
		return err
	}
	return w.putKeys(&sealed.Store{Blobs: table, AEAD: ring})
}

// putKeys puts each key from many goroutines at once.
func (w work) putKeys(store csr.KeyStore) error {
	r := report{Wins: make([]int, len(w.Keys)), Losses: make([]int, len(w.Keys))}
	var mu sync.Mutex
	var wait sync.WaitGroup
	for range w.Goroutines {
		wait.Go(func() {
			for i, der := range w.Keys {
				err := putKey(store, der)
				mu.Lock()
				switch {
				case err == nil:
					r.Wins[i]++
				case errors.Is(err, fs.ErrExist):
					r.Losses[i]++
				default:
					r.Errors = append(r.Errors, err.Error())
				}
				mu.Unlock()
			}
		})
	}
	wait.Wait()
	return json.NewEncoder(os.Stdout).Encode(r)
}

func putKey(store csr.KeyStore, der []byte) error {
	parsed, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return err
	}
	key := parsed.(crypto.Signer)
	name, err := csr.PubMD5(key.Public())
	if err != nil {
		return err
	}
	return store.Put(context.Background(), name, key)
}

// putBlobs puts blobs until the process is killed, or something fails.
func (w work) putBlobs(table *sqlstore.Table) error {
	for {
		name := newName()
		if err := table.Put(context.Background(), name, []byte(name)); err != nil {
			return err
		}
		fmt.Println(name)
	}
}
