package errortexts

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"errors"
	"io"
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/csr"
)

// A foreignKey is a key that is not in memory, such as an HSM's. Without an error it signs wrongly.
type foreignKey struct {
	public crypto.PublicKey
	err    error
}

func (k foreignKey) Public() crypto.PublicKey { return k.public }

func (k foreignKey) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) {
	return []byte("no signature"), k.err
}

// newKey returns a key of the type that is made fastest.
func newKey(t *testing.T) crypto.Signer {
	t.Helper()
	key, err := csr.P256.NewKey(t.Context())
	require.NoError(t, err)
	return key
}

// ownKeyTexts are what is wrong with a key of the caller's own.
func ownKeyTexts(*testing.T) []provocation {
	var all []provocation
	for _, wrong := range wrongKeys {
		all = append(all, provocation{wrong.how, func(*testing.T) error { return sign(wrong.key) }})
	}
	return append(all,
		provocation{"an HSM that is away", func(t *testing.T) error {
			return sign(foreignKey{newKey(t).Public(), errors.New("hsm: no session")})
		}},
		provocation{"an HSM that signs wrongly", func(t *testing.T) error { return sign(foreignKey{public: newKey(t).Public()}) }},
		provocation{"the handle of no key", func(*testing.T) error { return errorOf(csr.PubMD5(nil)) }},
		provocation{"the handle of a private key", func(t *testing.T) error { return errorOf(csr.PubMD5(newKey(t))) }},
		provocation{"the handle of a key on a curve of one's own", func(t *testing.T) error {
			return errorOf(csr.PubMD5(onCurve(t, &elliptic.CurveParams{Name: "own"})))
		}},
		provocation{"a key on a curve that no CA takes", func(t *testing.T) error {
			return sign(foreignKey{public: onCurve(t, elliptic.P224())})
		}},
	)
}

// sign makes a CSR with a key.
func sign(key crypto.Signer) error {
	return errorOf(csr.New(&csr.Request{CommonName: "example.com"}, key))
}

// onCurve returns a public key that says it is on curve.
func onCurve(t *testing.T, curve elliptic.Curve) *ecdsa.PublicKey {
	t.Helper()
	key, ok := newKey(t).Public().(*ecdsa.PublicKey)
	require.True(t, ok)
	key.Curve = curve
	return key
}

// wrongKeys can't have a CSR.
var wrongKeys = []struct {
	how string
	key crypto.Signer
}{
	{"no key", nil},
	{"a nil key", (*rsa.PrivateKey)(nil)},
	{"an RSA key without a private part", &rsa.PrivateKey{}},
	{"an ECDSA key without a private part", &ecdsa.PrivateKey{}},
	{"an Ed25519 key that is cut off", ed25519.PrivateKey("short")},
	{"a key that hides its public part", foreignKey{}},
	{"an RSA key without a modulus", foreignKey{public: &rsa.PublicKey{}}},
	{"an ECDSA key without a curve", foreignKey{public: &ecdsa.PublicKey{}}},
	{"an Ed25519 public key that is cut off", foreignKey{public: ed25519.PublicKey("short")}},
	{"a key of another kind", foreignKey{public: "a key"}},
	{"an RSA key too small", foreignKey{public: &rsa.PublicKey{N: new(big.Int).SetBit(big.NewInt(1), 1023, 1), E: 65537}}},
}

// A keySource is a csr.KeySource of a function.
type keySource func(ctx context.Context) (crypto.Signer, error)

func (f keySource) NewKey(ctx context.Context) (crypto.Signer, error) { return f(ctx) }
