package csr

import (
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"net"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// checkedRequest is the request of the tests of Check.
var checkedRequest = Request{
	CommonName: "Example.com",
	SANs:       []string{"Bücher.example", "bücher.example"},
	Email:      "admin@example.com",
}

// checkedNames are its names in the CSR.
var checkedNames = []string{"example.com", "xn--bcher-kva.example"}

// responseWith returns a Response with a CSR that crypto/x509 made of a
// template, as the CDN might.
func responseWith(t *testing.T, key crypto.Signer, template x509.CertificateRequest) *Response {
	t.Helper()
	der, err := x509.CreateCertificateRequest(rand.Reader, &template, key)
	require.NoError(t, err)
	return &Response{Csr: string(pem.EncodeToMemory(&pem.Block{Type: pemType, Bytes: der})), Origin: OriginCDN}
}

func extensionOf(t *testing.T, names ...asn1.RawValue) []pkix.Extension {
	t.Helper()
	der, err := asn1.Marshal(names)
	require.NoError(t, err)
	return []pkix.Extension{{Id: oidSAN, Value: der}}
}

func dns(name string) asn1.RawValue {
	return asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: dNSName, Bytes: []byte(name)}
}

func TestResponse_Check(t *testing.T) {
	key := newTestKey(t, P256)
	resp, err := New(&checkedRequest, key)
	require.NoError(t, err)
	assert.NoError(t, resp.Check(&checkedRequest))

	example := pkix.Name{CommonName: "example.com"}
	for name, template := range map[string]x509.CertificateRequest{
		"a minimal one": {Subject: example, DNSNames: checkedNames},
		"another order": {Subject: example, DNSNames: []string{checkedNames[1], checkedNames[0]}},
		"upper case": {
			Subject:  pkix.Name{CommonName: "EXAMPLE.com"},
			DNSNames: []string{"Example.com", "XN--bcher-kva.example"},
		},
		"CommonName no SAN": {Subject: example, DNSNames: checkedNames[1:]},
		"Email among names": {Subject: example, DNSNames: checkedNames, EmailAddresses: []string{"admin@Example.com"}},
		"another extension first": {Subject: example, ExtraExtensions: append(
			[]pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 15}, Value: []byte{3, 2, 5, 0xa0}}},
			extensionOf(t, dns(checkedNames[0]), dns(checkedNames[1]))...,
		)},
		"a subject of a CDN": {
			Subject:  pkix.Name{CommonName: "example.com", Organization: []string{"CDN"}},
			DNSNames: checkedNames,
		},
	} {
		assert.NoError(t, responseWith(t, key, template).Check(&checkedRequest), name)
	}
	alone := responseWith(t, key, x509.CertificateRequest{Subject: example})
	assert.NoError(t, alone.Check(&Request{CommonName: "example.com"}), "no extension for a single name")
}

func TestResponse_Check_OtherNames(t *testing.T) {
	key := newTestKey(t, P256)
	example := pkix.Name{CommonName: "example.com"}
	twoNames := pkix.Name{ExtraNames: []pkix.AttributeTypeAndValue{
		{Type: oidCommonName, Value: "evil.example"}, {Type: oidCommonName, Value: "example.com"},
	}}
	for name, template := range map[string]x509.CertificateRequest{
		"a name is missing":     {Subject: example, DNSNames: checkedNames[:1]},
		"a name too many":       {Subject: example, DNSNames: append([]string{"evil.example"}, checkedNames...)},
		"a wildcard":            {Subject: example, DNSNames: []string{"example.com", "*.example"}},
		"an invalid name":       {Subject: example, DNSNames: append([]string{"a_b.example"}, checkedNames...)},
		"no names at all":       {},
		"another CommonName":    {Subject: pkix.Name{CommonName: "evil.example"}, DNSNames: checkedNames},
		"CommonName swapped":    {Subject: pkix.Name{CommonName: checkedNames[1]}, DNSNames: checkedNames},
		"no CommonName":         {DNSNames: checkedNames},
		"a CommonName too many": {Subject: twoNames, DNSNames: checkedNames},
		"an IP address":         {Subject: example, DNSNames: checkedNames, IPAddresses: []net.IP{{192, 0, 2, 1}}},
		"another Email":         {Subject: example, DNSNames: checkedNames, EmailAddresses: []string{"root@example.com"}},
		"a directoryName": {Subject: example, ExtraExtensions: extensionOf(t, dns(checkedNames[0]), dns(checkedNames[1]),
			asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 4, IsCompound: true, Bytes: []byte{0x30, 0}})},
		"a number for a name": {Subject: example, ExtraExtensions: extensionOf(t, dns(checkedNames[0]),
			asn1.RawValue{Tag: dNSName, Bytes: []byte(checkedNames[1])})},
		"data after the names": {Subject: example, ExtraExtensions: []pkix.Extension{
			{Id: oidSAN, Value: append(extensionOf(t, dns(checkedNames[0]), dns(checkedNames[1]))[0].Value, 5, 0)},
		}},
	} {
		err := responseWith(t, key, template).Check(&checkedRequest)
		assert.Error(t, err, name)
		assert.NotErrorIs(t, err, ErrInvalidRequest, name)
	}
}

func TestResponse_Check_DamagedCsr(t *testing.T) {
	resp, err := New(&checkedRequest, newTestKey(t, P256))
	require.NoError(t, err)
	for name, text := range map[string]string{
		"empty":           "",
		"truncated":       resp.Csr[:200],
		"two":             resp.Csr + resp.Csr,
		"wrong signature": swapSignature(t, resp.Csr),
	} {
		damaged := *resp
		damaged.Csr = text
		assert.Error(t, damaged.Check(&checkedRequest), name)
	}
}

// swapSignature changes the last byte of a CSR, which is in its signature.
func swapSignature(t *testing.T, text string) string {
	t.Helper()
	block, _ := pem.Decode([]byte(text))
	require.NotNil(t, block)
	block.Bytes[len(block.Bytes)-1] ^= 1
	return string(pem.EncodeToMemory(block))
}

func TestResponse_Check_PubMd5(t *testing.T) {
	resp, err := New(&checkedRequest, newTestKey(t, P256))
	require.NoError(t, err)
	for _, pubMd5 := range []string{"", strings.Repeat("0", 32), strings.ToUpper(resp.PubMd5)} {
		for origin, valid := range map[Origin]bool{OriginLocal: false, OriginCDN: true, OriginUnknown: true} {
			other := *resp
			other.PubMd5, other.Origin = pubMd5, origin
			assert.Equal(t, valid, other.Check(&checkedRequest) == nil, "%s, %s", pubMd5, origin)
		}
	}
}

func TestResponse_Check_Nil(t *testing.T) {
	assert.Error(t, (*Response)(nil).Check(&checkedRequest))
	assert.ErrorIs(t, new(Response).Check(nil), ErrInvalidRequest)
	assert.ErrorIs(t, (*Response)(nil).Check(nil), ErrInvalidRequest)
	assert.ErrorIs(t, new(Response).Check(&Request{}), ErrInvalidRequest)
}
