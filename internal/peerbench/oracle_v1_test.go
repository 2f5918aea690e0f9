package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"
	sdkcdn "github.com/aliyun/alibaba-cloud-sdk-go/services/cdn"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/cdn"
	"github.com/cdncsr/cdncsr/cdn/cdntest"
	"github.com/cdncsr/cdncsr/csr"
	"github.com/cdncsr/cdncsr/signer"
)

// A pair is the SDK's client and this library's, beside each other on one fake.
type pair struct {
	api    *cdntest.API
	theirs *sdkcdn.Client
	domain string // the SDK's word for the endpoint
	ours   *cdn.Client
	sent   []url.Values    // the parameters of each operation, in turn, in the URL or the body
	last   cdntest.Request // the last of them, as the fake got it
}

func newPair(t *testing.T) *pair {
	t.Helper()
	p := &pair{api: &cdntest.API{Credentials: []signer.Credentials{creds}, Source: csr.P256}}
	p.api.OnRequest = func(r cdntest.Request) {
		delete(r.Params, "RegionId") // the SDK sends these two with every call
		delete(r.Params, "SignatureType")
		p.last = r
	}
	p.api.AddDomain("example.com")
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { p.serve(t, w, r) }))
	t.Cleanup(srv.Close)
	p.domain = strings.TrimPrefix(srv.URL, "http://")
	var err error
	p.theirs, err = newSDKClient()
	require.NoError(t, err)
	p.ours, err = cdn.NewClient(cdn.StaticCredentials(creds), &cdn.Options{Endpoint: srv.URL, MaxAttempts: 1})
	require.NoError(t, err)
	t.Cleanup(p.ours.CloseIdleConnections)
	return p
}

// serve answers, and keeps the operation's own parameters, of which the fake
// shows no secret ones.
func (p *pair) serve(t *testing.T, w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	assert.NoError(t, err)
	r.Body = io.NopCloser(bytes.NewReader(body))
	again := r.Clone(r.Context())
	again.Body = io.NopCloser(bytes.NewReader(body))
	assert.NoError(t, again.ParseForm())
	p.api.ServeHTTP(w, r)
	own := url.Values{}
	for name := range p.last.Params {
		own[name] = again.Form[name]
	}
	p.sent = append(p.sent, own)
}

// assertAlike fails unless the last two calls sent the same parameters.
func (p *pair) assertAlike(t *testing.T) {
	t.Helper()
	require.GreaterOrEqual(t, len(p.sent), 2)
	last := p.sent[len(p.sent)-2:]
	assert.NotEmpty(t, last[0])
	assert.Equal(t, last[0], last[1], "the SDK's parameters and ours")
}

// newPrivateKey returns a key, and the same in PEM.
func newPrivateKey(t *testing.T) (*ecdsa.PrivateKey, cdn.Secret) {
	t.Helper()
	key := newKey(t)
	der, err := x509.MarshalECPrivateKey(key)
	require.NoError(t, err)
	return key, cdn.Secret(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der}))
}

func TestOracle_V1SetCdnDomainCSRCertificate(t *testing.T) {
	p := newPair(t)
	resp, err := p.ours.CreateCdnCertificateSigningRequest(t.Context(), &csr.Request{CommonName: "example.com"})
	require.NoError(t, err)
	parsed, err := resp.CertificateRequest()
	require.NoError(t, err)
	encoded := base64.StdEncoding.EncodeToString([]byte(certify(t, parsed.PublicKey, newKey(t))))

	request := sdkcdn.CreateSetCdnDomainCSRCertificateRequest()
	request.Domain, request.DomainName, request.ServerCertificate = p.domain, "example.com", encoded
	theirs, err := p.theirs.SetCdnDomainCSRCertificate(request)
	require.NoError(t, err)
	assert.NotEmpty(t, theirs.RequestId)
	_, err = p.ours.SetCdnDomainCSRCertificate(t.Context(), &cdn.SetCdnDomainCSRCertificateRequest{
		DomainName: "example.com", ServerCertificate: encoded,
	})
	require.NoError(t, err)
	p.assertAlike(t)
	require.NotNil(t, p.api.Certificate("example.com"))
}

// The SDK puts every parameter into the URL, the private key too. The fake
// reports that, and takes it in the body.
func TestOracle_V1SetCdnDomainSSLCertificate(t *testing.T) {
	p := newPair(t)
	key, private := newPrivateKey(t)
	req := &cdn.SetCdnDomainSSLCertificateRequest{
		DomainName: "example.com", SSLProtocol: "on", CertType: "upload", CertName: "a-name_1.0",
		SSLPub: certify(t, key.Public(), key), SSLPri: private,
	}
	request := sdkcdn.CreateSetCdnDomainSSLCertificateRequest()
	request.Domain, request.DomainName, request.SSLProtocol = p.domain, req.DomainName, req.SSLProtocol
	request.CertType, request.CertName, request.SSLPub, request.SSLPri = req.CertType, req.CertName, req.SSLPub, string(private)
	_, err := p.theirs.SetCdnDomainSSLCertificate(request)
	require.ErrorContains(t, err, "InvalidSSLPri")
	assert.True(t, p.last.SecretInURL)
	assert.Nil(t, p.api.Certificate("example.com"))

	request = sdkcdn.CreateSetCdnDomainSSLCertificateRequest()
	request.Domain, request.DomainName, request.SSLProtocol = p.domain, req.DomainName, req.SSLProtocol
	request.CertType, request.CertName, request.SSLPub = req.CertType, req.CertName, req.SSLPub
	request.FormParams["SSLPri"] = string(private)
	_, err = p.theirs.SetCdnDomainSSLCertificate(request)
	require.NoError(t, err)
	assert.False(t, p.last.SecretInURL)
	require.NotNil(t, p.api.Certificate("example.com"))

	// The same name with the same content is stored already.
	_, err = p.ours.SetCdnDomainSSLCertificate(t.Context(), req)
	var failed *cdn.Error
	require.True(t, errors.As(err, &failed), "%v", err)
	assert.Equal(t, "Certificate.Duplicated", failed.Code)
	assert.False(t, p.last.SecretInURL)
	p.assertAlike(t)
	assert.Equal(t, 1, p.api.Stored())
}

