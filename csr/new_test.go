package csr

import (
	"crypto/x509"
	"encoding/json"
	"encoding/xml"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var keyTypes = []KeyType{RSA2048, RSA3072, RSA4096, P256, P384, Ed25519}

func TestNew_EveryKeyType(t *testing.T) {
	want := map[KeyType]x509.SignatureAlgorithm{
		RSA2048: x509.SHA256WithRSA, RSA3072: x509.SHA384WithRSA, RSA4096: x509.SHA384WithRSA,
		P256: x509.ECDSAWithSHA256, P384: x509.ECDSAWithSHA384, Ed25519: x509.PureEd25519,
	}
	for _, keyType := range keyTypes {
		t.Run(keyType.String(), func(t *testing.T) {
			key, err := keyType.NewKey(t.Context())
			require.NoError(t, err)
			resp, err := New(&Request{CommonName: "Example.com", SANs: []string{"www.example.com"}}, key)
			require.NoError(t, err)
			parsed, err := resp.CertificateRequest()
			require.NoError(t, err)
			assert.Equal(t, want[keyType], parsed.SignatureAlgorithm)
			assert.Equal(t, []string{"example.com", "www.example.com"}, parsed.DNSNames)
			assert.Equal(t, "example.com", resp.CommonName)
			assert.Equal(t, OriginLocal, resp.Origin)
			md5, err := PubMD5(parsed.PublicKey)
			require.NoError(t, err)
			assert.Equal(t, md5, resp.PubMd5)
		})
	}
}

func TestResponse_WireForms(t *testing.T) {
	resp := Response{RequestId: "ID", CommonName: "example.com", Csr: "-----BEGIN\n&<\n", PubMd5: "629b", Origin: OriginCDN}

	asJSON, err := json.Marshal(resp)
	require.NoError(t, err)
	assert.Equal(t, `{"RequestId":"ID","CommonName":"example.com","Csr":"-----BEGIN\n\u0026\u003c\n","PubMd5":"629b"}`, string(asJSON))

	asXML, err := xml.MarshalIndent(&resp, "", "  ")
	require.NoError(t, err)
	assert.Equal(t, `<CreateCdnCertificateSigningRequestResponse>
  <RequestId>ID</RequestId>
  <CommonName>example.com</CommonName>
  <Csr>-----BEGIN
&amp;&lt;
</Csr>
  <PubMd5>629b</PubMd5>
</CreateCdnCertificateSigningRequestResponse>`, string(asXML))

	resp.Origin = OriginUnknown
	for name, read := range map[string]func(*Response) error{
		"JSON": func(r *Response) error { return json.Unmarshal(asJSON, r) },
		"XML":  func(r *Response) error { return xml.Unmarshal(asXML, r) },
	} {
		var got Response
		require.NoError(t, read(&got), name)
		assert.Equal(t, resp, got, name)
	}
}
