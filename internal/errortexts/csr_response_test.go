package errortexts

import (
	"encoding/pem"
	"encoding/xml"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/csr"
)

// responseTexts are the errors of reading a response.
func responseTexts(*testing.T) []provocation {
	read := func(text string) func(*testing.T) error {
		return func(*testing.T) error { return errorOf((&csr.Response{Csr: text}).CertificateRequest()) }
	}
	return []provocation{
		{"no response", func(*testing.T) error { return errorOf((*csr.Response)(nil).CertificateRequest()) }},
		{"no PEM", read("example.com")},
		{"another PEM label", read("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")},
		{"no CSR in the PEM", read("-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n")},
		{"a CSR that was changed", func(t *testing.T) error {
			resp, err := csr.New(&csr.Request{CommonName: "example.com"}, newKey(t))
			require.NoError(t, err)
			block, _ := pem.Decode([]byte(resp.Csr))
			require.NotNil(t, block)
			block.Bytes[len(block.Bytes)-1] ^= 1
			resp.Csr = string(pem.EncodeToMemory(block))
			return errorOf(resp.CertificateRequest())
		}},
		{"XML of another root", func(*testing.T) error { return xml.Unmarshal([]byte("<Error/>"), new(csr.Response)) }},
		{"XML that is cut off", func(*testing.T) error {
			return xml.Unmarshal([]byte("<CreateCdnCertificateSigningRequestResponse><Csr>"), new(csr.Response))
		}},
	}
}
