package csrlint

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"math/big"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/internal/testkey"
)

// otherKey is not the key of any forgery.
var otherKey = newECDSA(elliptic.P256())

var pssOptions = &rsa.PSSOptions{SaltLength: 32, Hash: crypto.SHA256}

// keySamples are wrong in the type or the encoding of their keys. Where no one
// can sign with the key, the signature is wrong too.
func keySamples(t testing.TB) []sample {
	curve := func(c elliptic.Curve) func(*forgery) { return func(f *forgery) { f.key = newECDSA(c) } }
	spki := func(change func([]byte) []byte) func(*forgery) {
		return func(f *forgery) { f.spki = change(spkiOf(f.key.Public())) }
	}
	parameters := tlv(tagSequence, []byte{2, 1, 7}, []byte{2, 1, 3}, []byte{2, 1, 2})
	return []sample{
		{"P-384", curve(elliptic.P384()), "", ""},
		{"P-521", curve(elliptic.P521()), "key-curve", ""},
		{"P-224", curve(elliptic.P224()), "key-curve", ""},
		{
			"Ed25519", func(f *forgery) { f.spki = spkiOf(ed25519.PublicKey(make([]byte, ed25519.PublicKeySize))) },
			"key-type signature-wrong", "",
		},
		{"DSA", func(f *forgery) {
			f.spki = tlv(tagSequence, tlv(tagSequence, oid(1, 2, 840, 10040, 4, 1), parameters), tlv(3, []byte{0, 2, 1, 4}))
		}, "key-type", ""},
		{
			"unknown curve", spki(replace("\x2a\x86\x48\xce\x3d\x03\x01\x07", "\x2a\x86\x48\xce\x3d\x03\x01\x7f")),
			"key-unreadable", "",
		},
		{"unknown key type", spki(replace("\x2a\x86\x48\xce\x3d\x02\x01", "\x2a\x86\x48\xce\x3d\x02\x7f")), "key-type", ""},
		{
			"more at the end of the key's algorithm", spki(func(der []byte) []byte { return growAlgorithm(t, der) }),
			"key-unreadable", "",
		},
		{"key not a SEQUENCE", func(f *forgery) { f.spki = null }, "key-unreadable", ""},
		{"key of no elements", func(f *forgery) { f.spki = tlv(tagSequence) }, "key-unreadable", ""},
		{"more at the end of the key", spki(func(der []byte) []byte {
			return tlv(tagSequence, parts(t, der)[0], parts(t, der)[1], null)
		}), "key-unreadable", ""},
	}
}

// parts returns the elements of a SEQUENCE.
func parts(t testing.TB, der []byte) [][]byte {
	t.Helper()
	var list []asn1.RawValue
	_, err := asn1.Unmarshal(der, &list)
	require.NoError(t, err)
	var all [][]byte
	for _, v := range list {
		all = append(all, v.FullBytes)
	}
	return all
}

// growAlgorithm adds a third element to the algorithm of a
// SubjectPublicKeyInfo.
func growAlgorithm(t testing.TB, spki []byte) []byte {
	t.Helper()
	key := parts(t, spki)
	algorithm := parts(t, key[0])
	return tlv(tagSequence, tlv(tagSequence, algorithm[0], algorithm[1], null), key[1])
}

// rsaEncodingSamples are wrong in the encoding of their RSA keys.
func rsaEncodingSamples(t testing.TB) []sample {
	key := testkey.RSA(2048)
	spki := spkiOf(key.Public())
	number := parts(t, x509.MarshalPKCS1PublicKey(&key.PublicKey))
	with := func(spki []byte) func(*forgery) {
		return func(f *forgery) {
			f.rsa(key)
			f.spki = spki
		}
	}
	public := func(content ...[]byte) func(*forgery) {
		return with(tlv(tagSequence, parts(t, spki)[0], tlv(asn1.TagBitString, []byte{0}, slices.Concat(content...))))
	}
	return []sample{
		{"more at the end of the RSA key's algorithm", with(growAlgorithm(t, spki)), "key-unreadable", ""},
		{"more at the end of the RSA key", public(tlv(tagSequence, number[0], number[1], null)), "key-unreadable", ""},
		{"broken at the end of the RSA key", public(tlv(tagSequence, number[0], number[1], []byte{1})), "key-unreadable", ""},
		{"more after the RSA key", public(tlv(tagSequence, number[0], number[1]), null), "key-unreadable", ""},
		{
			"broken at the end of the RSA key's algorithm", with(tlv(tagSequence,
				tlv(tagSequence, oid(1, 2, 840, 113549, 1, 1, 1), null, []byte{1}), parts(t, spki)[1])), "key-unreadable", "",
		},
		{"RSA key not DER", public([]byte("x")), "key-unreadable", ""},
	}
}

