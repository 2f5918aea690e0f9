package cdn_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"math"
	"math/big"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/cdn"
	"github.com/cdncsr/cdncsr/csr"
)

// The requests of the certificate operations.
type (
	csrRequest  = cdn.SetCdnDomainCSRCertificateRequest
	sslRequest  = cdn.SetCdnDomainSSLCertificateRequest
	infoRequest = cdn.DescribeDomainCertificateInfoRequest
	listRequest = cdn.DescribeCdnSSLCertificateListRequest
)

// A calling makes one call of an operation, and returns the request ID of its
// response.
type calling func(context.Context, *cdn.Client) (requestID string, err error)

func setCSR(req *csrRequest) calling {
	return func(ctx context.Context, c *cdn.Client) (string, error) {
		resp, err := c.SetCdnDomainCSRCertificate(ctx, req)
		if err != nil {
			return "", err
		}
		return resp.RequestId, nil
	}
}

func setSSL(req *sslRequest) calling {
	return func(ctx context.Context, c *cdn.Client) (string, error) {
		resp, err := c.SetCdnDomainSSLCertificate(ctx, req)
		if err != nil {
			return "", err
		}
		return resp.RequestId, nil
	}
}

func describe(req *infoRequest) calling {
	return func(ctx context.Context, c *cdn.Client) (string, error) {
		resp, err := c.DescribeDomainCertificateInfo(ctx, req)
		if err != nil {
			return "", err
		}
		for _, info := range resp.CertInfos.CertInfo { // whatever they hold
			for _, date := range []func() (time.Time, bool){info.StartTime, info.ExpireTime, info.UpdateTime} {
				if at, ok := date(); !ok && !at.IsZero() {
					return "", errors.New("a time that could not be read")
				}
			}
		}
		return resp.RequestId, nil
	}
}

func list(req *listRequest) calling {
	return func(ctx context.Context, c *cdn.Client) (string, error) {
		resp, err := c.DescribeCdnSSLCertificateList(ctx, req)
		if err != nil {
			return "", err
		}
		return resp.RequestId, nil
	}
}

