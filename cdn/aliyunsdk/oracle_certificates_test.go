package aliyunsdk_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"io"
	"maps"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

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
	p := &pair{api: &cdntest.API{Credentials: []signer.Credentials{longLived}, Source: csr.P256}}
	p.api.OnRequest = func(r cdntest.Request) { p.last = r }
	p.api.AddDomain("example.com")
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.record(t, r)
		p.api.ServeHTTP(w, r)
	}))
	t.Cleanup(srv.Close)
	p.theirs, p.domain = newSDKClient(t, accessKey(t, nil)), strings.TrimPrefix(srv.URL, "http://")
	ours, err := cdn.NewClient(cdn.StaticCredentials(longLived), &cdn.Options{Endpoint: srv.URL, MaxAttempts: 1})
	require.NoError(t, err)
	t.Cleanup(ours.CloseIdleConnections)
	p.ours = ours
	return p
}

// record keeps the operation's own parameters.
func (p *pair) record(t *testing.T, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	assert.NoError(t, err)
	r.Body = io.NopCloser(bytes.NewReader(body))
	again := r.Clone(r.Context())
	again.Body = io.NopCloser(bytes.NewReader(body))
	assert.NoError(t, again.ParseForm())
	own := maps.Clone(again.Form)
	for name := range own {
		if !isOperationsOwn(name) {
			delete(own, name)
		}
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

// certify returns a certificate in PEM for a public key and example.com, signed
// by itself or by another key.
func certify(t *testing.T, pub crypto.PublicKey, key crypto.Signer) string {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), DNSNames: []string{"example.com"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, pub, key)
	require.NoError(t, err)
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

func newLocalKey(t *testing.T) (*ecdsa.PrivateKey, cdn.Secret) {
	t.Helper()
	key, err := csr.P256.NewKey(t.Context())
	require.NoError(t, err)
	private := key.(*ecdsa.PrivateKey)
	der, err := x509.MarshalECPrivateKey(private)
	require.NoError(t, err)
	return private, cdn.Secret(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der}))
}

func TestOracle_SetCdnDomainCSRCertificate(t *testing.T) {
	p := newPair(t)
	resp, err := p.ours.CreateCdnCertificateSigningRequest(t.Context(), &csr.Request{CommonName: "example.com"})
	require.NoError(t, err)
	parsed, err := resp.CertificateRequest()
	require.NoError(t, err)
	ca, _ := newLocalKey(t)
	encoded := base64.StdEncoding.EncodeToString([]byte(certify(t, parsed.PublicKey, ca)))

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
func TestOracle_SetCdnDomainSSLCertificate(t *testing.T) {
	p := newPair(t)
	key, private := newLocalKey(t)
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

func TestOracle_SetCdnDomainSSLCertificateOfAStoredOne(t *testing.T) {
	p := newPair(t)
	key, private := newLocalKey(t)
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
func TestOracle_DescribeDomainCertificateInfo(t *testing.T) {
	p := newPair(t)
	key, private := newLocalKey(t)
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
