package csr

import (
	"context"
	"crypto"
	"errors"
	"io/fs"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestGenerator_StoresTheKey(t *testing.T) {
	for name, store := range bothStores(t) {
		g := Generator{Keys: store, Source: P256}
		resp, err := g.CreateCdnCertificateSigningRequest(t.Context(), &exampleRequest)
		require.NoError(t, err, name)
		parsed, err := resp.CertificateRequest()
		require.NoError(t, err, name)
		key, err := store.Get(t.Context(), resp.PubMd5)
		require.NoError(t, err, name)
		assert.Equal(t, parsed.PublicKey, key.Public(), name)
	}
}

func TestGenerator_DefaultKeyIsRSA2048(t *testing.T) {
	store := new(MemStore)
	resp, err := (&Generator{Keys: store}).CreateCdnCertificateSigningRequest(t.Context(), &exampleRequest)
	require.NoError(t, err)
	algorithm, err := resp.CertificateRequest()
	require.NoError(t, err)
	assert.Equal(t, 256, algorithm.PublicKey.(interface{ Size() int }).Size())
}

func TestGenerator_MakesNoKeyWithoutAStore(t *testing.T) {
	source := sourceFunc(func(context.Context) (crypto.Signer, error) {
		t.Error("a key was made")
		return nil, errors.New("no")
	})
	for name, g := range map[string]*Generator{
		"nil": nil, "no store": {Source: source}, "a nil store": {Source: source, Keys: (*MemStore)(nil)},
	} {
		resp, err := g.CreateCdnCertificateSigningRequest(t.Context(), &exampleRequest)
		assert.Error(t, err, name)
		assert.Nil(t, resp, name)
	}
}

func TestGenerator_FaultySource(t *testing.T) {
	away := errors.New("the HSM is away")
	for name, source := range map[string]KeySource{
		"an error":            sourceFunc(func(context.Context) (crypto.Signer, error) { return nil, away }),
		"a key and an error":  sourceFunc(func(context.Context) (crypto.Signer, error) { return newTestKey(t, P256), away }),
		"a nil key":           fixedSource{},
		"a typed nil key":     fixedSource{hsmPointer(nil)},
		"an unknown key type": KeyType(17),
		"a nil pool":          (*Pool)(nil),
		"a nil source":        (*counter)(nil),
		"a weak key":          fixedSource{badKeys(t)["RSA of 1024 bits"]},
	} {
		store := new(MemStore)
		resp, err := (&Generator{Keys: store, Source: source}).CreateCdnCertificateSigningRequest(t.Context(),
			&exampleRequest)
		assert.Error(t, err, name)
		assert.Nil(t, resp, name)
		assert.Empty(t, store.keys, name)
	}
}

type hsmPointer = *hsm

func TestGenerator_FaultyStore(t *testing.T) {
	full, gone := errors.New("disk full"), errors.New("gone")
	key := newTestKey(t, P256)
	for name, test := range map[string]struct {
		store stubStore
		want  error
	}{
		"Put fails":                       {stubStore{put: full}, full},
		"it exists and can't be read":     {stubStore{put: fs.ErrExist, get: gone}, gone},
		"it exists and is another":        {stubStore{put: fs.ErrExist, key: newTestKey(t, P256)}, fs.ErrExist},
		"it exists and is nil":            {stubStore{put: fs.ErrExist}, fs.ErrExist},
		"it exists and is the same: fine": {stubStore{put: fs.ErrExist, key: key}, nil},
	} {
		g := Generator{Keys: &test.store, Source: fixedSource{key}}
		resp, err := g.CreateCdnCertificateSigningRequest(t.Context(), &exampleRequest)
		require.ErrorIs(t, err, test.want, name)
		assert.Equal(t, test.want == nil, resp != nil, name)
	}
}

func TestGenerator_TheSameKeyTwice(t *testing.T) {
	for name, store := range bothStores(t) {
		g := Generator{Keys: store, Source: fixedSource{newTestKey(t, P256)}}
		first, err := g.CreateCdnCertificateSigningRequest(t.Context(), &exampleRequest)
		require.NoError(t, err, name)
		second, err := g.CreateCdnCertificateSigningRequest(t.Context(), &Request{CommonName: "other.example"})
		require.NoError(t, err, name)
		assert.Equal(t, first.PubMd5, second.PubMd5, name)
	}
}

func TestGenerator_CanceledContext(t *testing.T) {
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	made := false
	source := sourceFunc(func(context.Context) (crypto.Signer, error) {
		made = true
		return newTestKey(t, P256), nil
	})
	_, err := (&Generator{Keys: new(MemStore), Source: source}).CreateCdnCertificateSigningRequest(canceled,
		&exampleRequest)
	assert.ErrorIs(t, err, context.Canceled)
	assert.False(t, made, "checked before a key is made")

	ctx, cancel := context.WithCancel(t.Context())
	slow := sourceFunc(func(context.Context) (crypto.Signer, error) {
		cancel()
		return newTestKey(t, P256), nil
	})
	resp, err := (&Generator{Keys: new(stubStore), Source: slow}).CreateCdnCertificateSigningRequest(ctx, &exampleRequest)
	assert.ErrorIs(t, err, context.Canceled, "checked again after the key is made, whatever the store does")
	assert.Nil(t, resp)
}

// TestGenerator_CauseOfACanceledContext proves that the error has both the
// error of the context and its cause, wherever the end was noticed.
func TestGenerator_CauseOfACanceledContext(t *testing.T) {
	cause := errors.New("the server is shutting down")
	key := newTestKey(t, P256)
	for name, ends := range map[string]struct {
		before           bool
		inSource, inPut  bool
		reportedBySource bool
	}{
		"before the call":        {before: true},
		"while a key is made":    {inSource: true},
		"reported by the source": {inSource: true, reportedBySource: true},
		"reported by the store":  {inPut: true},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancelCause(t.Context())
			if ends.before {
				cancel(cause)
			}
			g := Generator{
				Source: sourceFunc(func(ctx context.Context) (crypto.Signer, error) {
					if ends.inSource {
						cancel(cause)
					}
					if ends.reportedBySource {
						return nil, ctx.Err()
					}
					return key, nil
				}),
				Keys: putFunc(func(ctx context.Context) error {
					if ends.inPut {
						cancel(cause)
					}
					return ctx.Err()
				}),
			}
			_, err := g.CreateCdnCertificateSigningRequest(ctx, &exampleRequest)
			assert.ErrorIs(t, err, context.Canceled)
			assert.ErrorIs(t, err, cause)
		})
	}
}