// rsaSamples are wrong in the numbers of their RSA keys.
func rsaSamples(t testing.TB) []sample {
	rsa2048 := testkey.RSA(2048)
	n := rsa2048.N
	numbers := func(n *big.Int, e int) func(*forgery) {
		return func(f *forgery) {
			f.rsa(rsa2048)
			f.spki = spkiOf(&rsa.PublicKey{N: n, E: e})
		}
	}
	generated := func(bits int) func(*forgery) {
		key, err := rsa.GenerateKey(rand.Reader, bits)
		require.NoError(t, err)
		return func(f *forgery) { f.rsa(key) }
	}
	// bits returns an even number with the given number of bits, which is not a
	// valid modulus.
	bits := func(bits int) *big.Int { return new(big.Int).Lsh(big.NewInt(1), uint(bits-1)) }
	prime := newPrime(t, 1024)
	return []sample{
		{"RSA-2048", func(f *forgery) { f.rsa(rsa2048) }, "", ""},
		{"RSA-1024", generated(1024), "key-size", ""},
		{"RSA-2052", generated(2052), "key-size", ""},
		{"RSA-2304", generated(2304), "key-size", ""},
		{"RSA too small to compute with", numbers(bits(1023), 65537), "key-size", ""},
		{"RSA just large enough", numbers(bits(1024), 65537), "key-modulus key-size signature-wrong", ""},
		{"RSA just small enough", numbers(bits(8192), 65537), "key-modulus key-size signature-wrong", ""},
		{"RSA too large to compute with", numbers(bits(8193), 65537), "key-size", ""},
		{"RSA-3072, even", numbers(bits(3072), 65537), "key-modulus signature-wrong", ""},
		{"RSA-4096, even", numbers(bits(4096), 65537), "key-modulus signature-wrong", ""},
		{"exponent 1", numbers(n, 1), "key-exponent signature-wrong", ""},
		{"exponent 3", numbers(n, 3), "key-exponent signature-wrong", ""},
		{"exponent 65535", numbers(n, 65535), "key-exponent signature-wrong", ""},
		{"exponent 65538", numbers(n, 65538), "key-exponent signature-wrong", ""},
		{"exponent 65539", numbers(n, 65539), "key-exponent signature-wrong", ""},
		{"modulus even", numbers(new(big.Int).Sub(n, big.NewInt(1)), 65537), "key-modulus signature-wrong", ""},
		{"factor 3", numbers(withFactor(t, 3), 65537), "key-modulus signature-wrong", ""},
		{"factor 751", numbers(withFactor(t, 751), 65537), "key-modulus signature-wrong", ""},
		{"factor 757", numbers(withFactor(t, 757), 65537), "signature-wrong", ""},
		{"close primes", numbers(new(big.Int).Mul(prime, nextPrime(prime)), 65537), "key-modulus signature-wrong", ""},
		{"square", numbers(new(big.Int).Mul(prime, prime), 65537), "key-modulus signature-wrong", ""},
		{"far primes", numbers(new(big.Int).Mul(prime, newPrime(t, 1024)), 65537), "signature-wrong", ""},
		{"ROCA", numbers(publishedROCA(t), 65537), "key-roca signature-wrong", ""},
		{"ROCA by the formula", numbers(madeROCA(t), 65537), "key-roca signature-wrong", ""},
	}
}

func newPrime(t testing.TB, bits int) *big.Int {
	t.Helper()
	p, err := rand.Prime(rand.Reader, bits)
	require.NoError(t, err)
	return p
}

func nextPrime(p *big.Int) *big.Int {
	next := new(big.Int).Add(p, big.NewInt(2))
	for !next.ProbablyPrime(20) {
		next.Add(next, big.NewInt(2))
	}
	return next
}

// withFactor returns a number of 2048 bits that is the prime p times two large
// primes.
func withFactor(t testing.TB, p int64) *big.Int {
	t.Helper()
	factor := big.NewInt(p)
	for {
		n := new(big.Int).Mul(newPrime(t, 1024), newPrime(t, 1024-factor.BitLen()))
		if n.Mul(n, factor).BitLen() == 2048 {
			return n
		}
	}
}

// publishedROCA returns the modulus in testdata/roca.txt.
func publishedROCA(t testing.TB) *big.Int {
	t.Helper()
	data, err := os.ReadFile("testdata/roca.txt")
	require.NoError(t, err)
	lines := bytes.Split(bytes.TrimSpace(data), []byte("\n"))
	n, ok := new(big.Int).SetString(string(lines[len(lines)-1]), 10)
	require.True(t, ok)
	require.Equal(t, 2048, n.BitLen())
	return n
}

// madeROCA returns the product of two primes k·M + (65537^a mod M), as
// Infineon's library makes them for RSA-2048: M is the product of the first 126
// primes.
func madeROCA(t testing.TB) *big.Int {
	t.Helper()
	m := big.NewInt(1)
	for p, found := int64(2), 0; found < 126; p++ {
		if big.NewInt(p).ProbablyPrime(0) {
			m.Mul(m, big.NewInt(p))
			found++
		}
	}
	below := func(bound *big.Int) *big.Int {
		n, err := rand.Int(rand.Reader, bound)
		require.NoError(t, err)
		return n
	}
	most := new(big.Int).Div(new(big.Int).Lsh(big.NewInt(1), 1024), m)
	prime := func() *big.Int {
		for {
			p := new(big.Int).Exp(big.NewInt(65537), below(m), m)
			p.Add(p, new(big.Int).Mul(below(most), m))
			if p.BitLen() == 1024 && p.ProbablyPrime(20) {
				return p
			}
		}
	}
	for {
		if n := new(big.Int).Mul(prime(), prime()); n.BitLen() == 2048 {
			return n
		}
	}
}

// bitStringToOctets makes the signature of a CSR, its last BIT STRING, an OCTET
// STRING.
func bitStringToOctets(der []byte) []byte {
	at := strings.LastIndex(string(der), string(ecdsaWithSHA256)) + len(ecdsaWithSHA256)
	der[at] = asn1.TagOctetString
	return der
}
