package csr

import (
	"encoding/asn1"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// goldenLine is the first line of a CSR that the service made, from the
// documentation of a sister product.
const goldenLine = "MIIC/zCCAecCAQAwZTELMAkGA1UEBhMCQ04xCzAJBgNVBAgTAlpKMQswCQYDVQQH"

// TestNew_GoldenFirstLine proves that a local CSR begins like the service's
// own. The line depends on the key's size, on the order and the string types of
// the subject, and on the length of the names, which is 57 bytes here.
func TestNew_GoldenFirstLine(t *testing.T) {
	req := Request{
		CommonName: "a.cn.com", // 8 characters
		SANs:       []string{strings.Repeat("b", 41) + ".com"},
		State:      "ZJ", City: "HZ",
	}
	resp, err := New(&req, newTestKey(t, RSA2048))
	require.NoError(t, err)
	assert.Equal(t, goldenLine, strings.Split(resp.Csr, "\n")[1])
}

func TestNew_SubjectOrderAndTypes(t *testing.T) {
	const (
		printable = asn1.TagPrintableString
		utf8      = asn1.TagUTF8String
		ia5       = asn1.TagIA5String
	)
	tests := map[string]struct {
		req  Request
		want []attribute
	}{
		"the service's defaults": {
			Request{CommonName: "example.com"},
			[]attribute{
				{"Country", "CN", printable},
				{"State", "Zhejiang", printable},
				{"City", "Hangzhou", printable},
				{"Organization", "Alibaba Inc", printable},
				{"OrganizationUnit", "Aliyun CDN", printable},
				{"CommonName", "example.com", printable},
			},
		},
		"texts that need a UTF8String": {
			Request{
				CommonName: "*.example.com", Organization: "Tom & Jerry", OrganizationUnit: "a_b", Country: "de",
				State: "Thüringen", City: "a@b", Email: "admin@example.com",
			},
			[]attribute{
				{"Country", "DE", printable},
				{"State", "Thüringen", utf8},
				{"City", "a@b", utf8},
				{"Organization", "Tom & Jerry", utf8},
				{"OrganizationUnit", "a_b", utf8},
				{"CommonName", "*.example.com", utf8},
				{"Email", "admin@example.com", ia5}, // cfssl: UTF8String
			},
		},
		"all of PrintableString": {
			Request{CommonName: "example.com", Organization: "azAZ09 '()+,-./:=?"},
			[]attribute{
				{"Country", "CN", printable},
				{"State", "Zhejiang", printable},
				{"City", "Hangzhou", printable},
				{"Organization", "azAZ09 '()+,-./:=?", printable},
				{"OrganizationUnit", "Aliyun CDN", printable},
				{"CommonName", "example.com", printable},
			},
		},
	}
	key := newTestKey(t, P256)
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			resp, err := New(&test.req, key)
			require.NoError(t, err)
			parsed, err := resp.CertificateRequest()
			require.NoError(t, err)
			assert.Equal(t, test.want, attributesOf(t, parsed.RawSubject))
		})
	}
}

// TestNew_OneExtension proves that a CSR requests its names and nothing else,
// in one extension that is not critical.
func TestNew_OneExtension(t *testing.T) {
	resp, err := New(&Request{CommonName: "example.com"}, newTestKey(t, P256))
	require.NoError(t, err)
	parsed, err := resp.CertificateRequest()
	require.NoError(t, err)
	require.Len(t, parsed.Extensions, 1)
	assert.Equal(t, oidSAN, parsed.Extensions[0].Id)
	assert.False(t, parsed.Extensions[0].Critical)
	assert.Empty(t, parsed.IPAddresses)
	assert.Empty(t, parsed.URIs)
	assert.Empty(t, parsed.EmailAddresses, "Email belongs to the subject")
}

// TestNew_Deterministic proves that two CSRs for one request and key differ
// only in the signature, and do not differ if the key is Ed25519, whose
// signatures are deterministic.
func TestNew_Deterministic(t *testing.T) {
	req := Request{CommonName: "example.com", SANs: []string{"b.com", "c.com", "a.com"}, Email: "a@example.com"}
	for _, keyType := range []KeyType{P256, Ed25519} {
		key := newTestKey(t, keyType)
		var tbs [2][]byte
		var pems [2]string
		for i := range 2 {
			resp, err := New(&req, key)
			require.NoError(t, err)
			parsed, err := resp.CertificateRequest()
			require.NoError(t, err)
			tbs[i], pems[i] = parsed.RawTBSCertificateRequest, resp.Csr
		}
		assert.Equal(t, tbs[0], tbs[1], keyType)
		if keyType == Ed25519 {
			assert.Equal(t, pems[0], pems[1], keyType)
		}
	}
}

// TestNew_PEM proves that the PEM is that of the service: one block, lines of
// 64 characters, and one line end at the end.
func TestNew_PEM(t *testing.T) {
	resp, err := New(&Request{CommonName: "example.com"}, newTestKey(t, RSA2048))
	require.NoError(t, err)
	lines := strings.Split(resp.Csr, "\n")
	last := len(lines) - 1
	assert.Equal(t, "-----BEGIN CERTIFICATE REQUEST-----", lines[0])
	assert.Equal(t, "-----END CERTIFICATE REQUEST-----", lines[last-1])
	assert.Empty(t, lines[last])
	for _, line := range lines[1 : last-2] {
		assert.Len(t, line, 64)
	}
}
