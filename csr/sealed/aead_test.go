package sealed_test

import (
	"bytes"
	"crypto/ecdh"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/csr"
	"github.com/cdncsr/cdncsr/csr/sealed"
)

// hexBytes is bytes in hex, in JSON.
type hexBytes []byte

func (h *hexBytes) UnmarshalText(text []byte) (err error) {
	*h, err = hex.DecodeString(string(text))
	return err
}

// TestEnvelope_OfAnotherImplementation opens what pyca/cryptography sealed by
// the description of the formats.
func TestEnvelope_OfAnotherImplementation(t *testing.T) {
	file, err := os.Open("testdata/envelopes.json")
	require.NoError(t, err)
	defer file.Close()
	var golden struct {
		Source, Name                              string
		SubjectPublicKeyInfo                      hexBytes
		RingKey, SealedByRing                     hexBytes
		PrivateKey, PublicKey, SealedForPublicKey hexBytes
	}
	decoder := json.NewDecoder(file)
	decoder.DisallowUnknownFields()
	require.NoError(t, decoder.Decode(&golden))

	ring := newRing(t, newSecret(), golden.RingKey)
	identity, err := sealed.NewIdentity(golden.PrivateKey)
	require.NoError(t, err)
	for name, store := range map[string]*sealed.Store{
		"Keyring":  {AEAD: ring, Blobs: &mapBlobs{blobs: map[string][]byte{golden.Name: golden.SealedByRing}}},
		"Identity": {AEAD: identity, Blobs: &mapBlobs{blobs: map[string][]byte{golden.Name: golden.SealedForPublicKey}}},
	} {
		key, getErr := store.Get(t.Context(), golden.Name)
		require.NoError(t, getErr, name)
		got, hashErr := csr.PubMD5(key.Public())
		require.NoError(t, hashErr, name)
		assert.Equal(t, golden.Name, got, name)
	}
	recipient, err := sealed.NewRecipient(golden.PublicKey)
	require.NoError(t, err)
	envelope, err := recipient.Encrypt([]byte("plaintext"), nil)
	require.NoError(t, err)
	assert.Equal(t, []byte(golden.SealedForPublicKey[:9]), envelope[:9], "the same header")
}

func TestEnvelope_SizesAndNonces(t *testing.T) {
	recipient, identity := newPair(t)
	for name, test := range map[string]struct {
		seal, open sealed.AEAD
		version    byte
		overhead   int
	}{
		"Keyring":   {newRing(t, newSecret()), nil, 1, 37},
		"Recipient": {recipient, identity, 2, 57},
		"Identity":  {identity, nil, 2, 57},
	} {
		if test.open == nil {
			test.open = test.seal
		}
		for _, size := range []int{0, 1, 138, 1218, 1 << 16} {
			plaintext, ad := bytes.Repeat([]byte{7}, size), []byte("name")
			one, err := test.seal.Encrypt(plaintext, ad)
			require.NoError(t, err, name)
			two, err := test.seal.Encrypt(plaintext, ad)
			require.NoError(t, err, name)
			assert.Equal(t, test.version, one[0], name)
			assert.Len(t, one, size+test.overhead, name)
			assert.NotEqual(t, one, two, "%s: a nonce twice", name)
			got, err := test.open.Decrypt(one, ad)
			require.NoError(t, err, name)
			assert.True(t, bytes.Equal(plaintext, got), name)
			_, err = test.open.Decrypt(one, []byte("another name"))
			assert.ErrorIs(t, err, sealed.ErrAltered, name)
		}
	}
}

