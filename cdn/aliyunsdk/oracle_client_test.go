package aliyunsdk_test

import (
	"encoding/json"
	"encoding/xml"
	"net/http"
	"strings"
	"testing"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth/credentials"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/cdn/cdntest"
	"github.com/cdncsr/cdncsr/csr"
	"github.com/cdncsr/cdncsr/signer"
)

// An sdkClient is the SDK's client for any operation. That of its package cdn
// adds types, and takes seconds to compile; internal/peerbench has tests of it.
type sdkClient struct{ *sdk.Client }

// newSDKClient returns a client that can send to loopback only.
func newSDKClient(t *testing.T, p credentials.CredentialsProvider) sdkClient {
	t.Helper()
	if p == nil {
		p = credentials.NewDefaultCredentialsProvider()
	}
	transport := &http.Transport{DisableKeepAlives: true, Proxy: loopbackOnly}
	client, err := sdk.NewClientWithOptions("cn-hangzhou", sdk.NewConfig().WithHttpTransport(transport), p)
	require.NoError(t, err)
	return sdkClient{client}
}

// call returns the SDK's answer.
func (c sdkClient) call(request *requests.CommonRequest) (*csr.Response, error) {
	answer, err := c.ProcessCommonRequest(request)
	if err != nil {
		return nil, err
	}
	resp := new(csr.Response)
	if request.AcceptFormat == "XML" {
		return resp, xml.Unmarshal(answer.GetHttpContentBytes(), resp)
	}
	return resp, json.Unmarshal(answer.GetHttpContentBytes(), resp)
}

// newSDKRequest returns a request of the SDK for srv, with values that need
// encoding, and with parameters of such names, which the operation does not
// know.
func newSDKRequest(srv *cdntest.Server) *requests.CommonRequest {
	request := requests.NewCommonRequest()
	request.Product, request.Version, request.ApiName = "Cdn", "2018-05-10", "CreateCdnCertificateSigningRequest"
	request.Domain, request.Scheme = strings.TrimPrefix(srv.URL, "http://"), "http"
	request.QueryParams = map[string]string{
		"CommonName": "bücher.example.com", "SANs": "*.example.com,xn--fiqs8s.example",
		"Organization": "Example & Söhne *~ +/=%", "OrganizationUnit": "100%25 #?",
		"Country": "CN", "State": "浙江", "City": "杭州 🔏", "odd *~+/ name 名": "=&%",
	}
	request.FormParams["~in the body*"] = "é +"
	return request
}

func newServer(t *testing.T, known ...signer.Credentials) *cdntest.Server {
	srv := cdntest.NewServer(t)
	srv.API.Credentials, srv.API.Source = known, csr.P256
	return srv
}

func TestOracle_SDKClientIsAcceptedWithEveryKind(t *testing.T) {
	for _, k := range kinds {
		t.Run(k.name, func(t *testing.T) {
			_, p := k.set(t)
			srv := newServer(t, k.gives)
			resp, err := newSDKClient(t, p).call(newSDKRequest(srv))
			require.NoError(t, err)
			_, err = (&csr.Response{Csr: resp.Csr}).CertificateRequest()
			require.NoError(t, err)
		})
	}
}

func TestOracle_SDKClientIsAcceptedByEveryMethodAndFormat(t *testing.T) {
	srv := newServer(t, longLivedSTS)
	client := newSDKClient(t, stsToken(t, nil))
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		for _, format := range []string{"JSON", "XML"} {
			request := newSDKRequest(srv)
			request.Method, request.AcceptFormat = method, format
			if method == http.MethodGet {
				clear(request.FormParams)
			}
			resp, err := client.call(request)
			require.NoError(t, err, "%s %s", method, format)
			assert.Equal(t, "xn--bcher-kva.example.com", resp.CommonName)
			_, err = srv.API.Keys.Get(t.Context(), resp.PubMd5)
			assert.NoError(t, err)
		}
	}
}

func TestOracle_SDKClientIsRefusedWithAnotherSecretOrToken(t *testing.T) {
	for code, known := range map[string]signer.Credentials{
		"SignatureDoesNotMatch": {AccessKeyID: longLivedSTS.AccessKeyID, AccessKeySecret: "another", SecurityToken: longLivedSTS.SecurityToken},
		"InvalidSecurityToken":  {AccessKeyID: longLivedSTS.AccessKeyID, AccessKeySecret: longLivedSTS.AccessKeySecret, SecurityToken: "another"},
		"InvalidAccessKeyId":    {AccessKeyID: "another"},
	} {
		srv := newServer(t, known)
		_, err := newSDKClient(t, stsToken(t, nil)).call(newSDKRequest(srv))
		require.ErrorContains(t, err, code)
	}
}
