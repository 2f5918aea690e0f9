package errortexts

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"
)

var keySamples = []sample{
	{"a key on an unknown curve", "key-unreadable", "", patched("\x2a\x86\x48\xce\x3d\x03\x01\x07", "\x2a\x86\x48\xce\x3d\x03\x01\x7f")},
	{"a key of an unknown kind", "key-type", "", patched("\x2a\x86\x48\xce\x3d\x02\x01", "\x2a\x86\x48\xce\x3d\x02\x7f")},
	{"an Ed25519 key", "key-type", "", public(ed25519.PublicKey(make([]byte, ed25519.PublicKeySize)))},
	{"a key on P-521", "key-curve", "", func(t *testing.T, f *forgery) { f.public = generated(t, elliptic.P521()) }},
	{"a key on P-224", "key-curve", "", func(t *testing.T, f *forgery) { f.public = generated(t, elliptic.P224()) }},
	{"RSA of 1024 bits", "key-size", "", public(&rsa.PublicKey{N: bits(1024), E: 65537})},
	{"RSA of an odd size", "key-size", "", public(&rsa.PublicKey{N: bits(2304), E: 65537})},
	{"RSA with the exponent 3", "key-exponent", "", public(&rsa.PublicKey{N: bits(2048), E: 3})},
	{"RSA with an even modulus", "key-modulus", "", public(&rsa.PublicKey{N: new(big.Int).Lsh(bits(2047), 1), E: 65537})},
	{"RSA with a small factor", "key-modulus", "", public(&rsa.PublicKey{N: bits(2048), E: 65537})},
	{"RSA with close factors", "key-modulus", "", public(&rsa.PublicKey{N: closeFactors(), E: 65537})},
	{"a signature with SHA-1", "signature-hash", "", func(_ *testing.T, f *forgery) { f.algorithm = oidECDSASHA1 }},
	{"a signature by another key", "signature-wrong", "", func(*testing.T, *forgery) {}},
}

// public is a forgery with that key.
func public(key crypto.PublicKey) func(*testing.T, *forgery) {
	return func(_ *testing.T, f *forgery) { f.public = key }
}

// generated is a public key on curve.
func generated(t *testing.T, curve elliptic.Curve) crypto.PublicKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	require.NoError(t, err)
	return key.Public()
}

// patched is a forgery with other bytes in its key.
func patched(before, after string) func(*testing.T, *forgery) {
	return func(t *testing.T, f *forgery) {
		der, err := x509.MarshalPKIXPublicKey(f.public)
		require.NoError(t, err)
		f.spki = bytes.Replace(der, []byte(before), []byte(after), 1)
	}
}

// bits is a number of so many bits, the first and the last. It has the factor 3 if they are an even number.
func bits(n int) *big.Int { return new(big.Int).SetBit(big.NewInt(1), n-1, 1) }

// closeFactors is a product of two odd numbers of 1024 bits that lie close together and have no factor below 752.
func closeFactors() *big.Int {
	small := new(big.Int).MulRange(2, 752)
	one, two := big.NewInt(1), big.NewInt(2)
	between := new(big.Int).Lsh(big.NewInt(3), 1022)
	for {
		n := new(big.Int).Mul(between, between)
		n.Sub(n, one)
		if new(big.Int).GCD(nil, nil, n, small).Cmp(one) == 0 {
			return n
		}
		between.Add(between, two)
	}
}