// TestKeyring_OpensWithTheNamedKeyOnly: the key ID decides, and no key that is
// there is tried instead.
func TestKeyring_OpensWithTheNamedKeyOnly(t *testing.T) {
	a, b := newSecret(), newSecret()
	byA, err := newRing(t, a).Encrypt([]byte("plaintext"), nil)
	require.NoError(t, err)
	byB, err := newRing(t, b).Encrypt([]byte("plaintext"), nil)
	require.NoError(t, err)
	ring := newRing(t, a, b)
	for _, envelope := range [][]byte{byA, byB} {
		got, openErr := ring.Decrypt(envelope, nil)
		require.NoError(t, openErr)
		assert.Equal(t, "plaintext", string(got))
	}
	mixed := append(bytes.Clone(byB[:9]), byA[9:]...)
	_, err = ring.Decrypt(mixed, nil)
	assert.ErrorIs(t, err, sealed.ErrAltered)
	first, err := ring.Encrypt(nil, nil)
	require.NoError(t, err)
	assert.Equal(t, byA[:9], first[:9], "the first key seals")
}

// TestDecrypt_TooShort: what is shorter than the ciphertext of nothing is not
// sealed at all, and the error names the least length.
func TestDecrypt_TooShort(t *testing.T) {
	_, identity := newPair(t)
	for what, aead := range map[string]sealed.AEAD{"Keyring": newRing(t, newSecret()), "Identity": identity} {
		shortest, err := aead.Encrypt(nil, nil)
		require.NoError(t, err, what)
		for size := range shortest {
			_, err = aead.Decrypt(shortest[:size], nil)
			assert.ErrorIs(t, err, sealed.ErrNotSealed, "%s: %d bytes", what, size)
			assert.ErrorContains(t, err, fmt.Sprintf("%d bytes, want %d or more", size, len(shortest)), what)
		}
	}
}

func TestKeyring_AndIdentityRefuseEachOther(t *testing.T) {
	ring := newRing(t, newSecret())
	recipient, identity := newPair(t)
	byRing, err := ring.Encrypt(make([]byte, 100), nil)
	require.NoError(t, err)
	byRecipient, err := recipient.Encrypt(make([]byte, 100), nil)
	require.NoError(t, err)
	_, err = ring.Decrypt(byRecipient, nil)
	assert.ErrorIs(t, err, sealed.ErrNotSealed)
	_, err = identity.Decrypt(byRing, nil)
	assert.ErrorIs(t, err, sealed.ErrNotSealed)
	_, other := newPair(t)
	_, err = other.Decrypt(byRecipient, nil)
	assert.ErrorIs(t, err, sealed.ErrNoKey)
	assert.ErrorContains(t, err, hex.EncodeToString(byRecipient[1:9]))
}

func TestNewKeyring_RefusesKeysThatAreNone(t *testing.T) {
	good := newSecret()
	for name, keys := range map[string][][]byte{
		"nil":              {nil},
		"16 bytes":         {make([]byte, 16)},
		"33 bytes":         {make([]byte, 33)},
		"text of 64 bytes": {[]byte(hex.EncodeToString(good))},
		"zeros":            {make([]byte, 32)},
		"second is nil":    {good, nil},
		"second is short":  {good, good[:31]},
		"twice":            {good, newSecret(), good},
	} {
		ring, err := sealed.NewKeyring(keys[0], keys[1:]...)
		assert.Error(t, err, name)
		assert.Nil(t, ring, name)
		identity, err := sealed.NewIdentity(keys[0], keys[1:]...)
		assert.Error(t, err, name)
		assert.Nil(t, identity, name)
	}
}

func TestNewRecipient_RefusesKeysThatAreNone(t *testing.T) {
	p256, err := ecdh.P256().GenerateKey(rand.Reader)
	require.NoError(t, err)
	for name, key := range map[string][]byte{
		"nil":                {},
		"31 bytes":           make([]byte, 31),
		"P-256":              p256.PublicKey().Bytes(),
		"zero":               make([]byte, 32),
		"a point of order 2": append([]byte{1}, make([]byte, 31)...),
	} {
		recipient, err := sealed.NewRecipient(key)
		assert.Error(t, err, name)
		assert.Nil(t, recipient, name)
	}
}

