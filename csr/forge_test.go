package csr

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"testing"

	"github.com/stretchr/testify/require"
)

// A forgery is what crypto/x509 does not write into a CSR.
type forgery struct {
	attributes [][]byte // DER; instead of an attribute extensionRequest with the names
	infoEnd    []byte   // DER that stands after the attributes
	end        []byte   // DER that stands after the signature
}

// forge returns a Response with a CSR for example.com that is signed by a new
// P-256 key.
func forge(t testing.TB, f forgery) *Response {
	t.Helper()
	key := newTestKey(t, P256)
	subject := der(t, pkix.Name{CommonName: "example.com"}.ToRDNSequence())
	spki, err := x509.MarshalPKIXPublicKey(key.Public())
	require.NoError(t, err)
	info := sequence(t, der(t, 0), subject, spki, tagged(t, asn1.ClassContextSpecific, 0, f.attributes...), f.infoEnd)
	digest := sha256.Sum256(info)
	signature, err := key.Sign(rand.Reader, digest[:], crypto.SHA256)
	require.NoError(t, err)
	algorithm := sequence(t, der(t, asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 2})) // ecdsa-with-SHA256
	bits := der(t, asn1.BitString{Bytes: signature, BitLength: 8 * len(signature)})
	request := sequence(t, info, algorithm, bits, f.end)
	return &Response{Csr: string(pem.EncodeToMemory(&pem.Block{Type: pemType, Bytes: request})), Origin: OriginCDN}
}

func der(t testing.TB, value any) []byte {
	t.Helper()
	encoded, err := asn1.Marshal(value)
	require.NoError(t, err)
	return encoded
}

func sequence(t testing.TB, elements ...[]byte) []byte {
	t.Helper()
	return tagged(t, asn1.ClassUniversal, asn1.TagSequence, elements...)
}

func set(t testing.TB, elements ...[]byte) []byte {
	t.Helper()
	return tagged(t, asn1.ClassUniversal, asn1.TagSet, elements...)
}

func tagged(t testing.TB, class, tag int, elements ...[]byte) []byte {
	t.Helper()
	return der(t, asn1.RawValue{Class: class, Tag: tag, IsCompound: true, Bytes: bytes.Join(elements, nil)})
}

// extensions returns the value of an attribute extensionRequest with the SANs
// names.
func extensions(t testing.TB, names ...string) []byte {
	t.Helper()
	var values []asn1.RawValue
	for _, name := range names {
		values = append(values, dns(name))
	}
	return der(t, extensionOf(t, values...))
}
