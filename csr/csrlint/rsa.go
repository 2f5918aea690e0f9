package csrlint

import (
	"crypto/rsa"
	"encoding/asn1"
	"math/big"
)

var (
	keySize       = refused("key-size", "BR 6.1.5")
	keySizeRare   = refused("key-size", "Boulder goodkey (Let's Encrypt)")
	keyExponent   = refused("key-exponent", "BR 6.1.6")
	exponentRare  = refused("key-exponent", "Boulder goodkey (Let's Encrypt)")
	keyModulus    = refused("key-modulus", "BR 6.1.6")
	keyFermat     = refused("key-modulus", "BR 6.1.1.3")
	keyVulnerable = refused("key-roca", "BR 6.1.1.3")
)

// The lengths, in bits, of the RSA moduli that are tested for weaknesses.
// crypto/rsa refuses smaller ones, and larger ones would take long.
const (
	minModulus = 1024
	maxModulus = 8192
)

// fermatRounds is the number of rounds of Fermat's factorization. BR 6.1.1.3
// asks for 100; Boulder tries 110.
const fermatRounds = 110

// rsaEncoding reports what crypto/x509 skips in the BIT STRING of an RSA key:
// elements after the two numbers, and data after the key.
func (l *linter) rsaEncoding(bits asn1.RawValue) {
	const field = "public key"
	var content asn1.BitString
	var key asn1.RawValue
	_, _ = asn1.Unmarshal(bits.FullBytes, &content) // crypto/x509 has read it
	rest, _ := asn1.Unmarshal(content.RightAlign(), &key)
	l.sequence(keyRSA, field, "the RSA key", key, 2)
	if len(rest) > 0 {
		l.add(keyRSA, field, "has %d bytes after the RSA key", len(rest))
	}
}

// rsaKey checks the numbers of an RSA key.
func (l *linter) rsaKey(pub *rsa.PublicKey) {
	const field = "public key"
	bits := pub.N.BitLen()
	switch {
	case bits < 2048 || bits%8 != 0:
		l.add(keySize, field, "is RSA of %d bits: want 2048, 3072 or 4096", bits)
	case bits != 2048 && bits != 3072 && bits != 4096:
		l.add(keySizeRare, field, "is RSA of %d bits: want 2048, 3072 or 4096", bits)
	}
	switch {
	case pub.E < 3 || pub.E%2 == 0:
		l.add(keyExponent, field, "has the exponent %d: want 65537", pub.E)
	case pub.E != 65537:
		l.add(exponentRare, field, "has the exponent %d: want 65537", pub.E)
	}
	if bits < minModulus || bits > maxModulus {
		return
	}
	switch {
	case pub.N.Bit(0) == 0:
		l.add(keyModulus, field, "has an even modulus")
	case hasSmallFactor(pub.N):
		l.add(keyModulus, field, "has a modulus with a factor below 752")
	case isSquare(pub.N):
		l.add(keyModulus, field, "has a modulus that is a square")
	case hasCloseFactors(pub.N):
		l.add(keyFermat, field, "has a modulus of two primes that are so close that anyone can factor it")
	}
	if isROCA(pub.N) {
		l.add(keyVulnerable, field, "has the fingerprint of Infineon's weak keys (ROCA, CVE-2017-15361)")
	}
}

// hasSmallFactor reports whether n has an odd factor below 752 (BR 6.1.6).
func hasSmallFactor(n *big.Int) bool {
	for p := int64(3); p < 752; p += 2 {
		if residue(n, p) == 0 {
			return true
		}
	}
	return false
}

func isSquare(n *big.Int) bool {
	root := new(big.Int).Sqrt(n)
	return root.Mul(root, root).Cmp(n) == 0
}

// hasCloseFactors reports whether Fermat's factorization finds the factors of
// n, which is not a square, within fermatRounds.
func hasCloseFactors(n *big.Int) bool {
	one := big.NewInt(1)
	a := new(big.Int).Sqrt(n)
	b2 := new(big.Int)
	for range fermatRounds {
		a.Add(a, one)
		b2.Mul(a, a)
		if isSquare(b2.Sub(b2, n)) {
			return true
		}
	}
	return false
}

// isROCA reports whether n has the fingerprint of the primes that Infineon's
// library makes: p = k·M + (65537^a mod M), where M is the product of the first
// primes, at least up to 167. Then n is a power of 65537 modulo M, and modulo
// each of those primes. Of other moduli about one in 2^27 is.
//
// The method is that of Nemec, Sys, Svenda, Klinec and Matyas, "The Return of
// Coppersmith's Attack: Practical Factorization of Widely Used RSA Moduli",
// ACM CCS 2017, section 3.
func isROCA(n *big.Int) bool {
	for p := int64(3); p <= 167; p += 2 {
		if big.NewInt(p).ProbablyPrime(0) && !isPower(65537, residue(n, p), p) {
			return false
		}
	}
	return true
}

// isPower reports whether n is a power of base modulo the prime p.
func isPower(base, n, p int64) bool {
	power := int64(1)
	for range p {
		if power == n {
			return true
		}
		power = power * base % p
	}
	return false
}

func residue(n *big.Int, p int64) int64 { return new(big.Int).Mod(n, big.NewInt(p)).Int64() }
