package cdntest_test

import (
	"crypto/sha1"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/signer"
)

func TestDescribeDomainCertificateInfo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // where it is 2000-01-01T00:00:00Z
		ca := newAuthority(t)
		api := withDomains()
		text, key := ca.issue(t, "example.com")
		p := params{"DomainName": "example.com", "SSLProtocol": "on", "CertName": "a", "SSLPub": text, "SSLPri": key}
		require.Empty(t, call(t, api, "SetCdnDomainSSLCertificate", p).Code)
		held := ca.answerCSR(t, api, "*.example.com")
		time.Sleep(time.Minute)
		sent := params{"DomainName": ".example.com", "ServerCertificate": base64Of(held)}
		require.Empty(t, call(t, api, "SetCdnDomainCSRCertificate", sent).Code)
		dated := certInfo{
			ServerCertificateStatus: "on", Status: "success", CertOrg: "Test CA", DomainCnameStatus: "ok",
			CertStartTime: "1999-12-31T23:00:00Z", CertExpireTime: "2000-03-30T23:00:00Z", CertLife: "3 months",
		}
		uploaded, csr := dated, dated
		uploaded.DomainName, uploaded.CertDomainName, uploaded.ServerCertificate = "example.com", "example.com", text
		uploaded.CertId, uploaded.CertName, uploaded.CertType, uploaded.CertRegion = "9002448", "a", "upload", "cn-hangzhou"
		uploaded.CertUpdateTime = "2000-01-01T00:00:00Z"
		csr.DomainName, csr.CertDomainName, csr.ServerCertificate = ".example.com", "*.example.com", held
		csr.CertType, csr.CertUpdateTime = "cas", "2000-01-01T00:01:00Z"
		for _, format := range both {
			for domain, want := range map[string]certInfo{
				"example.com": uploaded, ".example.com": csr,
				"offline.example": {DomainName: "offline.example", ServerCertificateStatus: "off"},
			} {
				got := callAs(t, api, signer.RPC{},
					signer.Call{Action: "DescribeDomainCertificateInfo", Format: format, Params: params{"DomainName": domain}})
				require.Empty(t, got.Code)
				if format == "XML" {
					assert.Equal(t, "DescribeDomainCertificateInfoResponse", got.XMLName.Local)
				}
				assert.Equal(t, []certInfo{want}, got.CertInfos.CertInfo, format)
			}
		}
		for domain, want := range map[string]string{
			"": "MissingParameter", "example.org": "InvalidDomain.NotFound", "*.example.com": "InvalidDomain.NotFound",
		} {
			assert.Equal(t, want, call(t, api, "DescribeDomainCertificateInfo", params{"DomainName": domain}).Code)
		}
	})
}

func TestDescribeDomainCertificateInfo_NamesACAWithoutAnOrganization(t *testing.T) {
	ca := newAuthority(t)
	ca.intermediate.RawSubject, ca.intermediate.Subject = nil, pkix.Name{CommonName: "Nameless CA"}
	api := withDomains()
	key := newKey(t)
	upload(t, api, "example.com", chain(ca.leaf(t, key.Public(), "example.com")), sec1(t, key))
	info := call(t, api, "DescribeDomainCertificateInfo", params{"DomainName": "example.com"}).CertInfos.CertInfo[0]
	assert.Equal(t, "Nameless CA", info.CertOrg)
}

func TestDescribeDomainCertificateInfo_CountsLongLivesInYears(t *testing.T) {
	api := withDomains()
	key := newKey(t)
	for days, want := range map[int]string{30: "1 months", 330: "11 months", 365: "1 years", 730: "2 years"} {
		leaf := newAuthority(t).leaf(t, key.Public(), "example.com", func(c *x509.Certificate) {
			c.NotAfter = c.NotBefore.Add(time.Duration(days) * 24 * time.Hour)
		})
		upload(t, api, "example.com", chain(leaf), sec1(t, key))
		assert.Equal(t, want,
			call(t, api, "DescribeDomainCertificateInfo", params{"DomainName": "example.com"}).CertInfos.CertInfo[0].CertLife)
	}
}

func TestDescribeCdnSSLCertificateList(t *testing.T) {
	ca := newAuthority(t)
	api := withDomains()
	var want []listedCert
	for i := range 25 {
		name := []string{"example.com", "*.example.com"}[i%2]
		text, key := ca.issue(t, name)
		certName := "Name-" + strconv.Itoa(i)
		got := call(t, api, "SetCdnDomainSSLCertificate", params{
			"DomainName": "example.com", "SSLProtocol": "on", "CertName": certName, "SSLPub": text, "SSLPri": key,
		})
		require.Empty(t, got.Code)
		fingerprint := sha1.Sum(parseChain(t, text)[0].Raw)
		want = append(want, listedCert{
			CertName: certName, CertId: int64(9002448 + i), CertRegion: "cn-hangzhou",
			Fingerprint: hex.EncodeToString(fingerprint[:]), Common: name, Issuer: "Intermediate",
		})
	}
	tests := map[string]struct {
		params params
		want   []listedCert
		count  int
	}{
		"first page":           {params{}, want[:20], 25},
		"second page":          {params{"PageNumber": "2"}, want[20:], 25},
		"page past the end":    {params{"PageNumber": "3"}, nil, 25},
		"the last page of all": {params{"PageNumber": "2147483647", "PageSize": "1000"}, nil, 25},
		"large page":           {params{"PageSize": "1000"}, want, 25},
		"small page":           {params{"PageSize": "1", "PageNumber": "25"}, want[24:], 25},
		"keyword":              {params{"SearchKeyword": "name-2"}, append(want[2:3:3], want[20:]...), 6},
		"keyword of none":      {params{"SearchKeyword": "other"}, nil, 0},
		"domain":               {params{"DomainName": ".example.com", "PageSize": "2"}, []listedCert{want[1], want[3]}, 12},
	}
	for name, test := range tests {
		for _, format := range both {
			t.Run(name+" "+format, func(t *testing.T) {
				got := callAs(t, api, signer.RPC{},
					signer.Call{Action: "DescribeCdnSSLCertificateList", Format: format, Params: test.params})
				require.Empty(t, got.Code)
				if format == "XML" {
					assert.Equal(t, "DescribeCdnSSLCertificateListResponse", got.XMLName.Local)
				}
				model := got.CertificateListModel
				assert.Equal(t, test.count, model.Count)
				require.Len(t, model.CertList.Cert, len(test.want))
				for i, cert := range model.CertList.Cert {
					assert.InDelta(t, time.Now().Unix(), cert.LastTime, 3600)
					cert.LastTime = 0
					assert.Equal(t, test.want[i], cert)
				}
			})
		}
	}
	for name, value := range map[string]string{"PageNumber": "0", "PageSize": "0"} {
		for _, value := range []string{value, "-1", "x", "1001", "99999999999"} {
			if name == "PageNumber" && value == "1001" {
				continue
			}
			assert.Equal(t, "InvalidParameter", call(t, api, "DescribeCdnSSLCertificateList", params{name: value}).Code,
				name+value)
		}
	}
	assert.Equal(t, "InvalidDomain.NotFound",
		call(t, api, "DescribeCdnSSLCertificateList", params{"DomainName": "example.org"}).Code)
}

func TestDescribeCdnSSLCertificateList_EmptyIsAnEmptyArray(t *testing.T) {
	resp, err := newAPI().RoundTrip(sign(t, signer.RPC{}, signer.Call{Action: "DescribeCdnSSLCertificateList"}))
	require.NoError(t, err)
	assert.Contains(t, readAll(t, resp), `"CertList":{"Cert":[]}`)
}
