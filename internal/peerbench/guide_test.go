package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth/credentials"
	sdkerrors "github.com/aliyun/alibaba-cloud-sdk-go/sdk/errors"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/responses"
	sdkcdn "github.com/aliyun/alibaba-cloud-sdk-go/services/cdn"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/cdn"
	"github.com/cdncsr/cdncsr/cdn/aliyunsdk"
	"github.com/cdncsr/cdncsr/cdn/cdntest"
	"github.com/cdncsr/cdncsr/csr"
)

// The code of docs/coming-over.md, with the SDK and with this library, which
// the tests below run.

func sdkClient() (*sdkcdn.Client, error) {
	provider := credentials.NewDefaultCredentialsProvider()
	return sdkcdn.NewClientWithOptions("cn-hangzhou", sdk.NewConfig(), provider)
}

func libraryClient() (*cdn.Client, error) {
	return cdn.NewClient(aliyunsdk.DefaultCredentials(), nil)
}

func sdkCall(client *sdkcdn.Client, domain string) (pem string, err error) {
	request := sdkcdn.CreateCreateCdnCertificateSigningRequestRequest()
	request.CommonName = domain
	request.SANs = "www." + domain + ",*." + domain
	request.Organization = "Example Ltd"
	response, err := client.CreateCdnCertificateSigningRequest(request)
	if err != nil {
		return "", err
	}
	return response.Csr, nil
}

func libraryCall(ctx context.Context, client cdn.CSRCreator, domain string) (pem string, err error) {
	response, err := client.CreateCdnCertificateSigningRequest(ctx, &csr.Request{
		CommonName:   domain,
		SANs:         []string{"www." + domain, "*." + domain},
		Organization: "Example Ltd",
	})
	if err != nil {
		return "", err
	}
	return response.Csr, nil
}

func sdkFailure(err error) string {
	var refused *sdkerrors.ServerError
	switch {
	case errors.As(err, &refused) && strings.HasPrefix(refused.ErrorCode(), "Throttling"):
		return "later"
	case errors.As(err, &refused) && refused.HttpStatus() >= 500:
		return "elsewhere"
	case errors.As(err, &refused):
		return fmt.Sprintf("%s, request %s", refused.ErrorCode(), refused.RequestId())
	}
	return "elsewhere" // no answer; don't log the error, which contains the signed URL
}

func libraryFailure(err error) string {
	var failed *cdn.Error
	switch {
	case errors.Is(err, cdn.ErrThrottled):
		return "later" // after four attempts
	case errors.Is(err, cdn.ErrUnavailable):
		return "elsewhere" // after four attempts; a cdn.Fallback does this by itself
	case errors.As(err, &failed):
		return fmt.Sprintf("%s, request %s", failed.Code, failed.RequestId)
	}
	return err.Error() // csr.FieldErrors, or the context's error
}

func sdkInstall(client *sdkcdn.Client, domain, chain, key string) error {
	if key == "" { // the program remembers that the CDN made the CSR
		request := sdkcdn.CreateSetCdnDomainCSRCertificateRequest()
		request.DomainName = domain
		request.ServerCertificate = base64.StdEncoding.EncodeToString([]byte(chain))
		_, err := client.SetCdnDomainCSRCertificate(request)
		return err
	}
	request := sdkcdn.CreateSetCdnDomainSSLCertificateRequest()
	request.DomainName, request.SSLProtocol, request.CertType = domain, "on", "upload"
	request.SSLPub = chain
	request.FormParams["SSLPri"] = key // the field SSLPri puts the key into the URL
	_, err := client.SetCdnDomainSSLCertificate(request)
	return err
}

func sdkInForce(client *sdkcdn.Client, domain, chain string) (bool, error) {
	request := sdkcdn.CreateDescribeDomainCertificateInfoRequest()
	request.DomainName = domain
	response, err := client.DescribeDomainCertificateInfo(request)
	if err != nil {
		return false, err
	}
	for _, info := range response.CertInfos.CertInfo {
		if info.Status == "success" && strings.TrimSpace(info.ServerCertificate) == strings.TrimSpace(chain) {
			return true, nil
		}
	}
	return false, nil
}

func libraryInstall(ctx context.Context, client *cdn.Client, keys csr.KeyStore, domain string, chain []byte) error {
	installer := &cdn.Installer{Client: client, Keys: keys}
	if _, err := installer.Install(ctx, domain, chain); err != nil {
		return err
	}
	return installer.Wait(ctx, domain, chain)
}

func requestOfSDK(r *sdkcdn.CreateCdnCertificateSigningRequestRequest) *csr.Request {
	req := &csr.Request{
		CommonName:   r.CommonName,
		Organization: r.Organization, OrganizationUnit: r.OrganizationUnit,
		Country: r.Country, State: r.State, City: r.City, Email: r.Email,
	}
	if r.SANs != "" {
		req.SANs = strings.Split(r.SANs, ",")
	}
	return req
}

func responseForSDK(r *csr.Response) *sdkcdn.CreateCdnCertificateSigningRequestResponse {
	return &sdkcdn.CreateCdnCertificateSigningRequestResponse{
		BaseResponse: &responses.BaseResponse{},
		RequestId:    r.RequestId, CommonName: r.CommonName, Csr: r.Csr, PubMd5: r.PubMd5,
	}
}

