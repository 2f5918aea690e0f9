package csr

import (
	"bytes"
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/internal/keydir"
)

func TestDirStore_KeyFile(t *testing.T) {
	for _, keyType := range keyTypes {
		store, key := DirStore{Path: newDir(t)}, newTestKey(t, keyType)
		name, err := PubMD5(key.Public())
		require.NoError(t, err)
		require.NoError(t, store.Put(t.Context(), name, key))

		data, err := os.ReadFile(filepath.Join(store.Path, name+".pem"))
		require.NoError(t, err)
		block, rest := pem.Decode(data)
		require.NotNil(t, block)
		assert.Equal(t, "PRIVATE KEY", block.Type)
		assert.Empty(t, rest)
		got, err := store.Get(t.Context(), name)
		require.NoError(t, err)
		assert.True(t, key.(interface{ Equal(crypto.PrivateKey) bool }).Equal(got), keyType)
	}
}

func TestDirStore_EmptyPath(t *testing.T) {
	t.Chdir(t.TempDir())
	key, name := newNamedKey(t)
	require.Error(t, DirStore{}.Put(t.Context(), name, key))
	_, err := DirStore{}.Get(t.Context(), name)
	require.Error(t, err)
	assert.NotErrorIs(t, err, fs.ErrNotExist)
	assert.Empty(t, files(t, "."))
}

