package main

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jarcoal/httpmock"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/cdn"
	"github.com/cdncsr/cdncsr/cdn/cdntest"
	"github.com/cdncsr/cdncsr/csr"
	"github.com/cdncsr/cdncsr/signer"
)

func TestRequest(t *testing.T) {
	srv := cdntest.NewServer(t)
	srv.API.Inject(cdntest.Fault{Status: 503, Code: "ServiceUnavailable"}) // the client retries
	resp, err := request(t.Context(), srv.NewClient(t, nil), "example.com")
	require.NoError(t, err)
	parsed, err := resp.CertificateRequest() // checks the CSR's signature
	require.NoError(t, err)
	assert.Equal(t, []string{"example.com", "www.example.com"}, parsed.DNSNames)
}

func TestRequest_MockedHTTP(t *testing.T) {
	mock := httpmock.NewMockTransport()
	mock.RegisterResponder("POST", "https://cdn.aliyuncs.com/", httpmock.NewStringResponder(200,
		`{"RequestId": "1", "CommonName": "example.com", "Csr": "any CSR", "PubMd5": "its MD5"}`))
	creds := signer.Credentials{AccessKeyID: "testid", AccessKeySecret: "testsecret"}
	client, err := cdn.NewClient(cdn.StaticCredentials(creds), &cdn.Options{HTTPClient: &http.Client{Transport: mock}})
	require.NoError(t, err)
	resp, err := request(t.Context(), client, "example.com")
	require.NoError(t, err)
	assert.Equal(t, "any CSR", resp.Csr)
	assert.Equal(t, 1, mock.GetTotalCallCount())
}

func TestNewCreator(t *testing.T) {
	t.Chdir(t.TempDir())
	srv := cdntest.NewServer(t)
	t.Setenv("ALIBABA_CLOUD_ACCESS_KEY_ID", "testid")
	t.Setenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "testsecret")
	t.Setenv("ALIBABA_CLOUD_SECURITY_TOKEN", "")
	t.Setenv("CDN_ENDPOINT", srv.URL)

	resp := mustRequest(t, "remote")
	assert.Equal(t, csr.OriginCDN, resp.Origin)
	resp = mustRequest(t, "fallback")
	assert.Equal(t, csr.OriginCDN, resp.Origin)
	assert.NoDirExists(t, "keys")

	srv.API.Inject(cdntest.Fault{Code: "Throttling", Header: http.Header{"Retry-After": {"60"}}})
	resp = mustRequest(t, "fallback")
	assert.Equal(t, csr.OriginLocal, resp.Origin)
	assert.FileExists(t, filepath.Join("keys", resp.PubMd5+".pem"))

	require.NoError(t, os.Unsetenv("ALIBABA_CLOUD_ACCESS_KEY_ID"))
	resp = mustRequest(t, "")
	assert.Equal(t, csr.OriginLocal, resp.Origin)
	assert.FileExists(t, filepath.Join("keys", resp.PubMd5+".pem"))

	t.Setenv("CDN_ENDPOINT", "http://192.0.2.1")
	_, err := newCreator("remote")
	require.ErrorContains(t, err, "http://192.0.2.1")
	t.Setenv("CDN_ENDPOINT", "")
	_, err = newCreator("Remote")
	require.ErrorContains(t, err, `"Remote": want local, remote or fallback`)
}

func mustRequest(t *testing.T, mode string) *csr.Response {
	t.Helper()
	creator, err := newCreator(mode)
	require.NoError(t, err)
	resp, err := request(t.Context(), creator, "example.com")
	require.NoError(t, err)
	return resp
}

func TestRequest_HasADeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		_, err := request(t.Context(), silentCreator{}, "example.com")
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Equal(t, 20*time.Second, time.Since(start))
	})
}

// silentCreator never answers.
type silentCreator struct{}

func (silentCreator) CreateCdnCertificateSigningRequest(ctx context.Context, _ *csr.Request) (*csr.Response, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}