func TestOperations_RefuseBeforeSending(t *testing.T) {
	tests := map[string]struct {
		call calling
		want []string // fields
	}{
		"setcsr, nil":         {setCSR(nil), []string{"Request"}},
		"setcsr, empty":       {setCSR(&csrRequest{}), []string{"DomainName", "ServerCertificate"}},
		"setcsr, characters":  {setCSR(&csrRequest{DomainName: "a\n", ServerCertificate: "\x00"}), []string{"DomainName", "ServerCertificate"}},
		"setcsr, not UTF-8":   {setCSR(&csrRequest{DomainName: "a\xff", ServerCertificate: "\xff"}), []string{"DomainName", "ServerCertificate"}},
		"setssl, nil":         {setSSL(nil), []string{"Request"}},
		"setssl, empty":       {setSSL(&sslRequest{}), []string{"DomainName", "SSLProtocol"}},
		"setssl, upper case":  {setSSL(&sslRequest{DomainName: "a", SSLProtocol: "ON"}), []string{"SSLProtocol"}},
		"setssl, free":        {setSSL(&sslRequest{DomainName: "a", SSLProtocol: "off", CertType: "free"}), []string{"CertType"}},
		"setssl, long name":   {setSSL(&sslRequest{DomainName: "a", SSLProtocol: "off", CertName: strings.Repeat("ä", 129)}), []string{"CertName"}},
		"setssl, name":        {setSSL(&sslRequest{DomainName: "a", SSLProtocol: "off", CertName: "a\t"}), []string{"CertName"}},
		"setssl, no ID":       {setSSL(&sslRequest{DomainName: "a", SSLProtocol: "on", CertType: "cas"}), []string{"CertId"}},
		"setssl, negative ID": {setSSL(&sslRequest{DomainName: "a", SSLProtocol: "on", CertType: "cas", CertId: -1}), []string{"CertId"}},
		"setssl, region":      {setSSL(&sslRequest{DomainName: "a", SSLProtocol: "off", CertRegion: "eu-central-1"}), []string{"CertRegion"}},
		"setssl, nothing":     {setSSL(&sslRequest{DomainName: "a", SSLProtocol: "on"}), []string{"SSLPub", "SSLPri"}},
		"setssl, no upload":   {setSSL(&sslRequest{DomainName: "a", SSLProtocol: "on", CertType: "upload"}), []string{"SSLPub", "SSLPri"}},
		"setssl, key alone":   {setSSL(&sslRequest{DomainName: "a", SSLProtocol: "on", SSLPri: hiddenKey}), []string{"SSLPub"}},
		"setssl, no key":      {setSSL(&sslRequest{DomainName: "a", SSLProtocol: "on", SSLPub: "x"}), []string{"SSLPri"}},
		"setssl, all at once": {
			setSSL(&sslRequest{
				SSLProtocol: "maybe", CertType: "x", CertName: "\x00", CertId: math.MinInt64, CertRegion: "x",
				SSLPub: "\x00", SSLPri: hiddenKey + "\x00",
			}),
			[]string{"DomainName", "SSLProtocol", "CertType", "CertName", "CertId", "CertRegion", "SSLPub", "SSLPri"},
		},
		"describe, nil":        {describe(nil), []string{"Request"}},
		"describe, empty":      {describe(&infoRequest{}), []string{"DomainName"}},
		"describe, characters": {describe(&infoRequest{DomainName: "a\u0085"}), []string{"DomainName"}},
		"list, nil":            {list(nil), []string{"Request"}},
		"list, negative":       {list(&listRequest{PageNumber: -1, PageSize: -1}), []string{"PageNumber", "PageSize"}},
		"list, large":          {list(&listRequest{PageNumber: 1 << 31, PageSize: 1001}), []string{"PageNumber", "PageSize"}},
		"list, characters":     {list(&listRequest{DomainName: "\r", SearchKeyword: "\x7f"}), []string{"DomainName", "SearchKeyword"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, &cdn.Options{HTTPClient: &http.Client{Transport: noTransport(t)}})
			_, err := test.call(t.Context(), f.client)
			requireKind(t, err, cdn.ErrInvalidRequest)
			var mistakes csr.FieldErrors
			require.ErrorAs(t, err, &mistakes)
			var got []string
			for _, mistake := range mistakes {
				got = append(got, mistake.Field)
			}
			require.Equal(t, test.want, got)
			require.NotContains(t, printed(t, err), "Hidden")
		})
	}
}

