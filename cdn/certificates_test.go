package cdn_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"math/big"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/cdn"
	"github.com/cdncsr/cdncsr/csr"
)

// issue returns a certificate in PEM for a public key and its names, by a CA
// that nothing else knows.
func issue(t *testing.T, public any, names ...string) string {
	t.Helper()
	ca, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	parent := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Test CA"}}
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(2), DNSNames: names,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, leaf, parent, public, ca)
	require.NoError(t, err)
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

// TestOperations_AgainstTheFake goes both ways to HTTPS, in both formats.
func TestOperations_AgainstTheFake(t *testing.T) {
	for _, format := range []string{"JSON", "XML"} {
		t.Run(format, func(t *testing.T) {
			f := newFixture(t, &cdn.Options{Format: format, Limiter: unlimited{}})
			f.api.AddDomain("example.com")
			ctx, client := t.Context(), f.client
			state := func() cdn.CertInfo {
				got, err := client.DescribeDomainCertificateInfo(ctx, &cdn.DescribeDomainCertificateInfoRequest{DomainName: "example.com"})
				require.NoError(t, err)
				require.Len(t, got.CertInfos.CertInfo, 1)
				return got.CertInfos.CertInfo[0]
			}
			require.Equal(t, "off", state().ServerCertificateStatus)

			made, err := client.CreateCdnCertificateSigningRequest(ctx, &csr.Request{CommonName: "example.com"})
			require.NoError(t, err)
			parsed, err := made.CertificateRequest()
			require.NoError(t, err)
			ofCDN := issue(t, parsed.PublicKey, "example.com")
			_, err = client.SetCdnDomainCSRCertificate(ctx, &cdn.SetCdnDomainCSRCertificateRequest{
				DomainName: "example.com", ServerCertificate: base64.StdEncoding.EncodeToString([]byte(ofCDN)),
			})
			require.NoError(t, err)
			require.Equal(t, "on", state().ServerCertificateStatus)
			require.Equal(t, ofCDN, state().ServerCertificate)

			key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
			require.NoError(t, err)
			ours := issue(t, key.Public(), "example.com")
			_, err = client.SetCdnDomainCSRCertificate(ctx, &cdn.SetCdnDomainCSRCertificateRequest{
				DomainName: "example.com", ServerCertificate: base64.StdEncoding.EncodeToString([]byte(ours)),
			})
			requireKind(t, err, cdn.ErrInvalidRequest)
			require.ErrorIs(t, err, cdn.ErrKeyNotFound)

			der, err := x509.MarshalECPrivateKey(key)
			require.NoError(t, err)
			private := pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der})
			_, err = client.SetCdnDomainSSLCertificate(ctx, &cdn.SetCdnDomainSSLCertificateRequest{
				DomainName: "example.com", SSLProtocol: "on", CertName: "ours", SSLPub: ours, SSLPri: cdn.Secret(private),
			})
			require.NoError(t, err)
			require.Equal(t, "ours", state().CertName)

			stored, err := client.DescribeCdnSSLCertificateList(ctx, &cdn.DescribeCdnSSLCertificateListRequest{SearchKeyword: "our", PageSize: 10})
			require.NoError(t, err)
			require.EqualValues(t, 1, stored.CertificateListModel.Count)
			require.Len(t, stored.CertificateListModel.CertList.Cert, 1)
			_, err = client.SetCdnDomainSSLCertificate(ctx, &cdn.SetCdnDomainSSLCertificateRequest{
				DomainName: "example.com", SSLProtocol: "on", CertType: "cas", CertId: stored.CertificateListModel.CertList.Cert[0].CertId,
			})
			require.NoError(t, err)
			_, err = client.SetCdnDomainSSLCertificate(ctx, &cdn.SetCdnDomainSSLCertificateRequest{DomainName: "example.com", SSLProtocol: "off"})
			require.NoError(t, err)
			require.Equal(t, "off", state().ServerCertificateStatus)
		})
	}
}