// TestGenerator_CauseAddsNothing proves that an error stays as it is if there
// is no other cause, or if it is not about the context.
func TestGenerator_CauseAddsNothing(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := (&Generator{Keys: new(MemStore)}).CreateCdnCertificateSigningRequest(ctx, &exampleRequest)
	assert.EqualError(t, err, "csr: generate: context canceled")

	cause, full := errors.New("the server is shutting down"), errors.New("disk full")
	causeCtx, endCause := context.WithCancelCause(t.Context())
	store := putFunc(func(context.Context) error {
		endCause(cause)
		return full
	})
	_, err = (&Generator{Keys: store, Source: P256}).CreateCdnCertificateSigningRequest(causeCtx, &exampleRequest)
	assert.Equal(t, full, err)
}

// A putFunc is a KeyStore that only stores.
type putFunc func(ctx context.Context) error

func (f putFunc) Put(ctx context.Context, _ string, _ crypto.Signer) error { return f(ctx) }

func (f putFunc) Get(context.Context, string) (crypto.Signer, error) { return nil, fs.ErrNotExist }

func TestKeyType_Context(t *testing.T) {
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	for _, keyType := range keyTypes {
		key, err := keyType.NewKey(canceled)
		assert.ErrorIs(t, err, context.Canceled)
		assert.Nil(t, key)
	}
	key, err := P256.NewKey(&endsAfter{Context: t.Context(), looks: 1})
	assert.ErrorIs(t, err, context.Canceled, "looked at again after the key was made")
	assert.Nil(t, key)
}

// endsAfter is a context that is canceled after a number of calls of Err.
type endsAfter struct {
	context.Context
	looks int
}

func (c *endsAfter) Err() error {
	c.looks--
	if c.looks < 0 {
		return context.Canceled
	}
	return nil
}