// TestOperations_SendOnlyWhatIsSet has the bounds that are still allowed, too.
func TestOperations_SendOnlyWhatIsSet(t *testing.T) {
	longName := strings.Repeat("ä", 128)
	tests := map[string]struct {
		call calling
		want map[string]string
	}{
		"setcsr": {
			setCSR(&csrRequest{DomainName: ".example.com", ServerCertificate: "LS0t\n"}),
			map[string]string{"Action": "SetCdnDomainCSRCertificate", "DomainName": ".example.com", "ServerCertificate": "LS0t\n"},
		},
		"setssl, off": {
			setSSL(&sslRequest{DomainName: "example.com", SSLProtocol: "off"}),
			map[string]string{"Action": "SetCdnDomainSSLCertificate", "DomainName": "example.com", "SSLProtocol": "off"},
		},
		"setssl, upload": {
			setSSL(&sslRequest{DomainName: "example.com", SSLProtocol: "on", CertName: longName, SSLPub: "a\r\n\tb", SSLPri: hiddenKey}),
			map[string]string{
				"Action": "SetCdnDomainSSLCertificate", "DomainName": "example.com", "SSLProtocol": "on", "CertName": longName,
				"SSLPub": "a\r\n\tb", "SSLPri": hiddenKey,
			},
		},
		"setssl, cas": {
			setSSL(&sslRequest{DomainName: "example.com", SSLProtocol: "on", CertType: "cas", CertId: math.MaxInt64, CertRegion: "ap-southeast-1"}),
			map[string]string{
				"Action": "SetCdnDomainSSLCertificate", "DomainName": "example.com", "SSLProtocol": "on", "CertType": "cas",
				"CertId": "9223372036854775807", "CertRegion": "ap-southeast-1",
			},
		},
		"describe": {
			describe(&infoRequest{DomainName: "example.com"}),
			map[string]string{"Action": "DescribeDomainCertificateInfo", "DomainName": "example.com"},
		},
		"list, nothing": {
			list(&listRequest{}),
			map[string]string{"Action": "DescribeCdnSSLCertificateList"},
		},
		"list": {
			list(&listRequest{DomainName: "a", SearchKeyword: "b", PageNumber: 1<<31 - 1, PageSize: 1000}),
			map[string]string{
				"Action": "DescribeCdnSSLCertificateList", "DomainName": "a", "SearchKeyword": "b", "PageNumber": "2147483647", "PageSize": "1000",
			},
		},
	}
	common := []string{
		"Version", "Format", "AccessKeyId", "SecurityToken", "Timestamp", "SignatureMethod", "SignatureVersion", "SignatureNonce", "Signature",
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			transport := roundTripper(func(r *http.Request) (*http.Response, error) {
				require.NoError(t, r.ParseForm())
				require.Empty(t, r.URL.RawQuery)
				got := map[string]string{}
				for name := range r.PostForm {
					if !slices.Contains(common, name) {
						got[name] = r.PostForm.Get(name)
					}
				}
				require.Equal(t, test.want, got)
				return nil, errors.New("seen")
			})
			f := newFixture(t, &cdn.Options{MaxAttempts: 1, HTTPClient: &http.Client{Transport: transport}})
			_, err := test.call(t.Context(), f.client)
			require.ErrorContains(t, err, "seen")
			require.NotContains(t, printed(t, err)+f.logged.String(), "Hidden")
		})
	}
}

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
				got, err := client.DescribeDomainCertificateInfo(ctx, &infoRequest{DomainName: "example.com"})
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
			_, err = client.SetCdnDomainCSRCertificate(ctx, &csrRequest{
				DomainName: "example.com", ServerCertificate: base64.StdEncoding.EncodeToString([]byte(ofCDN)),
			})
			require.NoError(t, err)
			require.Equal(t, "on", state().ServerCertificateStatus)
			require.Equal(t, ofCDN, state().ServerCertificate)

			key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
			require.NoError(t, err)
			ours := issue(t, key.Public(), "example.com")
			_, err = client.SetCdnDomainCSRCertificate(ctx, &csrRequest{
				DomainName: "example.com", ServerCertificate: base64.StdEncoding.EncodeToString([]byte(ours)),
			})
			requireKind(t, err, cdn.ErrInvalidRequest)
			require.ErrorIs(t, err, cdn.ErrKeyNotFound)

			der, err := x509.MarshalECPrivateKey(key)
			require.NoError(t, err)
			private := pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der})
			_, err = client.SetCdnDomainSSLCertificate(ctx, &sslRequest{
				DomainName: "example.com", SSLProtocol: "on", CertName: "ours", SSLPub: ours, SSLPri: cdn.Secret(private),
			})
			require.NoError(t, err)
			require.Equal(t, "ours", state().CertName)

			stored, err := client.DescribeCdnSSLCertificateList(ctx, &listRequest{SearchKeyword: "our", PageSize: 10})
			require.NoError(t, err)
			require.EqualValues(t, 1, stored.CertificateListModel.Count)
			require.Len(t, stored.CertificateListModel.CertList.Cert, 1)
			_, err = client.SetCdnDomainSSLCertificate(ctx, &sslRequest{
				DomainName: "example.com", SSLProtocol: "on", CertType: "cas", CertId: stored.CertificateListModel.CertList.Cert[0].CertId,
			})
			require.NoError(t, err)
			_, err = client.SetCdnDomainSSLCertificate(ctx, &sslRequest{DomainName: "example.com", SSLProtocol: "off"})
			require.NoError(t, err)
			require.Equal(t, "off", state().ServerCertificateStatus)
		})
	}
}
