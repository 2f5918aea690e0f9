package cdntest_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/pem"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/signer"
)

func TestSetCSRCertificate_InstallsACertificateWhoseKeyItHas(t *testing.T) {
	ca := newAuthority(t)
	for _, format := range both {
		for domain, name := range map[string]string{"example.com": "example.com", ".example.com": "*.example.com"} {
			t.Run(format+" "+domain, func(t *testing.T) {
				api := withDomains()
				require.Nil(t, api.Certificate(domain))
				text := ca.answerCSR(t, api, name)
				got := callAs(t, api, signer.RPC{}, signer.Call{
					Action: "SetCdnDomainCSRCertificate", Format: format,
					Params: params{"DomainName": domain, "ServerCertificate": base64Of(text)},
				})
				require.Empty(t, got.Code, got.Message)
				if format == "XML" {
					assert.Equal(t, "SetCdnDomainCSRCertificateResponse", got.XMLName.Local)
				}
				in := api.Certificate(domain)
				require.NotNil(t, in)
				assert.Equal(t, text, chain(in.Chain...))
				assert.Equal(t, in.Chain[0].PublicKey, in.Key.Public())
				assert.Empty(t, in.CertName)
				assert.Zero(t, api.Stored())
			})
		}
	}
}

func TestSetCSRCertificate_RefusesInvalidRequests(t *testing.T) {
	ca := newAuthority(t)
	api := withDomains()
	right := ca.answerCSR(t, api, "example.com")
	parsed := parseChain(t, right)
	leaf := parsed[0]
	reissued := func(edit func(*x509.Certificate)) string {
		return base64Of(chain(ca.leaf(t, leaf.PublicKey, "example.com", edit), ca.intermediate))
	}
	foreign, _ := ca.issue(t, "example.com")
	tests := map[string]struct {
		domain, sent string
		want         string
	}{
		"no domain":              {"", base64Of(right), "MissingParameter"},
		"no certificate":         {"example.com", "", "Certificate.MissingParameter"},
		"unknown domain":         {"example.org", base64Of(right), "InvalidDomain.NotFound"},
		"wildcard with its star": {"*.example.com", base64Of(right), "InvalidDomain.NotFound"},
		"offline domain":         {"offline.example", base64Of(right), "InvalidDomain.Offline"},
		"plain PEM":              {"example.com", right, "Certificate.DecodeError"},
		"base64 twice":           {"example.com", base64Of(base64Of(right)), "Certificate.FormatError"},
		"base64 of nothing":      {"example.com", base64Of("\n"), "Certificate.FormatError"},
		"DER":                    {"example.com", base64Of(string(leaf.Raw)), "Certificate.FormatError"},
		"a blank line": {
			"example.com", base64Of(strings.Replace(right, "-----\n-----", "-----\n\n-----", 1)), "Certificate.FormatError",
		},
		"a comment": {"example.com", base64Of("subject=example.com\n" + right), "Certificate.FormatError"},
		"CRLF": {
			"example.com", base64Of(strings.ReplaceAll(right, "\n", "\r\n")), "Certificate.FormatError",
		},
		"longer lines": {
			"example.com", base64Of(strings.Replace(right, "\nMII", "MII", 1)), "Certificate.FormatError",
		},
		"intermediate first": {"example.com", base64Of(chain(ca.intermediate, leaf)), "Certificate.FormatError"},
		"a gap in the chain": {"example.com", base64Of(chain(leaf, ca.root)), ""}, // both CAs have one key
		"two leaves":         {"example.com", base64Of(chain(leaf, leaf)), "Certificate.FormatError"},
		"the CSR": {
			"example.com", base64Of(string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: []byte{0x30, 0}}))),
			"Certificate.FormatError",
		},
		"not a certificate": {
			"example.com", base64Of(string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte{0x30, 0}}))),
			"Certificate.FormatError",
		},
		"another domain's": {".example.com", base64Of(right), "Certificate.MissMatch"},
		"name in the CN alone": {
			"example.com", reissued(func(c *x509.Certificate) { c.DNSNames = nil }), "Certificate.MissMatch",
		},
		"another key":           {"example.com", base64Of(foreign), "Certificate.NoPrivateKey"},
		"a key that can't sign": {"example.com", base64Of(withX25519(t, ca)), "Certificate.NoPrivateKey"},
		"expired": {
			"example.com", reissued(func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) }),
			"Certificate.Expired",
		},
		"not valid yet": {
			"example.com", reissued(func(c *x509.Certificate) { c.NotBefore = time.Now().Add(time.Minute) }),
			"Certificate.StatusError",
		},
		"over 64 KiB":            {"example.com", reissued(sized(50_000)), "Certificate.FormatError"},
		"almost 64 KiB":          {"example.com", reissued(sized(45_000)), ""},
		"leaf alone":             {"example.com", base64Of(chain(leaf)), ""},
		"no line end at the end": {"example.com", base64Of(strings.TrimSuffix(right, "\n")), ""},
		"domain in upper case":   {"EXAMPLE.com", base64Of(right), ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got := call(t, api, "SetCdnDomainCSRCertificate", params{"DomainName": test.domain, "ServerCertificate": test.sent})
			assert.Equal(t, test.want, got.Code, got.Message)
			assert.Equal(t, test.want == "", got.Message == "")
		})
	}
}

// withX25519 returns a certificate whose key can't sign. Its signature is void.
func withX25519(t *testing.T, ca *authority) string {
	t.Helper()
	leaf := ca.leaf(t, ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)).Public(), "example.com")
	der := bytes.Replace(leaf.Raw, []byte{6, 3, 0x2b, 101, 112}, []byte{6, 3, 0x2b, 101, 110}, 1) // RFC 8410 section 3
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

func TestSetCSRCertificate_AcceptsPlainPEM(t *testing.T) {
	ca := newAuthority(t)
	api := withDomains()
	api.PlainServerCertificate = true
	text := ca.answerCSR(t, api, "example.com")
	for sent, want := range map[string]string{text: "", base64Of(text): "Certificate.FormatError"} {
		got := call(t, api, "SetCdnDomainCSRCertificate", params{"DomainName": "example.com", "ServerCertificate": sent})
		assert.Equal(t, want, got.Code)
	}
}
