package csr

import (
	"context"
	"crypto"
	"encoding/json"
	"flag"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestKeyTypes_AreAllTested fails if a key type is missing in keyTypes, over
// which the tests of this package iterate.
func TestKeyTypes_AreAllTested(t *testing.T) {
	require.Len(t, keyTypes, len(keyTypeTable))
	for i, keyType := range keyTypes {
		assert.Equal(t, KeyType(i), keyType)
	}
}

func TestKeyType_Text(t *testing.T) {
	texts := strings.Fields("rsa-2048 rsa-3072 rsa-4096 p-256 p-384 ed25519")
	require.Len(t, texts, len(keyTypes))
	for i, keyType := range keyTypes {
		assert.Equal(t, texts[i], keyType.String())
		asJSON, err := json.Marshal(keyType)
		require.NoError(t, err)
		assert.JSONEq(t, `"`+texts[i]+`"`, string(asJSON))

		var got KeyType
		flags := flag.NewFlagSet("", flag.ContinueOnError)
		flags.TextVar(&got, "key-type", RSA2048, "")
		require.NoError(t, flags.Parse([]string{"-key-type", texts[i]}))
		assert.Equal(t, keyType, got)
	}
	assert.Zero(t, RSA2048, "the zero value is what the CDN makes")
}

func TestKeyType_Unknown(t *testing.T) {
	for _, unknown := range []KeyType{-1, KeyType(len(keyTypeTable))} {
		_, err := unknown.MarshalText()
		assert.Error(t, err)
		_, err = unknown.NewKey(t.Context())
		assert.Error(t, err)
		assert.Error(t, new(KeyType).UnmarshalText([]byte(unknown.String())))
	}
	assert.Error(t, (*KeyType)(nil).UnmarshalText([]byte("p-256")))
	for _, text := range []string{"", "RSA-2048", "rsa", "rsa2048", "p-521", " p-256", "0"} {
		got := P384
		assert.Error(t, got.UnmarshalText([]byte(text)), text)
		assert.Equal(t, P384, got, "unchanged")
	}
}

func TestWithCause(t *testing.T) {
	assert.NoError(t, withCause(t.Context(), t.Context().Err()))

	plain, cancel := context.WithCancel(t.Context())
	cancel()
	assert.Equal(t, context.Canceled, withCause(plain, plain.Err()), "no other cause")

	caused, cancelCause := context.WithCancelCause(t.Context())
	cancelCause(errAway)
	assert.ErrorIs(t, withCause(caused, caused.Err()), context.Canceled)
	assert.ErrorIs(t, withCause(caused, caused.Err()), errAway)

	wrapped, cancelCause := context.WithCancelCause(t.Context())
	cause := &wrappedError{"shutting down", context.Canceled}
	cancelCause(cause)
	assert.Equal(t, error(cause), withCause(wrapped, wrapped.Err()), "the cause matches already")

	foreign := &endsAfter{Context: t.Context()}
	assert.ErrorIs(t, withCause(foreign, foreign.Err()), context.Canceled, "a context of another package")
}

// TestContextCause shows that every method with a context returns its error
// together with the cause.
func TestContextCause(t *testing.T) {
	key, name := newNamedKey(t)
	mem, dir := new(MemStore), DirStore{Path: newDir(t)}
	pool := newPool(t, P256, 1)
	canceled, cancel := context.WithCancelCause(t.Context())
	cancel(errAway)
	for what, call := range map[string]func() error{
		"MemStore.Put":   func() error { return mem.Put(canceled, name, key) },
		"MemStore.Get":   func() error { return errorOf(mem.Get(canceled, name)) },
		"DirStore.Put":   func() error { return dir.Put(canceled, name, key) },
		"DirStore.Get":   func() error { return errorOf(dir.Get(canceled, name)) },
		"KeyType.NewKey": func() error { return errorOf(P256.NewKey(canceled)) },
		"Pool.NewKey":    func() error { return errorOf(pool.NewKey(canceled)) },
	} {
		err := call()
		assert.ErrorIs(t, err, context.Canceled, what)
		assert.ErrorIs(t, err, errAway, what)
	}
}

func errorOf(_ crypto.Signer, err error) error { return err }

// A wrappedError has a text of its own.
type wrappedError struct {
	text string
	err  error
}

func (e *wrappedError) Error() string { return e.text }

func (e *wrappedError) Unwrap() error { return e.err }
