package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"math/big"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/cdn"
	"github.com/cdncsr/cdncsr/cdn/cdntest"
	"github.com/cdncsr/cdncsr/csr"
	"github.com/cdncsr/cdncsr/signer"
)

// certify returns a certificate in PEM for a public key and example.com.
func certify(t *testing.T, pub crypto.PublicKey, key crypto.Signer) string {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{"example.com"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, pub, key)
	require.NoError(t, err)
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := csr.P256.NewKey(t.Context())
	require.NoError(t, err)
	return key.(*ecdsa.PrivateKey)
}

// Darabonba signs by ACS3 and puts every parameter into the URL. This library
// sends the same parameters by the same signature.
func TestOracle_DarabonbaInstallsTheCertificateOfACSR(t *testing.T) {
	srv, call := newDarabonba(t, creds)
	srv.API.AddDomain("example.com")
	var seen []cdntest.Request
	srv.API.OnRequest = func(r cdntest.Request) {
		r.RequestId = ""
		seen = append(seen, r)
	}
	made, err := call(actionName, map[string]string{"CommonName": "example.com"})
	require.NoError(t, err)
	resp := csr.Response{Csr: made["Csr"].(string)}
	parsed, err := resp.CertificateRequest()
	require.NoError(t, err)
	encoded := base64.StdEncoding.EncodeToString([]byte(certify(t, parsed.PublicKey, newKey(t))))
	ours := srv.NewClient(t, &cdn.Options{Signer: signer.ACS3{}})

	seen = nil
	_, err = call(setAction, map[string]string{"DomainName": "example.com", "ServerCertificate": encoded})
	require.NoError(t, err)
	require.NotNil(t, srv.API.Certificate("example.com"))
	_, err = ours.SetCdnDomainCSRCertificate(t.Context(), &cdn.SetCdnDomainCSRCertificateRequest{
		DomainName: "example.com", ServerCertificate: encoded,
	})
	require.NoError(t, err)
	info, err := call("DescribeDomainCertificateInfo", map[string]string{"DomainName": "example.com"})
	require.NoError(t, err)
	assert.Contains(t, info, "CertInfos")
	_, err = ours.DescribeDomainCertificateInfo(t.Context(), &cdn.DescribeDomainCertificateInfoRequest{DomainName: "example.com"})
	require.NoError(t, err)

	require.Len(t, seen, 4)
	assert.Equal(t, seen[0], seen[1])
	assert.Equal(t, seen[2], seen[3])
	assert.Equal(t, "ACS3", seen[0].Signature)
}

// The fake refuses a private key in the URL and reports it. This library does
// not send one.
func TestOracle_DarabonbaPutsThePrivateKeyIntoTheURL(t *testing.T) {
	srv, call := newDarabonba(t, creds)
	srv.API.AddDomain("example.com")
	var seen []cdntest.Request
	srv.API.OnRequest = func(r cdntest.Request) { seen = append(seen, r) }
	key, private := newPrivateKey(t)
	req := &cdn.SetCdnDomainSSLCertificateRequest{
		DomainName: "example.com", SSLProtocol: "on", SSLPub: certify(t, key.Public(), key),
		SSLPri: private,
	}

	_, err := call("SetCdnDomainSSLCertificate", map[string]string{
		"DomainName": req.DomainName, "SSLProtocol": req.SSLProtocol, "SSLPub": req.SSLPub, "SSLPri": string(req.SSLPri),
	})
	require.Error(t, err)
	require.NotEmpty(t, seen)
	for _, r := range seen {
		assert.True(t, r.SecretInURL)
		assert.Equal(t, "InvalidSSLPri", r.Code)
		assert.NotContains(t, r.Params["SSLPri"], "PRIVATE KEY")
	}
	assert.Nil(t, srv.API.Certificate("example.com"))

	seen = nil
	_, err = srv.NewClient(t, &cdn.Options{Signer: signer.ACS3{}}).SetCdnDomainSSLCertificate(t.Context(), req)
	require.Error(t, err)
	assert.Empty(t, seen, "nothing is sent")
	_, err = srv.NewClient(t, nil).SetCdnDomainSSLCertificate(t.Context(), req)
	require.NoError(t, err)
	require.Len(t, seen, 1)
	assert.False(t, seen[0].SecretInURL)
	require.NotNil(t, srv.API.Certificate("example.com"))
}
