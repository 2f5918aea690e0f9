package sealed_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/csr"
	"github.com/cdncsr/cdncsr/csr/csrtest"
	"github.com/cdncsr/cdncsr/csr/sealed"
	"github.com/cdncsr/cdncsr/internal/testkey"
)

func TestStore_IsAKeyStore(t *testing.T) {
	_, identity := newPair(t)
	for name, aead := range map[string]sealed.AEAD{"Keyring": newRing(t, newSecret()), "Identity": identity} {
		t.Run(name, func(t *testing.T) {
			csrtest.TestKeyStore(t, func(*testing.T) csr.KeyStore { return &sealed.Store{Blobs: newBlobs(), AEAD: aead} })
		})
	}
}

// A damage is what may happen to a blob between Put and Get.
type damage struct {
	name string
	want error
	do   func(blob []byte) []byte
}

// alterations are damages of the blob itself.
var alterations = []damage{
	{"last bit flipped", sealed.ErrAltered, func(b []byte) []byte { return flip(b, 8*len(b)-1) }},
	{"first bit of the nonce flipped", sealed.ErrAltered, func(b []byte) []byte { return flip(b, 9*8) }},
	{"key ID flipped", sealed.ErrNoKey, func(b []byte) []byte { return flip(b, 8) }},
	{"version flipped", sealed.ErrNotSealed, func(b []byte) []byte { return flip(b, 3) }},
	{"a byte more", sealed.ErrAltered, func(b []byte) []byte { return append(b, 0) }},
	{"a byte less", sealed.ErrAltered, func(b []byte) []byte { return b[:len(b)-1] }},
	{"the header only", sealed.ErrNotSealed, func(b []byte) []byte { return b[:9] }},
	{"empty", sealed.ErrNotSealed, func([]byte) []byte { return nil }},
}

// replacement is a damage that puts another blob in the place of the right one.
func replacement(name string, want error, blob []byte) damage {
	return damage{name, want, func([]byte) []byte { return blob }}
}

// plaintexts are damages that put a private key in the clear into the store.
func plaintexts(t *testing.T, key crypto.Signer) (damages []damage) {
	t.Helper()
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	sec1, err := x509.MarshalECPrivateKey(key.(*ecdsa.PrivateKey))
	require.NoError(t, err)
	for label, der := range map[string][]byte{
		"PRIVATE KEY": pkcs8, "EC PRIVATE KEY": sec1,
		"RSA PRIVATE KEY": x509.MarshalPKCS1PrivateKey(testkey.RSA(2048)),
	} {
		text := pem.EncodeToMemory(&pem.Block{Type: label, Bytes: der})
		damages = append(damages, replacement(label+" in DER", sealed.ErrPlaintext, der),
			replacement(label+" in PEM", sealed.ErrPlaintext, text))
	}
	return damages
}

// TestStore_SaysWhatIsWrong: what is in the store is not what Put wrote.
func TestStore_SaysWhatIsWrong(t *testing.T) {
	_, identity := newPair(t)
	for aeadName, aead := range map[string]sealed.AEAD{"Keyring": newRing(t, newSecret()), "Identity": identity} {
		blobs := newBlobs()
		store := &sealed.Store{Blobs: blobs, AEAD: aead}
		name, key, der := putKey(t, store)
		other, _, otherDER := putKey(t, store)
		swapped, err := aead.Encrypt(otherDER, sealed.AssociatedData(name))
		require.NoError(t, err)
		damages := slices.Concat(alterations, plaintexts(t, key), []damage{
			replacement("moved from another name", sealed.ErrAltered, blobs.blobs[other]),
			replacement("another key, sealed under this name", sealed.ErrOtherKey, swapped),
		})
		for _, d := range damages {
			t.Run(aeadName+"/"+d.name, func(t *testing.T) {
				good := blobs.blobs[name]
				defer func() { blobs.blobs[name] = good }()
				blobs.blobs[name] = d.do(bytes.Clone(good))
				got, err := store.Get(t.Context(), name)
				require.Nil(t, got)
				require.ErrorIs(t, err, d.want)
				assert.NotErrorIs(t, err, fs.ErrNotExist)
				assert.ErrorContains(t, err, name)
				assertNoKey(t, err.Error(), der)
				assert.ErrorIs(t, store.Reseal(t.Context(), name), d.want)
				assert.ErrorIs(t, store.Put(t.Context(), name, key), fs.ErrExist, "never replaced")
			})
		}
	}
}

