package csr

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"math/big"
)

var (
	keyUnreadable = refused("key-unreadable", "RFC 5280 section 4.1.2.7")
	keyKind       = refused("key-type", "BR 7.1.3.1")
	keySize       = refused("key-size", "BR 6.1.5")
	keySizeRare   = refused("key-size", "Boulder goodkey (Let's Encrypt): RSA of 2048, 3072 or 4096 bits")
	keyExponent   = refused("key-exponent", "BR 6.1.6")
	keyModulus    = refused("key-modulus", "BR 6.1.6")
	keyFermat     = refused("key-modulus", "BR 6.1.1.3")
	keyCurve      = refused("key-curve", "BR 6.1.5")
	keyCurveRare  = refused("key-curve", "Boulder goodkey (Let's Encrypt): P-256 or P-384")

	signatureWrong = refused("signature-wrong", "RFC 2986 section 3")
	signatureHash  = refused("signature-hash", "BR 7.1.3.2")
)

// RSA moduli of these lengths, in bits, are computed with: crypto/rsa refuses smaller ones, and larger ones take long.
const (
	minModulus = 1024
	maxModulus = 8192
)

// publicKey checks the key and the signature.
func (l *linter) publicKey(request *rawRequest) {
	bare, err := bareRequest(request)
	if err != nil {
		l.add(keyUnreadable, "public key", "%v", err)
		return
	}
	switch pub := bare.PublicKey.(type) {
	case *rsa.PublicKey:
		if !l.rsaKey(pub) {
			return // no signature can be checked
		}
	case *ecdsa.PublicKey:
		switch pub.Curve {
		case elliptic.P256(), elliptic.P384():
		case elliptic.P521():
			l.add(keyCurveRare, "public key", "is on P-521, which few CAs take")
		default:
			l.add(keyCurve, "public key", "is on %s: want P-256 or P-384", pub.Params().Name)
		}
	case ed25519.PublicKey:
		l.add(keyKind, "public key", "is Ed25519: want RSA or ECDSA")
	default:
		l.add(keyKind, "public key", "is of a kind that isn't known (%v): want RSA or ECDSA", bare.PublicKeyAlgorithm)
		return
	}
	l.signature(bare)
}

// bareRequest returns what crypto/x509 makes of the key and the signature of a CSR, whatever else is in it: x509 refuses
// a CSR whole if one of its names is malformed.
func bareRequest(request *rawRequest) (*x509.CertificateRequest, error) {
	der, err := asn1.Marshal(rawRequest{
		Info: rawInfo{
			Subject:    asn1.RawValue{Tag: asn1.TagSequence, IsCompound: true},
			PublicKey:  request.Info.PublicKey,
			Attributes: []asn1.RawValue{}, // none, but not left out
		},
		Algorithm: request.Algorithm,
		Signature: request.Signature,
	})
	if err != nil {
		return nil, err
	}
	bare, err := x509.ParseCertificateRequest(der)
	if err != nil {
		return nil, err
	}
	bare.RawTBSCertificateRequest = request.Info.Raw // what was really signed
	return bare, nil
}

// signature checks that the CSR is signed by its own key, with a hash that is still taken.
func (l *linter) signature(bare *x509.CertificateRequest) {
	switch bare.SignatureAlgorithm {
	case x509.MD2WithRSA, x509.MD5WithRSA, x509.SHA1WithRSA, x509.ECDSAWithSHA1, x509.DSAWithSHA1:
		l.add(signatureHash, "signature", "is %v: want SHA-256, SHA-384 or SHA-512", bare.SignatureAlgorithm)
		if bare.SignatureAlgorithm == x509.MD5WithRSA || bare.SignatureAlgorithm == x509.MD2WithRSA {
			return // can't be checked any more
		}
	}
	if err := bare.CheckSignature(); err != nil {
		l.add(signatureWrong, "signature", "is not by the CSR's own key: %v", err)
	}
}

// rsaKey checks the numbers of an RSA key, and tells whether they can be computed with.
func (l *linter) rsaKey(pub *rsa.PublicKey) (usable bool) {
	const place = "public key"
	bits := pub.N.BitLen()
	switch {
	case bits < 2048 || bits%8 != 0:
		l.add(keySize, place, "is RSA of %d bits: want 2048, 3072 or 4096", bits)
	case bits != 2048 && bits != 3072 && bits != 4096:
		l.add(keySizeRare, place, "is RSA of %d bits, which few CAs take: want 2048, 3072 or 4096", bits)
	}
	if pub.E < 65537 || pub.E%2 == 0 {
		l.add(keyExponent, place, "has the exponent %d: want 65537", pub.E)
	}
	if bits < minModulus || bits > maxModulus {
		return false
	}
	switch {
	case pub.N.Bit(0) == 0:
		l.add(keyModulus, place, "has an even modulus")
	case hasSmallFactor(pub.N):
		l.add(keyModulus, place, "has a modulus with a factor below 752")
	case hasCloseFactors(pub.N):
		l.add(keyFermat, place, "has a modulus of two primes that are close together: anyone can factor it")
	}
	return true
}

// hasSmallFactor tells whether n has a prime factor below 752 (BR 6.1.6).
func hasSmallFactor(n *big.Int) bool {
	for p := int64(3); p < 752; p += 2 { // of odd numbers that are no primes, a prime factor was tried before
		if new(big.Int).Mod(n, big.NewInt(p)).Sign() == 0 {
			return true
		}
	}
	return false
}

// hasCloseFactors tells whether Fermat's factorization finds the factors of n within 100 rounds (BR 6.1.1.3).
func hasCloseFactors(n *big.Int) bool {
	one := big.NewInt(1)
	a := new(big.Int).Sqrt(n)
	a.Add(a, one)
	for range 100 {
		b2 := new(big.Int).Mul(a, a)
		b2.Sub(b2, n)
		if b := new(big.Int).Sqrt(b2); b.Mul(b, b).Cmp(b2) == 0 {
			return true
		}
		a.Add(a, one)
	}
	return false
}