func TestGuide_BothCallsAskForTheSame(t *testing.T) {
	t.Setenv("ALIBABA_CLOUD_ACCESS_KEY_ID", accessKeyID)
	t.Setenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET", accessSecret)
	srv := newFake(t)
	var seen []cdntest.Request
	srv.API.OnRequest = func(r cdntest.Request) {
		r.RequestId = ""
		delete(r.Params, "RegionId") // the SDK sends these two with every call
		delete(r.Params, "SignatureType")
		seen = append(seen, r)
	}

	theirs, err := sdkClient()
	require.NoError(t, err)
	theirs.Domain = strings.TrimPrefix(srv.URL, "http://")
	_, err = libraryClient()
	require.NoError(t, err)
	ours, err := cdn.NewClient(aliyunsdk.DefaultCredentials(), &cdn.Options{Endpoint: srv.URL})
	require.NoError(t, err)
	t.Cleanup(ours.CloseIdleConnections)

	for _, call := range []func() (string, error){
		func() (string, error) { return sdkCall(theirs, "example.com") },
		func() (string, error) { return libraryCall(t.Context(), ours, "example.com") },
	} {
		pem, err := call()
		require.NoError(t, err)
		parsed, err := (&csr.Response{Csr: pem}).CertificateRequest()
		require.NoError(t, err)
		assert.Equal(t, []string{"example.com", "www.example.com", "*.example.com"}, parsed.DNSNames)
		assert.Equal(t, []string{"Example Ltd"}, parsed.Subject.Organization)
	}
	require.Len(t, seen, 2)
	assert.Equal(t, seen[0], seen[1])
}

func TestGuide_BothInstall(t *testing.T) {
	p := newPair(t)
	p.theirs.Domain = p.domain
	keys := new(csr.MemStore)
	for name, creator := range map[string]cdn.CSRCreator{"CDN": p.ours, "local": &csr.Generator{Keys: keys, Source: csr.P256}} {
		resp, err := creator.CreateCdnCertificateSigningRequest(t.Context(), &csr.Request{CommonName: "example.com"})
		require.NoError(t, err, name)
		parsed, err := resp.CertificateRequest()
		require.NoError(t, err)
		chain := certify(t, parsed.PublicKey, newKey(t))
		key := ""
		if local, getErr := keys.Get(t.Context(), resp.PubMd5); getErr == nil {
			der, marshalErr := x509.MarshalECPrivateKey(local.(*ecdsa.PrivateKey))
			require.NoError(t, marshalErr)
			key = string(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der}))
		}
		require.NoError(t, sdkInstall(p.theirs, "example.com", chain, key), name)
		inForce, err := sdkInForce(p.theirs, "example.com", chain)
		require.NoError(t, err)
		require.True(t, inForce, name)
		require.NoError(t, libraryInstall(t.Context(), p.ours, keys, "example.com", []byte(chain)), name)
	}
	assert.Equal(t, 1, p.api.Stored())
}

func TestGuide_BothTellFailuresApart(t *testing.T) {
	for code, want := range map[string]string{"Throttling.User": "later", "ServiceUnavailable": "elsewhere", "Forbidden.RAM": "Forbidden.RAM, request "} {
		srv := newFake(t)
		status := map[string]int{"Throttling.User": 429, "ServiceUnavailable": 503, "Forbidden.RAM": 403}[code]
		for range 2 {
			srv.API.Inject(cdntest.Fault{Code: code, Status: status})
		}
		theirs, err := newSDKClient()
		require.NoError(t, err)
		theirs.Domain = strings.TrimPrefix(srv.URL, "http://")
		_, err = sdkCall(theirs, "example.com")
		assert.Contains(t, sdkFailure(err), want)
		_, err = libraryCall(t.Context(), srv.NewClient(t, &cdn.Options{MaxAttempts: 1}), "example.com")
		assert.Contains(t, libraryFailure(err), want)
	}
}

func TestGuide_Conversions(t *testing.T) {
	request := sdkcdn.CreateCreateCdnCertificateSigningRequestRequest()
	request.CommonName, request.SANs = "example.com", "*.example.com,xn--fiqs8s.example"
	request.Organization, request.OrganizationUnit, request.Email = "Example Ltd", "Unit", "admin@example.com"
	request.Country, request.State, request.City = "CN", "浙江", "杭州"
	want := &csr.Request{
		CommonName: "example.com", SANs: []string{"*.example.com", "xn--fiqs8s.example"},
		Organization: "Example Ltd", OrganizationUnit: "Unit", Email: "admin@example.com", Country: "CN", State: "浙江", City: "杭州",
	}
	assert.Equal(t, want, requestOfSDK(request))
	request.SANs = ""
	assert.Empty(t, requestOfSDK(request).SANs)

	response := responseForSDK(&csr.Response{RequestId: "r", CommonName: "c", Csr: "p", PubMd5: "m"})
	assert.Equal(t, "r c p m", strings.Join([]string{response.RequestId, response.CommonName, response.Csr, response.PubMd5}, " "))
}

// All Go code of the guide is in this file.
func TestGuide_CodeIsWhatIsTested(t *testing.T) {
	page, err := os.ReadFile("../../docs/coming-over.md")
	require.NoError(t, err)
	source, err := os.ReadFile("guide_test.go")
	require.NoError(t, err)
	blocks := regexp.MustCompile("(?s)```go\n(.*?)```").FindAllStringSubmatch(string(page), -1)
	require.Len(t, blocks, 10)
	for _, block := range blocks {
		assert.Contains(t, string(source), block[1])
	}
}
