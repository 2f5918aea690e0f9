package csr

import (
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"io"
	"math/big"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/internal/testenv"
)

func TestNew_EveryKeyType(t *testing.T) {
	want := map[KeyType]x509.SignatureAlgorithm{
		RSA2048: x509.SHA256WithRSA, RSA3072: x509.SHA384WithRSA, RSA4096: x509.SHA384WithRSA,
		P256: x509.ECDSAWithSHA256, P384: x509.ECDSAWithSHA384,
		Ed25519: x509.PureEd25519, // lego: panics
	}
	for _, keyType := range keyTypes {
		t.Run(keyType.String(), func(t *testing.T) {
			key, err := keyType.NewKey(t.Context())
			require.NoError(t, err)
			assertCSR(t, key, want[keyType])
		})
	}
	p521, err := ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	require.NoError(t, err)
	t.Run("a caller's P-521", func(t *testing.T) { assertCSR(t, p521, x509.ECDSAWithSHA512) })
	rsa2304, err := rsa.GenerateKey(rand.Reader, 2304)
	require.NoError(t, err)
	t.Run("a caller's RSA-2304", func(t *testing.T) { assertCSR(t, rsa2304, x509.SHA256WithRSA) })
	t.Run("an HSM's", func(t *testing.T) { assertCSR(t, hsm{Signer: newTestKey(t, P256)}, x509.ECDSAWithSHA256) })
	ed := newTestKey(t, Ed25519).(ed25519.PrivateKey)
	t.Run("a pointer", func(t *testing.T) { assertCSR(t, &ed, x509.PureEd25519) })
}

func assertCSR(t *testing.T, key crypto.Signer, algorithm x509.SignatureAlgorithm) {
	resp, err := New(&Request{CommonName: "Example.com", SANs: []string{"www.example.com"}}, key)
	require.NoError(t, err)
	parsed, err := resp.CertificateRequest()
	require.NoError(t, err)
	assert.Equal(t, algorithm, parsed.SignatureAlgorithm)
	assert.Equal(t, key.Public(), parsed.PublicKey)
	assert.Equal(t, []string{"example.com", "www.example.com"}, parsed.DNSNames)
	assert.Equal(t, "example.com", resp.CommonName, "the name as it stands in the CSR")
	assert.Equal(t, "example.com", parsed.Subject.CommonName)
	assert.Equal(t, OriginLocal, resp.Origin)
	assert.Regexp(t, regexp.MustCompile("^[0-9A-F]{8}-[0-9A-F]{4}-4[0-9A-F]{3}-[89AB][0-9A-F]{3}-[0-9A-F]{12}$"),
		resp.RequestId)
	md5, err := PubMD5(parsed.PublicKey)
	require.NoError(t, err)
	assert.Equal(t, md5, resp.PubMd5)
}

// A public is a key with any public part.
type public struct {
	hsm
	pub crypto.PublicKey
}

func (p public) Public() crypto.PublicKey { return p.pub }

// badKeys returns keys that New and PubMD5 must refuse without a panic.
func badKeys(t *testing.T) map[string]crypto.Signer {
	p256 := newTestKey(t, P256).(*ecdsa.PrivateKey)
	p224, err := ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	require.NoError(t, err)
	weak, err := rsa.GenerateKey(rand.Reader, 1024)
	require.NoError(t, err)
	modulus := newTestKey(t, RSA2048).(*rsa.PrivateKey).N
	x25519, err := ecdh.X25519().GenerateKey(rand.Reader)
	require.NoError(t, err)
	coordinates, err := p256.PublicKey.Bytes() // 4, X, Y
	require.NoError(t, err)
	x, y := new(big.Int).SetBytes(coordinates[1:33]), new(big.Int).SetBytes(coordinates[33:])
	point := func(curve elliptic.Curve, x, y *big.Int) crypto.Signer {
		//lint:ignore SA1019 ParseUncompressedPublicKey makes no broken keys
		return public{pub: &ecdsa.PublicKey{Curve: curve, X: x, Y: y}}
	}
	short := ed25519.PrivateKey(make([]byte, 5))
	return map[string]crypto.Signer{
		"nil":                     nil,
		"a nil RSA key":           (*rsa.PrivateKey)(nil),
		"a nil ECDSA key":         (*ecdsa.PrivateKey)(nil),
		"a nil Ed25519 key":       ed25519.PrivateKey(nil),
		"a nil Ed25519 pointer":   (*ed25519.PrivateKey)(nil),
		"an empty RSA key":        &rsa.PrivateKey{},
		"an empty ECDSA key":      &ecdsa.PrivateKey{},
		"a short Ed25519 key":     short,
		"a short Ed25519 pointer": &short,
		"no public key":           public{},
		"a nil public key":        public{pub: (*rsa.PublicKey)(nil)},
		"RSA as a value":          public{pub: rsa.PublicKey{N: modulus, E: 65537}},
		"RSA without N":           public{pub: &rsa.PublicKey{E: 65537}},
		"RSA with N of zero":      public{pub: &rsa.PublicKey{N: new(big.Int), E: 65537}},
		"RSA with N below zero":   public{pub: &rsa.PublicKey{N: new(big.Int).Neg(modulus), E: 65537}},
		"RSA without E":           public{pub: &rsa.PublicKey{N: modulus}},
		"RSA with even E":         public{pub: &rsa.PublicKey{N: modulus, E: 65536}},
		"RSA with E of one":       public{pub: &rsa.PublicKey{N: modulus, E: 1}},
		"RSA with even N":         public{pub: &rsa.PublicKey{N: new(big.Int).Lsh(modulus, 1), E: 65537}},
		"RSA of 1024 bits":        weak,
		"ECDSA without X":         point(elliptic.P256(), nil, y),
		"ECDSA without Y":         point(elliptic.P256(), x, nil),
		"ECDSA without a curve":   point(nil, x, y),
		"ECDSA off the curve":     point(elliptic.P256(), x, x),
		"ECDSA below zero":        point(elliptic.P256(), new(big.Int).Neg(x), y),
		"ECDSA of another curve":  point(elliptic.P384(), x, y),
		"ECDSA at infinity":       point(elliptic.P256(), new(big.Int), new(big.Int)),
		"P-224":                   p224,
		"a short Ed25519 public":  public{pub: ed25519.PublicKey("short")},
		"X25519":                  public{pub: x25519.PublicKey()},
		"a string":                public{pub: "key"},
		"RSA without its secret":  &rsa.PrivateKey{PublicKey: rsa.PublicKey{N: modulus, E: 65537}},
		"ECDSA without a secret":  &ecdsa.PrivateKey{PublicKey: p256.PublicKey},
	}
}

