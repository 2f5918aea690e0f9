package cdn_test

import (
	"encoding/json"
	"encoding/xml"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/cdn"
	"github.com/cdncsr/cdncsr/cdn/cdntest"
	"github.com/cdncsr/cdncsr/csr"
	"github.com/cdncsr/cdncsr/signer"
)

var full = csr.Request{
	CommonName: "example.com", SANs: []string{"www.example.com", "*.example.com"},
	Organization: "Example & Söhne", OrganizationUnit: "CDN + DNS", Country: "DE", State: "Bayern", City: "München", Email: "a@example.com",
}

func TestClient_EverySignerAndFormat(t *testing.T) {
	for name, s := range map[string]signer.Signer{
		"RPC": signer.RPC{}, "RPC GET": signer.RPC{Method: http.MethodGet}, "ACS3": signer.ACS3{}, "default": nil,
	} {
		for _, format := range []string{"", "JSON", "XML"} {
			t.Run(name+" "+format, func(t *testing.T) {
				srv := cdntest.NewServer(t)
				srv.API.Source = csr.P256
				var seen []cdntest.Request
				srv.API.OnRequest = func(c cdntest.Request) { seen = append(seen, c) }
				client := srv.NewClient(t, &cdn.Options{Signer: s, Format: format})
				resp, err := client.CreateCdnCertificateSigningRequest(t.Context(), &full)
				require.NoError(t, err)
				assert.Equal(t, csr.OriginCDN, resp.Origin)
				assert.Equal(t, "example.com", resp.CommonName)
				parsed, err := resp.CertificateRequest()
				require.NoError(t, err)
				assert.Equal(t, []string{"example.com", "www.example.com", "*.example.com"}, parsed.DNSNames)
				assert.Equal(t, []string{"Example & Söhne"}, parsed.Subject.Organization)
				key, err := srv.API.Keys.Get(t.Context(), resp.PubMd5)
				require.NoError(t, err)
				assert.Equal(t, key.Public(), parsed.PublicKey)
				require.Len(t, seen, 1)
				assert.Equal(t, resp.RequestId, seen[0].RequestId)
			})
		}
	}
}

func TestClient_AnswersHaveTheFormOfThoseOfThisMachine(t *testing.T) {
	srv := cdntest.NewServer(t)
	srv.API.Source = csr.P256
	local := localCreator()
	for format, marshal := range map[string]func(any) ([]byte, error){"JSON": json.Marshal, "XML": xml.Marshal} {
		client := srv.NewClient(t, &cdn.Options{Format: format})
		var forms []string
		for _, creator := range []cdn.CSRCreator{client, local} {
			resp, err := creator.CreateCdnCertificateSigningRequest(t.Context(), &full)
			require.NoError(t, err)
			encoded, err := marshal(resp)
			require.NoError(t, err)
			lines := strings.ReplaceAll(resp.Csr, "\n", `\n`) // as JSON writes it
			forms = append(forms, strings.NewReplacer(
				resp.Csr, "CSR", lines, "CSR", resp.PubMd5, "MD5", resp.RequestId, "ID").Replace(string(encoded)))
		}
		assert.Equal(t, forms[0], forms[1])
		assert.Contains(t, forms[0], "CSR")
		assert.NotContains(t, forms[0], "BEGIN")
	}
}
