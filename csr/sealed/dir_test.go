package sealed_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/csr"
	"github.com/cdncsr/cdncsr/csr/csrtest"
	"github.com/cdncsr/cdncsr/csr/sealed"
)

func newDir(t *testing.T) sealed.Dir { return sealed.Dir{Path: filepath.Join(t.TempDir(), "keys")} }

func TestDir_IsABlobStore(t *testing.T) {
	csrtest.TestBlobStore(t, func(t *testing.T) sealed.BlobStore { return newDir(t) })
}

func TestDir_IsAKeyStoreBelowSealed(t *testing.T) {
	ring := newRing(t, newSecret())
	csrtest.TestKeyStore(t, func(t *testing.T) csr.KeyStore { return &sealed.Store{Blobs: newDir(t), AEAD: ring} })
}

func TestDir_HasSealedFilesOnly(t *testing.T) {
	dir := newDir(t)
	store := &sealed.Store{Blobs: dir, AEAD: newRing(t, newSecret())}
	name, _, der := putKey(t, store)
	file := filepath.Join(dir.Path, name+".sealed")
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Len(t, data, len(der)+37)
	assertNoKey(t, string(data), der)
	if runtime.GOOS != "windows" { // which has no such modes
		info, statErr := os.Stat(file)
		require.NoError(t, statErr)
		assert.Equal(t, fs.FileMode(0o600), info.Mode())
	}
	temp, err := os.ReadDir(filepath.Join(dir.Path, ".tmp"))
	require.NoError(t, err)
	for _, entry := range temp {
		data, err := os.ReadFile(filepath.Join(dir.Path, ".tmp", entry.Name()))
		require.NoError(t, err)
		assertNoKey(t, string(data), der)
	}
}

func TestDir_DamagedFiles(t *testing.T) {
	dir := newDir(t)
	store := &sealed.Store{Blobs: dir, AEAD: newRing(t, newSecret())}
	name, _, _ := putKey(t, store)
	file := filepath.Join(dir.Path, name+".sealed")
	whole, err := os.ReadFile(file)
	require.NoError(t, err)
	damaged := map[string][]byte{"twice": slices.Repeat(whole, 2), "too big": make([]byte, 1<<16+1)}
	for n := range len(whole) {
		damaged["cut at "+strings.Repeat("i", n)] = whole[:n]
	}
	for what, data := range damaged {
		require.NoError(t, os.WriteFile(file, data, 0o600))
		key, err := store.Get(t.Context(), name)
		require.Error(t, err, what)
		assert.Nil(t, key, what)
		assert.NotErrorIs(t, err, fs.ErrNotExist, what)
	}
}

func TestDir_WrongInput(t *testing.T) {
	dir := newDir(t)
	name, _, _ := newKey(t)
	for what, put := range map[string]error{
		"outside":      dir.Put(t.Context(), "../"+name, []byte("blob")),
		"upper case":   dir.Put(t.Context(), strings.Repeat("A", 32), []byte("blob")),
		"no blob":      dir.Put(t.Context(), name, nil),
		"65,537 bytes": dir.Put(t.Context(), name, make([]byte, 1<<16+1)),
		"no path":      sealed.Dir{}.Put(t.Context(), name, []byte("blob")),
	} {
		assert.Error(t, put, what)
		assert.NoDirExists(t, dir.Path, what)
	}
	_, err := dir.Get(t.Context(), "../"+name)
	assert.ErrorIs(t, err, fs.ErrNotExist)
	_, err = dir.Get(t.Context(), name)
	assert.ErrorIs(t, err, fs.ErrNotExist, "no directory, no blob")
	_, err = sealed.Dir{}.Get(t.Context(), name)
	assert.NotErrorIs(t, err, fs.ErrNotExist)
	ended, end := context.WithCancel(t.Context())
	end()
	assert.ErrorIs(t, dir.Put(ended, name, []byte("blob")), context.Canceled)
	_, err = dir.Get(ended, name)
	assert.ErrorIs(t, err, context.Canceled)
	assert.NoDirExists(t, dir.Path)
}

func TestDir_LargestBlob(t *testing.T) {
	dir := newDir(t)
	name, _, _ := newKey(t)
	want := bytes.Repeat([]byte("x"), 1<<16)
	require.NoError(t, dir.Put(t.Context(), name, want))
	got, err := dir.Get(t.Context(), name)
	require.NoError(t, err)
	assert.True(t, bytes.Equal(want, got))
}

func TestDir_AllowGroup(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no modes")
	}
	dir := newDir(t)
	name, _, _ := newKey(t)
	require.NoError(t, dir.Put(t.Context(), name, []byte("blob")))
	file := filepath.Join(dir.Path, name+".sealed")
	require.NoError(t, errors.Join(os.Chmod(file, 0o660), os.Chmod(dir.Path, 0o770)))
	_, err := dir.Get(t.Context(), name)
	require.Error(t, err)
	assert.NotErrorIs(t, err, fs.ErrNotExist)
	dir.AllowGroup = true
	blob, err := dir.Get(t.Context(), name)
	require.NoError(t, err)
	assert.Equal(t, "blob", string(blob))
	another, _, _ := newKey(t)
	assert.NoError(t, dir.Put(t.Context(), another, []byte("blob")))
	require.NoError(t, os.Chmod(file, 0o664))
	_, err = dir.Get(t.Context(), name)
	assert.Error(t, err, "others can read it")
}