func TestNew_BadKey(t *testing.T) {
	req := Request{CommonName: "example.com"}
	for name, key := range badKeys(t) {
		t.Run(name, func(t *testing.T) {
			resp, err := New(&req, key)
			assert.Error(t, err)
			assert.NotErrorIs(t, err, ErrInvalidRequest)
			assert.Nil(t, resp)
		})
	}
}

func TestNew_FaultySigner(t *testing.T) {
	broken := errors.New("the HSM is away")
	good := newTestKey(t, P256)
	other := newTestKey(t, P256)
	signs := map[string]func(rand io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error){
		"fails":     func(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) { return nil, broken },
		"nothing":   func(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) { return nil, nil },
		"no DER":    func(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) { return []byte("signature"), nil },
		"other key": other.Sign,
		"other digest": func(rand io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
			digest = append([]byte(nil), digest...)
			digest[0] ^= 1
			return good.Sign(rand, digest, opts)
		},
	}
	for name, sign := range signs {
		t.Run(name, func(t *testing.T) {
			key := hsm{good, sign}
			resp, err := New(&Request{CommonName: "example.com"}, key)
			assert.Error(t, err)
			assert.Nil(t, resp)
			if name == "fails" {
				assert.ErrorIs(t, err, broken)
			}

			store := new(MemStore)
			g := Generator{Keys: store, Source: fixedSource{key}}
			resp, err = g.CreateCdnCertificateSigningRequest(t.Context(), &Request{CommonName: "example.com"})
			assert.Error(t, err)
			assert.Nil(t, resp)
			assert.Empty(t, store.keys, "a key without a CSR is not stored")
		})
	}
}

// TestPubMD5_LikeOpenSSL compares PubMD5 with the MD5 of the public key as
// OpenSSL encodes it.
func TestPubMD5_LikeOpenSSL(t *testing.T) {
	openssl := testenv.Program(t, "openssl")
	for _, keyType := range keyTypes {
		resp, err := New(&Request{CommonName: "example.com"}, newTestKey(t, keyType))
		require.NoError(t, err)
		shell := exec.Command("sh", "-c", `"$0" req -pubkey -noout | "$0" pkey -pubin -outform DER | "$0" md5 -r`, openssl)
		shell.Stdin = strings.NewReader(resp.Csr)
		out, err := shell.Output()
		require.NoError(t, err)
		assert.Equal(t, resp.PubMd5, strings.Fields(string(out))[0], keyType)
	}
}

func TestPubMD5_BadKey(t *testing.T) {
	for name, key := range badKeys(t) {
		if p, ok := key.(public); ok {
			_, err := PubMD5(p.pub)
			assert.Error(t, err, name)
		}
	}
}

// TestPubMD5_SmallestExponent proves that 3, which old keys have, is allowed.
func TestPubMD5_SmallestExponent(t *testing.T) {
	modulus := newTestKey(t, RSA2048).(*rsa.PrivateKey).N
	_, err := PubMD5(&rsa.PublicKey{N: modulus, E: 3})
	assert.NoError(t, err)
}