func TestNewKeyring_CopiesItsKeys(t *testing.T) {
	key := newSecret()
	ring := newRing(t, key)
	envelope, err := ring.Encrypt([]byte("plaintext"), nil)
	require.NoError(t, err)
	original := bytes.Clone(key)
	clear(key)
	_, err = newRing(t, original).Decrypt(envelope, nil)
	require.NoError(t, err)
	_, err = ring.Decrypt(envelope, nil)
	assert.NoError(t, err)
}

func TestRecipient_CanNotOpen(t *testing.T) {
	recipient, identity := newPair(t)
	blobs := newBlobs()
	issuing := &sealed.Store{Blobs: blobs, AEAD: recipient}
	g := csr.Generator{Keys: issuing, Source: csr.P256}
	resp, err := g.CreateCdnCertificateSigningRequest(t.Context(), &csr.Request{CommonName: "example.com"})
	require.NoError(t, err)
	_, err = issuing.Get(t.Context(), resp.PubMd5)
	assert.ErrorIs(t, err, errors.ErrUnsupported)
	assert.ErrorIs(t, issuing.Reseal(t.Context(), resp.PubMd5), errors.ErrUnsupported)
	_, err = (&sealed.Store{Blobs: blobs, AEAD: identity}).Get(t.Context(), resp.PubMd5)
	assert.NoError(t, err)
}

// TestPrinting_ShowsNoKey prints what holds secrets in every way that logs do.
func TestPrinting_ShowsNoKey(t *testing.T) {
	secret := newSecret()
	ring := newRing(t, newSecret(), secret)
	identity, err := sealed.NewIdentity(secret)
	require.NoError(t, err)
	store := &sealed.Store{Blobs: newBlobs(), AEAD: ring}
	values := []any{ring, *ring, identity, *identity, store, *store, []any{ring}, &sealed.Store{AEAD: identity}}
	for _, value := range values {
		texts := []string{}
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
			texts = append(texts, fmt.Sprintf(verb, value))
		}
		if text, err := json.Marshal(value); err == nil {
			texts = append(texts, string(text))
		}
		for _, text := range texts {
			for _, spelling := range []string{
				string(secret), hex.EncodeToString(secret), fmt.Sprintf("%X", secret), fmt.Sprint(secret)[1:40],
				fmt.Sprintf("%#v", secret)[7:40],
			} {
				assert.NotContains(t, text, spelling, "%T", value)
			}
		}
	}
	assert.NotContains(t, ring.String(), "0x")
	assert.Regexp(t, `^keyring of [0-9a-f]{16}, [0-9a-f]{16}$`, ring.String())
}

func TestKeyring_PrintsThatItHasNoKeys(t *testing.T) {
	for _, ring := range []*sealed.Keyring{nil, {}} {
		assert.Equal(t, "keyring of no keys", ring.String())
	}
}

func FuzzDecrypt(f *testing.F) {
	ring := newRing(f, newSecret())
	recipient, identity := newPair(f)
	byRing, err := ring.Encrypt([]byte("plaintext"), []byte("name"))
	require.NoError(f, err)
	byRecipient, err := recipient.Encrypt([]byte("plaintext"), []byte("name"))
	require.NoError(f, err)
	f.Add(byRing)
	f.Add(byRecipient)
	f.Add(byRing[:9])
	f.Add([]byte("-----BEGIN PRIVATE KEY-----"))
	f.Fuzz(func(t *testing.T, envelope []byte) {
		for _, test := range []struct {
			aead sealed.AEAD
			good []byte
		}{{ring, byRing}, {identity, byRecipient}} {
			if bytes.Equal(envelope, test.good) {
				continue
			}
			plaintext, err := test.aead.Decrypt(envelope, []byte("name"))
			require.Error(t, err, "a forgery opens")
			require.Nil(t, plaintext)
		}
	})
}