// TestStore_NoBitFlips: no single bit of a sealed key may change.
func TestStore_NoBitFlips(t *testing.T) {
	blobs := newBlobs()
	store := &sealed.Store{Blobs: blobs, AEAD: newRing(t, newSecret(), newSecret())}
	name, key, _ := putKey(t, store)
	blob := blobs.blobs[name]
	for bit := range 8 * len(blob) {
		blobs.blobs[name] = flip(bytes.Clone(blob), bit)
		got, err := store.Get(t.Context(), name)
		require.Error(t, err, "bit %d", bit)
		require.Nil(t, got)
	}
	blobs.blobs[name] = blob
	requireKey(t, store, name, key)
}

func flip(blob []byte, bit int) []byte {
	blob[bit/8] ^= 1 << (bit % 8)
	return blob
}

// assertNoKey fails if text has the secret part of a key in some spelling.
func assertNoKey(t *testing.T, text string, der []byte) {
	t.Helper()
	secret := der[30:60] // in the middle of the private scalar of P-256 and more
	for _, spelling := range []string{
		string(secret), hex.EncodeToString(secret), strings.ToUpper(hex.EncodeToString(secret)),
		base64.StdEncoding.EncodeToString(secret), base64.RawURLEncoding.EncodeToString(secret),
	} {
		assert.NotContains(t, text, spelling)
	}
}

func TestStore_RingWithoutTheKey(t *testing.T) {
	blobs := newBlobs()
	old := newRing(t, newSecret())
	name, _, _ := putKey(t, &sealed.Store{Blobs: blobs, AEAD: old})
	got, err := (&sealed.Store{Blobs: blobs, AEAD: newRing(t, newSecret())}).Get(t.Context(), name)
	require.Nil(t, got)
	require.ErrorIs(t, err, sealed.ErrNoKey)
	assert.NotErrorIs(t, err, fs.ErrNotExist)
	assert.ErrorContains(t, err, hex.EncodeToString(blobs.blobs[name][1:9]), "the ID of the key that is missing")
}

// failing is an AEAD that fails.
type failing struct{ err error }

func (f failing) Encrypt([]byte, []byte) ([]byte, error) { return nil, f.err }
func (f failing) Decrypt([]byte, []byte) ([]byte, error) { return nil, f.err }

// TestStore_FailingAEADIsNoMissingKey: the error of a key management service may
// match fs.ErrNotExist, and must not say that of a key.
func TestStore_FailingAEADIsNoMissingKey(t *testing.T) {
	errDown := errors.New("the service is down")
	for _, test := range []struct{ err, want error }{
		{&fs.PathError{Op: "open", Path: "/run/kms.sock", Err: fs.ErrNotExist}, nil},
		{&fs.PathError{Op: "create", Path: "/run/kms.lock", Err: fs.ErrExist}, nil},
		{errDown, errDown},
		{context.DeadlineExceeded, context.DeadlineExceeded},
	} {
		blobs := newBlobs()
		name, key, _ := putKey(t, &sealed.Store{Blobs: blobs, AEAD: newRing(t, newSecret())})
		store := &sealed.Store{Blobs: blobs, AEAD: failing{test.err}}
		_, getErr := store.Get(t.Context(), name)
		delete(blobs.blobs, name)
		for _, err := range []error{getErr, store.Put(t.Context(), name, key)} {
			require.ErrorContains(t, err, test.err.Error())
			assert.NotErrorIs(t, err, fs.ErrNotExist)
			assert.NotErrorIs(t, err, fs.ErrExist)
			if test.want != nil {
				assert.ErrorIs(t, err, test.want)
			}
		}
	}
}