func TestDirStore_PathTricks(t *testing.T) {
	dir := newDir(t)
	key, name, file := putKey(t, dir)
	outside := filepath.Join(filepath.Dir(dir), name+".pem")
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(outside, data, 0o600))
	for _, trick := range []string{
		"", ".", "..", "../" + name, "./" + name, "/" + name, name + "\x00", name + "/", `..\` + name, name[:31], name + "0",
		strings.ToUpper(name), ".tmp/" + name[5:], strings.Repeat("ａ", 32), strings.Repeat("g", 32),
	} {
		if trick == name {
			continue // the name has no letters
		}
		_, err := DirStore{Path: dir}.Get(t.Context(), trick)
		assert.ErrorIs(t, err, fs.ErrNotExist, "%q", trick)
		assert.ErrorContains(t, err, "want a PubMD5", "%q: refused before the directory is opened", trick)
		assert.Error(t, DirStore{Path: dir}.Put(t.Context(), trick, key), "%q", trick)
	}
}

// TestDirStore_ForeignKey shows that a key that can't be written to a file
// leaves no trace.
func TestDirStore_ForeignKey(t *testing.T) {
	dir := newDir(t)
	key, name := newNamedKey(t)
	assert.ErrorIs(t, DirStore{Path: dir}.Put(t.Context(), name, hsm{Signer: key}), errors.ErrUnsupported)
	assert.NoDirExists(t, dir)
}

// TestDirStore_PartsOfTwoKeys shows that a key that Get would refuse is not
// written.
func TestDirStore_PartsOfTwoKeys(t *testing.T) {
	ec, otherEC := newTestKey(t, P256).(*ecdsa.PrivateKey), newTestKey(t, P256).(*ecdsa.PrivateKey)
	ed, otherEd := newTestKey(t, Ed25519).(ed25519.PrivateKey), newTestKey(t, Ed25519).(ed25519.PrivateKey)
	rsaKey := newTestKey(t, RSA2048).(*rsa.PrivateKey)
	otherRSA, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	otherEC.PublicKey = ec.PublicKey
	for _, key := range []crypto.Signer{
		otherEC,
		slices.Concat(ed[:ed25519.SeedSize], otherEd[ed25519.SeedSize:]),
		&rsa.PrivateKey{PublicKey: rsaKey.PublicKey, D: otherRSA.D, Primes: otherRSA.Primes},
		&rsa.PrivateKey{
			PublicKey: rsaKey.PublicKey, D: otherRSA.D, Primes: otherRSA.Primes, Precomputed: otherRSA.Precomputed,
		},
	} {
		name, err := PubMD5(key.Public())
		require.NoError(t, err)
		store := DirStore{Path: newDir(t)}
		assert.Error(t, store.Put(t.Context(), name, key), "%T", key)
		assert.NoDirExists(t, store.Path)
	}
}

func TestDirStore_Missing(t *testing.T) {
	dir, name := newDir(t), strings.Repeat("0", 32)
	_, err := DirStore{Path: dir}.Get(t.Context(), name)
	assert.ErrorIs(t, err, fs.ErrNotExist)
	assert.NoDirExists(t, dir, "Get makes nothing")
	putKey(t, dir)
	_, err = DirStore{Path: dir}.Get(t.Context(), name)
	assert.ErrorIs(t, err, fs.ErrNotExist)
}

// TestDirStore_Damaged shows that a file that is cut off anywhere, or is
// anything but its key, is not reported as missing. (step panics on a truncated
// file.)
func TestDirStore_Damaged(t *testing.T) {
	dir := newDir(t)
	_, name, file := putKey(t, dir)
	whole, err := os.ReadFile(file)
	require.NoError(t, err)
	_, _, other := putKey(t, dir)
	swapped, err := os.ReadFile(other)
	require.NoError(t, err)
	damaged := map[string][]byte{
		"another key":   swapped,
		"twice":         append(append([]byte{}, whole...), whole...),
		"text after":    append(append([]byte{}, whole...), "x"...),
		"text before":   append([]byte("x\n"), whole...),
		"another label": []byte(strings.ReplaceAll(string(whole), "PRIVATE KEY", "EC PRIVATE KEY")),
		"too long":      append(append([]byte{}, whole...), bytes.Repeat([]byte("\n"), keydir.MaxSize)...),
		"X25519":        pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: newX25519Key(t)}),
	}
	for n := range len(whole) - 1 { // the last line end may be missing
		damaged["cut at "+strings.Repeat("i", n)] = whole[:n]
	}
	for what, data := range damaged {
		require.NoError(t, os.WriteFile(file, data, 0o600))
		key, err := DirStore{Path: dir}.Get(t.Context(), name)
		require.Error(t, err, what)
		assert.Nil(t, key)
		assert.NotErrorIs(t, err, fs.ErrNotExist, what)
		assert.ErrorContains(t, err, name+".pem", what)
	}
}

// newX25519Key returns a new key that does not sign, as PKCS #8.
func newX25519Key(t *testing.T) []byte {
	t.Helper()
	key, err := ecdh.X25519().GenerateKey(rand.Reader)
	require.NoError(t, err)
	der, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	return der
}

// TestDirStore_NeverReplaces shows that a file of the key's name is neither
// replaced nor repaired nor removed. (certmagic's rollback of a write deletes
// good keys.)
func TestDirStore_NeverReplaces(t *testing.T) {
	dir := newDir(t)
	key, name, file := putKey(t, dir)
	require.NoError(t, os.WriteFile(file, []byte("damaged"), 0o600))
	assert.ErrorIs(t, DirStore{Path: dir}.Put(t.Context(), name, key), fs.ErrExist)
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, "damaged", string(data))

	g := Generator{Keys: DirStore{Path: dir}, Source: fixedSource{key}}
	resp, err := g.CreateCdnCertificateSigningRequest(t.Context(), &exampleRequest)
	assert.ErrorIs(t, err, fs.ErrExist, "the key is not there, so there is no CSR")
	assert.Nil(t, resp)
}

func FuzzKeyFile(f *testing.F) {
	dir := newDir(f)
	for _, keyType := range []KeyType{P256, Ed25519} {
		data, err := encodeKey(newTestKey(f, keyType))
		require.NoError(f, err)
		f.Add(data)
		f.Add(data[:len(data)/2])
	}
	_, name, file := putKey(f, dir)
	whole, err := os.ReadFile(file)
	require.NoError(f, err)
	f.Add(whole)
	f.Fuzz(func(t *testing.T, data []byte) {
		require.NoError(t, os.WriteFile(file, data, 0o600))
		key, err := DirStore{Path: dir}.Get(t.Context(), name)
		if err != nil {
			require.NotErrorIs(t, err, fs.ErrNotExist)
			return
		}
		got, err := PubMD5(key.Public())
		require.NoError(t, err)
		require.Equal(t, name, got, "another key than the name says")
	})
}