func TestOracle_V1SetCdnDomainSSLCertificateOfAStoredOne(t *testing.T) {
	p := newPair(t)
	key, private := newPrivateKey(t)
	_, err := p.ours.SetCdnDomainSSLCertificate(t.Context(), &cdn.SetCdnDomainSSLCertificateRequest{
		DomainName: "example.com", SSLProtocol: "on", CertName: "stored", SSLPub: certify(t, key.Public(), key), SSLPri: private,
	})
	require.NoError(t, err)
	info, err := p.ours.DescribeDomainCertificateInfo(t.Context(), &cdn.DescribeDomainCertificateInfoRequest{DomainName: "example.com"})
	require.NoError(t, err)
	require.Len(t, info.CertInfos.CertInfo, 1)
	id, err := strconv.ParseInt(info.CertInfos.CertInfo[0].CertId, 10, 64)
	require.NoError(t, err)

	request := sdkcdn.CreateSetCdnDomainSSLCertificateRequest()
	request.Domain, request.DomainName, request.SSLProtocol = p.domain, "example.com", "on"
	request.CertType, request.CertId, request.CertRegion = "cas", requests.NewInteger64(id), "cn-hangzhou"
	_, err = p.theirs.SetCdnDomainSSLCertificate(request)
	require.NoError(t, err)
	_, err = p.ours.SetCdnDomainSSLCertificate(t.Context(), &cdn.SetCdnDomainSSLCertificateRequest{
		DomainName: "example.com", SSLProtocol: "on", CertType: "cas", CertId: id, CertRegion: "cn-hangzhou",
	})
	require.NoError(t, err)
	p.assertAlike(t)
	assert.Equal(t, 1, p.api.Stored())

	off := sdkcdn.CreateSetCdnDomainSSLCertificateRequest()
	off.Domain, off.DomainName, off.SSLProtocol = p.domain, "example.com", "off"
	_, err = p.theirs.SetCdnDomainSSLCertificate(off)
	require.NoError(t, err)
	_, err = p.ours.SetCdnDomainSSLCertificate(t.Context(), &cdn.SetCdnDomainSSLCertificateRequest{DomainName: "example.com", SSLProtocol: "off"})
	require.NoError(t, err)
	p.assertAlike(t)
	assert.Nil(t, p.api.Certificate("example.com"))
}

// Both read the same from the answer, with a certificate and with HTTPS off.
func TestOracle_V1DescribeDomainCertificateInfo(t *testing.T) {
	p := newPair(t)
	key, private := newPrivateKey(t)
	for _, protocol := range []string{"on", "off"} {
		req := &cdn.SetCdnDomainSSLCertificateRequest{DomainName: "example.com", SSLProtocol: protocol}
		if protocol == "on" {
			req.SSLPub, req.SSLPri = certify(t, key.Public(), key), private
		}
		_, err := p.ours.SetCdnDomainSSLCertificate(t.Context(), req)
		require.NoError(t, err)

		request := sdkcdn.CreateDescribeDomainCertificateInfoRequest()
		request.Domain, request.DomainName = p.domain, "example.com"
		theirs, err := p.theirs.DescribeDomainCertificateInfo(request)
		require.NoError(t, err)
		ours, err := p.ours.DescribeDomainCertificateInfo(t.Context(), &cdn.DescribeDomainCertificateInfoRequest{DomainName: "example.com"})
		require.NoError(t, err)
		p.assertAlike(t)

		var converted []cdn.CertInfo
		for _, info := range theirs.CertInfos.CertInfo {
			converted = append(converted, certInfoOfSDK(info))
		}
		require.NotEmpty(t, converted)
		assert.Equal(t, converted, ours.CertInfos.CertInfo, protocol)
		assert.Equal(t, protocol, converted[0].ServerCertificateStatus)
	}
}

func certInfoOfSDK(c sdkcdn.CertInfo) cdn.CertInfo {
	return cdn.CertInfo{
		DomainName: c.DomainName, ServerCertificateStatus: c.ServerCertificateStatus, Status: c.Status,
		ServerCertificate: c.ServerCertificate, CertId: c.CertId, CertName: c.CertName, CertType: c.CertType,
		CertRegion: c.CertRegion, CertDomainName: c.CertDomainName, CertOrg: c.CertOrg, CertStartTime: c.CertStartTime,
		CertExpireTime: c.CertExpireTime, CertUpdateTime: c.CertUpdateTime, CertLife: c.CertLife, DomainCnameStatus: c.DomainCnameStatus,
	}
}