// TestStore_PlaintextDoesNotOpen: not even if the AEAD takes it.
func TestStore_PlaintextDoesNotOpen(t *testing.T) {
	name, _, der := newKey(t)
	blobs := &mapBlobs{blobs: map[string][]byte{name: der}}
	key, err := (&sealed.Store{Blobs: blobs, AEAD: copier{}}).Get(t.Context(), name)
	assert.ErrorIs(t, err, sealed.ErrPlaintext)
	assert.Nil(t, key)
}

// TestStore_SealedButNoKey: what opens is still checked.
func TestStore_SealedButNoKey(t *testing.T) {
	x25519, err := ecdh.X25519().GenerateKey(rand.Reader)
	require.NoError(t, err)
	agreement, err := x509.MarshalPKCS8PrivateKey(x25519)
	require.NoError(t, err)
	for what, plaintext := range map[string][]byte{
		"nothing": nil, "text": []byte("text"), "a key that does not sign": agreement,
	} {
		blobs, ring := newBlobs(), newRing(t, newSecret())
		name, _, _ := newKey(t)
		blobs.blobs[name], err = ring.Encrypt(plaintext, sealed.AssociatedData(name))
		require.NoError(t, err)
		key, err := (&sealed.Store{Blobs: blobs, AEAD: ring}).Get(t.Context(), name)
		require.Error(t, err, what)
		assert.NotErrorIs(t, err, fs.ErrNotExist, what)
		assert.Nil(t, key, what)
	}
}

func TestStore_ForeignAndBrokenKeys(t *testing.T) {
	blobs := newBlobs()
	store := &sealed.Store{Blobs: blobs, AEAD: newRing(t, newSecret())}
	name, key, _ := newKey(t)
	for what, broken := range map[string]crypto.Signer{
		"nil":                  nil,
		"nil RSA":              (*rsa.PrivateKey)(nil),
		"nil ECDSA":            (*ecdsa.PrivateKey)(nil),
		"nil Ed25519":          ed25519.PrivateKey(nil),
		"Ed25519 that is cut":  ed25519.PrivateKey(make([]byte, 31)),
		"empty RSA":            new(rsa.PrivateKey),
		"empty ECDSA":          new(ecdsa.PrivateKey),
		"another's name":       newP384(t),
		"RSA without its part": publicOnly(),
	} {
		err := store.Put(t.Context(), name, broken)
		require.Error(t, err, what)
		assert.NotErrorIs(t, err, errors.ErrUnsupported, what)
	}
	for what, foreign := range map[string]crypto.Signer{"an HSM's": hsm{key}, "a nil HSM's": (*hsm)(nil)} {
		assert.ErrorIs(t, store.Put(t.Context(), name, foreign), errors.ErrUnsupported, what)
	}
	assert.Empty(t, blobs.blobs)
}

// TestStore_PartsOfTwoKeys shows that a key that Get would refuse is not kept,
// and that its bytes are in no error.
func TestStore_PartsOfTwoKeys(t *testing.T) {
	name, key, _ := newKey(t)
	_, other, otherDER := newKey(t)
	mixed := other.(*ecdsa.PrivateKey)
	mixed.PublicKey = key.(*ecdsa.PrivateKey).PublicKey
	blobs := newBlobs()
	store := &sealed.Store{Blobs: blobs, AEAD: newRing(t, newSecret())}
	err := store.Put(t.Context(), name, mixed)
	require.ErrorIs(t, err, sealed.ErrOtherKey)
	assertNoKey(t, err.Error(), otherDER)
	assert.Empty(t, blobs.blobs)
}

func TestStore_PartsOfTwoRSAKeys(t *testing.T) {
	mixed, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	mixed.PublicKey = testkey.RSA(2048).PublicKey
	name, err := csr.PubMD5(mixed.Public())
	require.NoError(t, err)
	blobs := newBlobs()
	store := &sealed.Store{Blobs: blobs, AEAD: newRing(t, newSecret())}
	require.Error(t, store.Put(t.Context(), name, mixed))
	assert.Empty(t, blobs.blobs)
}

