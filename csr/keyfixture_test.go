package csr

import (
	"context"
	"crypto"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// newDir returns the path of a key directory that does not exist yet.
func newDir(t testing.TB) string {
	t.Helper()
	return filepath.Join(t.TempDir(), "keys")
}

// newNamedKey returns a new P-256 key and its name.
func newNamedKey(t testing.TB) (key crypto.Signer, name string) {
	t.Helper()
	key = newTestKey(t, P256)
	name, err := PubMD5(key.Public())
	require.NoError(t, err)
	return key, name
}

// putKey puts a new key into dir and returns it, its name and its file.
func putKey(t testing.TB, dir string) (key crypto.Signer, name, file string) {
	t.Helper()
	key, name = newNamedKey(t)
	require.NoError(t, DirStore{Path: dir}.Put(t.Context(), name, key))
	return key, name, filepath.Join(dir, name+".pem")
}

// files returns the names of all files in a key directory, temporary ones
// included.
func files(t *testing.T, dir string) []string {
	t.Helper()
	var names []string
	err := fs.WalkDir(os.DirFS(dir), ".", func(name string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && name != ".tmp/.sweep" {
			names = append(names, name)
		}
		return err
	})
	require.NoError(t, err)
	return names
}

// newPool returns a Pool that is closed when the test ends.
func newPool(t testing.TB, source KeySource, size int) *Pool {
	t.Helper()
	pool, err := NewPool(source, size)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, pool.Close()) })
	return pool
}

// A numberedKey does not sign; tests tell keys apart by their number.
type numberedKey struct {
	crypto.Signer
	n int
}

// counter is a KeySource that numbers its keys. It may fail, and take long.
type counter struct {
	mu    sync.Mutex
	calls []time.Time // when NewKey was called
	keys  int

	fail func(call int) error // nil: never
	slow time.Duration        // how long a key takes, unless the context ends
}

func (s *counter) NewKey(ctx context.Context) (crypto.Signer, error) {
	s.mu.Lock()
	s.calls = append(s.calls, time.Now())
	call := len(s.calls)
	s.mu.Unlock()
	if s.slow > 0 {
		sleep(ctx, s.slow)
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail != nil {
		if err := s.fail(call); err != nil {
			return nil, err
		}
	}
	s.keys++
	return &numberedKey{n: s.keys}, nil
}

// made returns how many keys were made.
func (s *counter) made() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.keys
}
