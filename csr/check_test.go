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

func extensionOf(t testing.TB, names ...asn1.RawValue) []pkix.Extension {
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

// TestResponse_Check_HiddenNames shows that a name is found wherever a CA may
// look for it, although crypto/x509 does not.
func TestResponse_Check_HiddenNames(t *testing.T) {
	req := &Request{CommonName: "example.com"}
	extensionRequest := der(t, asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 14})
	microsoft := der(t, asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 311, 2, 1, 14})
	challenge := sequence(t, der(t, asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 7}), set(t, der(t, "example")))
	good, evil := extensions(t, "example.com"), extensions(t, "evil.example")
	keyUsage := der(t, []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 15}, Value: []byte{3, 2, 5, 0xa0}}})
	goodRequest := sequence(t, extensionRequest, set(t, good))

	for name, attributes := range map[string][][]byte{
		"no attributes":          nil,
		"one value":              {goodRequest},
		"a challenge password":   {challenge, goodRequest},
		"only another attribute": {challenge},
	} {
		assert.NoError(t, forge(t, forgery{attributes: attributes}).Check(req), name)
	}
	for name, attributes := range map[string][][]byte{
		"Microsoft's attribute":        {goodRequest, sequence(t, microsoft, set(t, evil))},
		"Microsoft's attribute alone":  {sequence(t, microsoft, set(t, good))},
		"a second value":               {sequence(t, extensionRequest, set(t, good, evil))},
		"a second attribute":           {goodRequest, sequence(t, extensionRequest, set(t, keyUsage))},
		"no value":                     {sequence(t, extensionRequest, set(t))},
		"a value that is not in a SET": {sequence(t, extensionRequest, evil)},
		"an element after the values":  {sequence(t, extensionRequest, set(t, good), set(t, evil))},
		"an attribute without values":  {goodRequest, sequence(t, microsoft)},
		"no attribute at all":          {evil},
		"not an attribute":             {goodRequest, der(t, "evil.example")},
	} {
		err := forge(t, forgery{attributes: attributes}).Check(req)
		assert.Error(t, err, name)
		assert.NotErrorIs(t, err, ErrInvalidRequest, name)
	}
}

// TestResponse_Check_EmptyEmail shows that an empty rfc822Name is not taken for
// an Email that was not requested.
func TestResponse_Check_EmptyEmail(t *testing.T) {
	empty := asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: rfc822Name}
	resp := responseWith(t, newTestKey(t, P256), x509.CertificateRequest{
		Subject: pkix.Name{CommonName: "example.com"}, ExtraExtensions: extensionOf(t, dns("example.com"), empty),
	})
	assert.Error(t, resp.Check(&Request{CommonName: "example.com"}))
}

// TestResponse_CertificateRequest_SurplusElements shows that a CSR with more
// elements than RFC 2986 gives it is refused. Package encoding/asn1 skips them;
// openssl can't load it.
func TestResponse_CertificateRequest_SurplusElements(t *testing.T) {
	request := sequence(t, der(t, oidExtensionRequest), set(t, extensions(t, "example.com")))
	whole := forgery{attributes: [][]byte{request}}
	_, err := forge(t, whole).CertificateRequest()
	require.NoError(t, err)
	for name, f := range map[string]forgery{
		"after the signature":  {attributes: whole.attributes, end: der(t, 5)},
		"after the attributes": {attributes: whole.attributes, infoEnd: der(t, 5)},
	} {
		parsed, err := forge(t, f).CertificateRequest()
		assert.Error(t, err, name)
		assert.Nil(t, parsed, name)
	}
}

// FuzzNamesOf shows that no CSR makes Check panic, whether it is signed or not,
// and that no name is overlooked that crypto/x509 finds.
func FuzzNamesOf(f *testing.F) {
	request := sequence(f, der(f, oidExtensionRequest), set(f, extensions(f, "example.com")))
	microsoft := sequence(f, der(f, oidMicrosoftExtensions), set(f, extensions(f, "evil.example")))
	for _, forged := range []forgery{
		{},
		{attributes: [][]byte{request}},
		{attributes: [][]byte{request, microsoft}},
		{attributes: [][]byte{request, sequence(f, der(f, oidExtensionRequest))}},
		{infoEnd: der(f, 5)},
	} {
		block, _ := pem.Decode([]byte(forge(f, forged).Csr))
		f.Add(block.Bytes)
	}
	f.Fuzz(func(t *testing.T, der []byte) {
		parsed, err := x509.ParseCertificateRequest(der)
		if err != nil || checkElements(parsed) != nil {
			return
		}
		names, err := namesOf(parsed, "")
		if err != nil {
			return
		}
		for _, name := range parsed.DNSNames {
			require.Contains(t, names, normalName(name))
		}
	})
}