type hsm struct{ crypto.Signer }

func newP384(t *testing.T) crypto.Signer {
	key, err := csr.P384.NewKey(t.Context())
	require.NoError(t, err)
	return key
}

func publicOnly() crypto.Signer {
	return &rsa.PrivateKey{PublicKey: testkey.RSA(2048).PublicKey}
}

func TestStore_RequiresItsFields(t *testing.T) {
	name, key, _ := newKey(t)
	for what, store := range map[string]*sealed.Store{
		"nil":                 nil,
		"zero value":          {},
		"no AEAD":             {Blobs: newBlobs()},
		"no Blobs":            {AEAD: newRing(t, newSecret())},
		"empty Keyring":       {Blobs: newBlobs(), AEAD: new(sealed.Keyring)},
		"nil Keyring":         {Blobs: newBlobs(), AEAD: (*sealed.Keyring)(nil)},
		"empty Identity":      {Blobs: newBlobs(), AEAD: new(sealed.Identity)},
		"empty Recipient":     {Blobs: newBlobs(), AEAD: new(sealed.Recipient)},
		"AEAD that copies":    {Blobs: newBlobs(), AEAD: copier{}},
		"AEAD that prefixes":  {Blobs: newBlobs(), AEAD: copier{prefix: []byte("sealed!")}},
		"AEAD without output": {Blobs: newBlobs(), AEAD: copier{nothing: true}},
		"AEAD without a tag":  {Blobs: newBlobs(), AEAD: inverter{}},
	} {
		require.Error(t, store.Put(t.Context(), name, key), what)
		if store != nil && store.Blobs != nil {
			assert.Empty(t, store.Blobs.(*mapBlobs).blobs, what)
			store.Blobs.(*mapBlobs).blobs[name] = make([]byte, 100)
		}
		got, err := store.Get(t.Context(), name)
		require.Error(t, err, what)
		assert.NotErrorIs(t, err, fs.ErrNotExist, what)
		assert.Nil(t, got, what)
		assert.Error(t, store.Reseal(t.Context(), name), what)
	}
}

// copier is an AEAD that does not encrypt.
type copier struct {
	prefix  []byte
	nothing bool
}

func (c copier) Encrypt(plaintext, _ []byte) ([]byte, error) {
	if c.nothing {
		return nil, nil
	}
	return append(bytes.Clone(c.prefix), plaintext...), nil
}

func (c copier) Decrypt(ciphertext, _ []byte) ([]byte, error) {
	return bytes.TrimPrefix(ciphertext, c.prefix), nil
}

// inverter is an AEAD that does not authenticate: its ciphertexts are as long
// as their plaintexts.
type inverter struct{}

func (inverter) Encrypt(plaintext, _ []byte) ([]byte, error) {
	ciphertext := bytes.Clone(plaintext)
	for i := range ciphertext {
		ciphertext[i] ^= 0xff
	}
	return ciphertext, nil
}

func (v inverter) Decrypt(ciphertext, associatedData []byte) ([]byte, error) {
	return v.Encrypt(ciphertext, associatedData)
}

// spy is an AEAD that keeps the plaintexts that it saw, and has the methods
// with a context.
type spy struct {
	sealed.AEAD
	plaintexts [][]byte
	contexts   []context.Context
}

func (s *spy) EncryptWithContext(ctx context.Context, plaintext, associatedData []byte) ([]byte, error) {
	s.plaintexts = append(s.plaintexts, plaintext)
	s.contexts = append(s.contexts, ctx)
	return s.AEAD.Encrypt(plaintext, associatedData)
}

func (s *spy) DecryptWithContext(ctx context.Context, ciphertext, associatedData []byte) ([]byte, error) {
	s.contexts = append(s.contexts, ctx)
	plaintext, err := s.AEAD.Decrypt(ciphertext, associatedData)
	s.plaintexts = append(s.plaintexts, plaintext)
	return plaintext, err
}

