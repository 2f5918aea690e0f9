package csr

import (
	"context"
	"crypto"
	"encoding/asn1"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/internal/testkey"
)

var exampleRequest = Request{CommonName: "example.com"}

var keyTypes = []KeyType{RSA2048, RSA3072, RSA4096, P256, P384, Ed25519}

// newTestKey returns a key: a new one, or for RSA, whose keys are slow to make,
// the same each time.
func newTestKey(t testing.TB, keyType KeyType) crypto.Signer {
	t.Helper()
	switch keyType {
	case RSA2048:
		return testkey.RSA(2048)
	case RSA3072:
		return testkey.RSA(3072)
	case RSA4096:
		return testkey.RSA(4096)
	}
	key, err := keyType.NewKey(context.Background())
	require.NoError(t, err)
	return key
}

// An hsm is a key that has only the methods of crypto.Signer.
type hsm struct {
	crypto.Signer
	sign func(rand io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) // if nil, it signs correctly
}

func (h hsm) Sign(rand io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	if h.sign != nil {
		return h.sign(rand, digest, opts)
	}
	if rand == nil {
		return nil, errors.New("no randomness") // which a key in hardware may read
	}
	return h.Signer.Sign(rand, digest, opts)
}

// A fixedSource is a KeySource that always returns the same key, or none.
type fixedSource struct{ key crypto.Signer }

func (s fixedSource) NewKey(context.Context) (crypto.Signer, error) { return s.key, nil }

type sourceFunc func(context.Context) (crypto.Signer, error)

func (f sourceFunc) NewKey(ctx context.Context) (crypto.Signer, error) { return f(ctx) }

// A stubStore is a KeyStore with fixed results.
type stubStore struct {
	put error
	key crypto.Signer
	get error
}

func (s *stubStore) Put(context.Context, string, crypto.Signer) error { return s.put }

func (s *stubStore) Get(context.Context, string) (crypto.Signer, error) { return s.key, s.get }

func cloneRequest(r *Request) *Request {
	if r == nil {
		return nil
	}
	clone := *r
	clone.SANs = slices.Clone(r.SANs)
	return &clone
}

// An attribute is one of a subject, by the name of its field in Request.
type attribute struct {
	field, value string
	tag          int
}

// attributesOf parses a DER Name with one attribute in each RDN.
func attributesOf(t *testing.T, raw []byte) []attribute {
	t.Helper()
	fields := map[string]string{
		"2.5.4.6": "Country", "2.5.4.8": "State", "2.5.4.7": "City", "2.5.4.10": "Organization",
		"2.5.4.11": "OrganizationUnit", "2.5.4.3": "CommonName", "1.2.840.113549.1.9.1": "Email",
	}
	type typeAndValue struct {
		Type  asn1.ObjectIdentifier
		Value asn1.RawValue
	}
	type rdnSET []typeAndValue // encoding/asn1 parses a SET into a type whose name ends so
	var rdns []rdnSET
	rest, err := asn1.Unmarshal(raw, &rdns)
	require.NoError(t, err)
	require.Empty(t, rest)
	var all []attribute
	for _, rdn := range rdns {
		require.Len(t, rdn, 1)
		field, ok := fields[rdn[0].Type.String()]
		require.True(t, ok, rdn[0].Type)
		all = append(all, attribute{field, string(rdn[0].Value.Bytes), rdn[0].Value.Tag})
	}
	return all
}

// subjectOf returns the values of a DER Name by the names of their fields.
func subjectOf(t *testing.T, raw []byte) map[string]string {
	t.Helper()
	values := make(map[string]string)
	for _, a := range attributesOf(t, raw) {
		values[a.field] = a.value
	}
	return values
}

// newDir returns the path of a key directory that does not exist yet.
func newDir(t testing.TB) string {
	t.Helper()
	return filepath.Join(t.TempDir(), "keys")
}

// bothStores returns an empty store of each type, by its name.
func bothStores(t *testing.T) map[string]KeyStore {
	t.Helper()
	return map[string]KeyStore{"MemStore": new(MemStore), "DirStore": DirStore{Path: newDir(t)}}
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
