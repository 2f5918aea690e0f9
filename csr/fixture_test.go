package csr

import (
	"context"
	"crypto"
	"encoding/asn1"
	"errors"
	"io"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

var exampleRequest = Request{CommonName: "example.com"}

var keyTypes = []KeyType{RSA2048, RSA3072, RSA4096, P256, P384, Ed25519}

func newTestKey(t testing.TB, keyType KeyType) crypto.Signer {
	t.Helper()
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