func TestStore_PassesTheContextAndClearsPlaintexts(t *testing.T) {
	aead := &spy{AEAD: newRing(t, newSecret())}
	store := &sealed.Store{Blobs: newBlobs(), AEAD: aead}
	type ctxKey struct{}
	ctx := context.WithValue(t.Context(), ctxKey{}, "the caller's")
	name, key, _ := newKey(t)
	require.NoError(t, store.Put(ctx, name, key))
	got, err := store.Get(ctx, name)
	require.NoError(t, err)
	require.NoError(t, store.Reseal(ctx, name))

	require.Len(t, aead.contexts, 4, "Put, Get, and Reseal's two")
	for _, ctx := range aead.contexts {
		assert.Equal(t, "the caller's", ctx.Value(ctxKey{}))
	}
	require.Len(t, aead.plaintexts, 4)
	for _, plaintext := range aead.plaintexts {
		require.NotEmpty(t, plaintext)
		assert.Equal(t, make([]byte, len(plaintext)), plaintext, "cleared")
	}
	assert.True(t, key.(*ecdsa.PrivateKey).Equal(got), "a key does not live in the bytes that are cleared")
}

func TestStore_ClearsThePlaintextOfAKeyThatIsRefused(t *testing.T) {
	aead := &spy{AEAD: newRing(t, newSecret())}
	blobs := newBlobs()
	name, _, _ := newKey(t)
	_, _, other := newKey(t)
	blob, err := aead.AEAD.Encrypt(other, sealed.AssociatedData(name))
	require.NoError(t, err)
	blobs.blobs[name] = blob
	_, err = (&sealed.Store{Blobs: blobs, AEAD: aead}).Get(t.Context(), name)
	require.ErrorIs(t, err, sealed.ErrOtherKey)
	require.Len(t, aead.plaintexts, 1)
	assert.Equal(t, make([]byte, len(other)), aead.plaintexts[0])
}

func TestStore_WrongNamesAreNotLookedFor(t *testing.T) {
	store := &sealed.Store{Blobs: unreachable{t}, AEAD: newRing(t, newSecret())}
	own, key, _ := newKey(t)
	for _, name := range []string{
		"", own[:31], own + "0", "../" + own, strings.Repeat("A", 32), own[:31] + "\x00", "' OR 1=1 --",
	} {
		_, err := store.Get(t.Context(), name)
		assert.ErrorIs(t, err, fs.ErrNotExist, "%q", name)
		assert.Error(t, store.Put(t.Context(), name, key), "%q", name)
	}
}

// unreachable is a BlobStore that must not be called.
type unreachable struct{ t *testing.T }

func (u unreachable) Put(context.Context, string, []byte) error {
	u.t.Error("Put was called")
	return nil
}

func (u unreachable) Get(context.Context, string) ([]byte, error) {
	u.t.Error("Get was called")
	return nil, fs.ErrNotExist
}

// FuzzGet: whatever a store returns, Get returns the key of that name, or an
// error that is not that of a missing key.
func FuzzGet(f *testing.F) {
	blobs := newBlobs()
	store := &sealed.Store{Blobs: blobs, AEAD: newRing(f, newSecret())}
	name, _, der := putKey(f, store)
	good := blobs.blobs[name]
	f.Add(good)
	f.Add(good[:40])
	f.Add(der)
	f.Add(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	f.Fuzz(func(t *testing.T, blob []byte) {
		blobs := &mapBlobs{blobs: map[string][]byte{name: blob}}
		key, err := (&sealed.Store{Blobs: blobs, AEAD: store.AEAD}).Get(t.Context(), name)
		if bytes.Equal(blob, good) {
			require.NoError(t, err)
			return
		}
		require.Error(t, err)
		require.Nil(t, key)
		require.NotErrorIs(t, err, fs.ErrNotExist)
	})
}
