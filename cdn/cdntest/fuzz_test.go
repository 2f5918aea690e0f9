package cdntest_test

import (
	"encoding/json"
	"encoding/xml"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/signer"
)

// FuzzAPI_AnswersEveryRequest sends unsigned bytes: the answer is always an
// error of the API, in JSON or XML.
func FuzzAPI_AnswersEveryRequest(f *testing.F) {
	f.Add("POST", "/", "", "Action=DescribeDomainCertificateInfo&Format=JSON", "application/x-www-form-urlencoded", "")
	f.Add("GET", "/x", "SSLPri=x&SSLPri=y&%zz", "", "", "")
	f.Add("POST", "/", "a=b", "", "", "ACS3-HMAC-SHA256 Credential=testid,SignedHeaders=host;host,Signature=00")
	f.Fuzz(func(t *testing.T, method, path, query, body, contentType, authorization string) {
		req, err := http.NewRequestWithContext(t.Context(), "POST", "http://cdn.aliyuncs.com", strings.NewReader(body))
		require.NoError(t, err)
		req.Method, req.URL.Path, req.URL.RawQuery = method, path, query
		req.Header.Set("Content-Type", contentType)
		req.Header.Set("Authorization", authorization)
		resp, err := newAPI().RoundTrip(req)
		require.NoError(t, err)
		text, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		var got answer
		if strings.Contains(resp.Header.Get("Content-Type"), "json") {
			require.NoError(t, json.Unmarshal(text, &got), string(text))
		} else {
			require.NoError(t, xml.Unmarshal(text, &got), string(text))
		}
		require.NotEmpty(t, got.Code)
	})
}

// FuzzSetSSLCertificate_StoresWhatIsWhole sends any chain and key: what is
// stored is what was sent.
func FuzzSetSSLCertificate_StoresWhatIsWhole(f *testing.F) {
	t := new(testing.T)
	text, key := newAuthority(t).issue(t, "example.com")
	f.Add(text, key)
	f.Add(strings.ReplaceAll(text, "\n", "\r\n"), key)
	f.Add("-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n",
		"-----BEGIN EC PRIVATE KEY-----\n-----END EC PRIVATE KEY-----\n")
	f.Fuzz(func(t *testing.T, text, key string) {
		api := withDomains()
		got := callAs(t, api, signer.RPC{}, signer.Call{Action: "SetCdnDomainSSLCertificate", Params: params{
			"DomainName": "example.com", "SSLProtocol": "on", "SSLPub": text, "SSLPri": key,
		}})
		in := api.Certificate("example.com")
		require.Equal(t, got.Code == "", in != nil)
		if in != nil {
			require.Equal(t, strings.TrimSuffix(text, "\n")+"\n", chain(in.Chain...))
			require.Equal(t, in.Chain[0].PublicKey, in.Key.Public())
		}
	})
}
