package csr

import (
	"bytes"
	"crypto"
	"encoding/pem"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// putKey puts a new key into dir and returns it, its name and its file.
func putKey(t testing.TB, dir string) (key crypto.Signer, name, file string) {
	t.Helper()
	key = newTestKey(t, P256)
	name, err := PubMD5(key.Public())
	require.NoError(t, err)
	require.NoError(t, DirStore(dir).Put(t.Context(), name, key))
	return key, name, filepath.Join(dir, name+".pem")
}

func newDir(t testing.TB) string { return filepath.Join(t.TempDir(), "keys") }

func TestDirStore_KeyFile(t *testing.T) {
	for _, keyType := range keyTypes {
		dir, key := newDir(t), newTestKey(t, keyType)
		name, err := PubMD5(key.Public())
		require.NoError(t, err)
		require.NoError(t, DirStore(dir).Put(t.Context(), name, key))

		data, err := os.ReadFile(filepath.Join(dir, name+".pem"))
		require.NoError(t, err)
		block, rest := pem.Decode(data)
		require.NotNil(t, block)
		assert.Equal(t, "PRIVATE KEY", block.Type)
		assert.Empty(t, rest)
		got, err := DirStore(dir).Get(t.Context(), name)
		require.NoError(t, err)
		assert.True(t, key.(interface{ Equal(crypto.PrivateKey) bool }).Equal(got), keyType)
	}
}

func TestDirStore_NoName(t *testing.T) {
	t.Chdir(t.TempDir())
	key := newTestKey(t, P256)
	name, err := PubMD5(key.Public())
	require.NoError(t, err)
	require.Error(t, DirStore("").Put(t.Context(), name, key))
	_, err = DirStore("").Get(t.Context(), name)
	require.Error(t, err)
	assert.NotErrorIs(t, err, fs.ErrNotExist)
	entries, err := os.ReadDir(".")
	require.NoError(t, err)
	assert.Empty(t, entries)
}

// TestDirStore_Paths holds that a directory may be given in any form.
func TestDirStore_Paths(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, dir := range []string{"keys", "./a/b/../c/", "d//e", ".", filepath.Join(t.TempDir(), "keys") + "/"} {
		_, name, file := putKey(t, dir)
		assert.FileExists(t, file)
		_, err := DirStore(dir).Get(t.Context(), name)
		assert.NoError(t, err, dir)
	}
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
			continue // its own name has no letters
		}
		_, err := DirStore(dir).Get(t.Context(), trick)
		assert.ErrorIs(t, err, fs.ErrNotExist, "%q", trick)
		assert.ErrorContains(t, err, "want a PubMd5", "%q: not even looked for", trick)
		assert.Error(t, DirStore(dir).Put(t.Context(), trick, key), "%q", trick)
	}
}

// TestDirStore_ForeignKey holds that a key that is in no file leaves no trace.
func TestDirStore_ForeignKey(t *testing.T) {
	dir, key := newDir(t), newTestKey(t, P256)
	name, err := PubMD5(key.Public())
	require.NoError(t, err)
	assert.ErrorIs(t, DirStore(dir).Put(t.Context(), name, hsm{Signer: key}), errors.ErrUnsupported)
	assert.NoDirExists(t, dir)
}

func TestDirStore_Missing(t *testing.T) {
	dir, name := newDir(t), strings.Repeat("0", 32)
	_, err := DirStore(dir).Get(t.Context(), name)
	assert.ErrorIs(t, err, fs.ErrNotExist)
	assert.NoDirExists(t, dir, "Get makes nothing")
	putKey(t, dir)
	_, err = DirStore(dir).Get(t.Context(), name)
	assert.ErrorIs(t, err, fs.ErrNotExist)
}

// TestDirStore_Damaged holds that a file that is cut off anywhere, or anything else but its key, is an error that is not
// that of a missing key. (step: panics on a truncated file.)
func TestDirStore_Damaged(t *testing.T) {
	dir := newDir(t)
	_, name, file := putKey(t, dir)
	whole, err := os.ReadFile(file)
	require.NoError(t, err)
	_, _, other := putKey(t, dir)
	swapped, err := os.ReadFile(other)
	require.NoError(t, err)
	damaged := map[string][]byte{
		"swapped":       swapped,
		"twice":         append(append([]byte{}, whole...), whole...),
		"text after":    append(append([]byte{}, whole...), "x"...),
		"text before":   append([]byte("x\n"), whole...),
		"another label": []byte(strings.ReplaceAll(string(whole), "PRIVATE KEY", "EC PRIVATE KEY")),
		"too big":       append(append([]byte{}, whole...), bytes.Repeat([]byte("\n"), maxKeyFile)...),
		"X25519":        []byte("-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VuBCIEIHcHbQpzGKV9PBbBclGyZkXfTC+H68CZKrF3+6UduSwq\n-----END PRIVATE KEY-----\n"),
	}
	for n := range len(whole) - 1 { // the last line end may be missing
		damaged["cut at "+strings.Repeat("i", n)] = whole[:n]
	}
	for what, data := range damaged {
		require.NoError(t, os.WriteFile(file, data, 0o600))
		key, err := DirStore(dir).Get(t.Context(), name)
		require.Error(t, err, what)
		assert.Nil(t, key)
		assert.NotErrorIs(t, err, fs.ErrNotExist, what)
		assert.Contains(t, err.Error(), name+".pem", what)
	}
}

// TestDirStore_PutKeepsWhatIsThere holds that a file that has the key's name is neither replaced nor mended nor removed.
// (certmagic: the rollback of a write deletes good keys.)
func TestDirStore_PutKeepsWhatIsThere(t *testing.T) {
	dir := newDir(t)
	key, name, file := putKey(t, dir)
	require.NoError(t, os.WriteFile(file, []byte("damaged"), 0o600))
	assert.ErrorIs(t, DirStore(dir).Put(t.Context(), name, key), fs.ErrExist)
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, "damaged", string(data))

	g := Generator{Keys: DirStore(dir), Source: fixedSource{key}}
	resp, err := g.CreateCdnCertificateSigningRequest(t.Context(), &exampleRequest)
	assert.ErrorIs(t, err, fs.ErrExist, "the key is not there, so no CSR")
	assert.Nil(t, resp)
}

func FuzzKeyFile(f *testing.F) {
	dir := newDir(f)
	for _, keyType := range []KeyType{P256, Ed25519} {
		data, err := encodeKeyFile(newTestKey(f, keyType))
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
		key, err := DirStore(dir).Get(t.Context(), name)
		if err != nil {
			require.NotErrorIs(t, err, fs.ErrNotExist)
			return
		}
		got, err := PubMD5(key.Public())
		require.NoError(t, err)
		require.Equal(t, name, got, "another key than the name says")
	})
}
