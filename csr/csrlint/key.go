package csrlint

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
)

var (
	keyUnreadable = refused("key-unreadable", "RFC 5280 section 4.1.2.7")
	keyRSA        = refused("key-unreadable", "RFC 8017 appendix A.1.1")
	keyKind       = refused("key-type", "BR 7.1.3.1")
	keyCurve      = refused("key-curve", "BR 6.1.5")
	keyCurveRare  = refused("key-curve", "Boulder goodkey (Let's Encrypt)")

	signatureMalformed = refused("der-malformed", "RFC 2986 section 4.2")
	signatureWrong     = refused("signature-wrong", "RFC 2986 section 3")
	signatureHash      = refused("signature-hash", "BR 7.1.3.2")
	signatureAlgorithm = refused("signature-algorithm", "Boulder csr (Let's Encrypt)")
)

// publicKey checks the key. It returns what [linter.signature] needs, or nil if
// the signature cannot be verified.
func (l *linter) publicKey(r *request) *x509.CertificateRequest {
	const field = "public key"
	parts, ok := members(r.publicKey, asn1.TagSequence)
	if !ok {
		l.add(keyUnreadable, field, "is not an algorithm and a BIT STRING")
		return nil
	}
	l.keyEncoding(parts)
	if !l.signatureEncoding(r) {
		return nil
	}
	bare, err := bareRequest(r)
	if err != nil {
		l.add(keyUnreadable, field, "cannot be read: %v", err)
		return nil
	}
	switch pub := bare.PublicKey.(type) {
	case *rsa.PublicKey:
		l.rsaEncoding(parts[1])
		l.rsaKey(pub)
		if bits := pub.N.BitLen(); bits < minModulus || bits > maxModulus {
			return nil
		}
	case *ecdsa.PublicKey:
		switch pub.Curve {
		case elliptic.P256(), elliptic.P384():
		case elliptic.P521():
			l.add(keyCurveRare, field, "is on P-521: want P-256 or P-384")
		default:
			l.add(keyCurve, field, "is on %s: want P-256 or P-384", pub.Params().Name)
		}
	case ed25519.PublicKey:
		l.add(keyKind, field, "is Ed25519: want RSA or ECDSA")
	default: // DSA, or nil for what crypto/x509 does not know
		l.add(keyKind, field, "is neither RSA nor ECDSA")
		return nil
	}
	return bare
}

// keyEncoding checks the parts of a SubjectPublicKeyInfo and its algorithm for
// what crypto/x509 skips.
func (l *linter) keyEncoding(parts []asn1.RawValue) {
	l.surplus(keyUnreadable, "public key", "the key", parts, 2)
	if len(parts) > 0 {
		l.sequence(keyUnreadable, "public key", "the algorithm", parts[0], 2)
	}
}

// signatureEncoding checks how the signature and its algorithm are encoded. It
// reports whether they can be read. The parameters of the algorithm may be of
// any type: what openssl, GnuTLS and crypto/x509 ignore is not reported.
func (l *linter) signatureEncoding(r *request) bool {
	if !readable(r.algorithm, new(pkix.AlgorithmIdentifier)) || !readable(r.signature, new(asn1.BitString)) {
		l.add(signatureMalformed, "signature", "is not an algorithm and a BIT STRING")
		return false
	}
	parts := l.sequence(signatureMalformed, "signature", "the algorithm", r.algorithm, 2)
	if len(parts) > 1 && !isReadable(parts[1]) {
		l.add(valueMalformed, "signature", "has an algorithm with malformed parameters")
	}
	return true
}

// readable reports whether encoding/asn1 can decode v into target.
func readable(v asn1.RawValue, target any) bool {
	_, err := asn1.Unmarshal(v.FullBytes, target)
	return err == nil
}

// bareRequest returns what crypto/x509 reads of the key and the signature of r.
// Everything else is left out, since x509 refuses a CSR as a whole if, say, one
// of its names is malformed.
func bareRequest(r *request) (*x509.CertificateRequest, error) {
	type info struct {
		Version            int
		Subject, PublicKey asn1.RawValue
		Attributes         []asn1.RawValue `asn1:"tag:0"`
	}
	der, err := asn1.Marshal(struct {
		Info                 info
		Algorithm, Signature asn1.RawValue
	}{
		info{Subject: asn1.RawValue{Tag: asn1.TagSequence, IsCompound: true}, PublicKey: r.publicKey},
		r.algorithm, r.signature,
	})
	if err != nil {
		return nil, err
	}
	bare, err := x509.ParseCertificateRequest(der)
	if err != nil {
		return nil, err
	}
	bare.RawTBSCertificateRequest = r.info.FullBytes // what was really signed
	return bare, nil
}

// signature checks that the CSR is signed by its own key, with an algorithm
// that CAs accept. A nil bare is not checked.
func (l *linter) signature(bare *x509.CertificateRequest) {
	if bare == nil {
		return
	}
	switch bare.SignatureAlgorithm {
	case x509.SHA256WithRSA, x509.SHA384WithRSA, x509.SHA512WithRSA,
		x509.ECDSAWithSHA256, x509.ECDSAWithSHA384, x509.ECDSAWithSHA512:
	case x509.PureEd25519: // its key has been reported
	case x509.MD2WithRSA, x509.MD5WithRSA, x509.SHA1WithRSA, x509.ECDSAWithSHA1, x509.DSAWithSHA1:
		l.add(signatureHash, "signature", "is %v: want SHA-256, SHA-384 or SHA-512", bare.SignatureAlgorithm)
	case x509.UnknownSignatureAlgorithm:
		l.add(signatureAlgorithm, "signature", "has an unknown algorithm: want RSA (PKCS #1 v1.5) or ECDSA")
	default:
		l.add(signatureAlgorithm, "signature", "is %v: want RSA (PKCS #1 v1.5) or ECDSA", bare.SignatureAlgorithm)
	}
	err := bare.CheckSignature()
	var insecure x509.InsecureAlgorithmError
	if err == nil || errors.Is(err, x509.ErrUnsupportedAlgorithm) || errors.As(err, &insecure) {
		return // verified, or of an algorithm that has been reported
	}
	l.add(signatureWrong, "signature", "cannot be verified with the public key of the CSR")
}
