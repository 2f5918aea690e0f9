package cdn_test

import (
	"encoding/json"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/cdn"
	"github.com/cdncsr/cdncsr/cdn/cdntest"
)

// TestInstaller_AsksAtOnceAndThenWithPauses: after a lost answer the CDN is
// asked for the certificate at once, and then again after each of some pauses.
func TestInstaller_AsksAtOnceAndThenWithPauses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newInstallFixture(t, &cdn.Options{MaxAttempts: 1, Limiter: unlimited{}}, "example.com")
		chain := f.localChain(t, "example.com")
		var sent time.Time
		var asked []time.Duration // since the certificate was sent
		f.api.OnRequest = func(r cdntest.Request) {
			switch r.Action {
			case "SetCdnDomainSSLCertificate":
				sent = time.Now()
			case "DescribeDomainCertificateInfo":
				asked = append(asked, time.Since(sent))
			}
		}
		f.api.Inject(cdntest.Fault{Action: "SetCdnDomainSSLCertificate", Drop: cdntest.DropRequest})
		_, err := f.i.Install(t.Context(), "example.com", chain)
		require.ErrorIs(t, err, cdn.ErrUnavailable)
		require.Greater(t, len(asked), 2)
		asked = asked[1:] // the first question comes before the certificate is sent
		assert.Zero(t, asked[0], "at once")
		for i := range asked[1:] {
			assert.Greater(t, asked[i+1], asked[i], "after a pause")
		}
	})
}

// TestInstaller_FindsACertificateAfterAFullPage: the list of stored
// certificates has a second page.
func TestInstaller_FindsACertificateAfterAFullPage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newInstallFixture(t, nil, "example.com", "www.example.com")
		chain := f.localChain(t, "example.com", "www.example.com")
		key, err := f.keys.Get(t.Context(), pubMd5Of(t, chain))
		require.NoError(t, err)
		_, err = f.client.SetCdnDomainSSLCertificate(t.Context(), &cdn.SetCdnDomainSSLCertificateRequest{
			DomainName: "www.example.com", SSLProtocol: "on", CertName: "by-hand",
			SSLPub: string(chain), SSLPri: sec1(t, key),
		})
		require.NoError(t, err)
		second, err := f.client.DescribeCdnSSLCertificateList(t.Context(), &listRequest{})
		require.NoError(t, err)
		first := cdn.DescribeCdnSSLCertificateListResponse{RequestId: "R"}
		others := make([]cdn.StoredCert, 1000)
		for i := range others {
			others[i].CertId = int64(1 + i)
		}
		first.CertificateListModel.CertList.Cert = others
		isSecond := func(number string) bool { return number == "2" }
		isFirst := func(number string) bool { return !isSecond(number) }
		for range 8 { // more often than the Installer looks it up
			f.api.Inject(pageOfAll(t, isFirst, &first), pageOfAll(t, isSecond, second))
		}
		done, err := f.i.Install(t.Context(), "example.com", chain)
		require.NoError(t, err)
		assert.Equal(t, "by-hand", done.CertName)
		f.requireInstalled(t, "example.com", chain)
	})
}

// pageOfAll is a fault that answers a question for a page of all certificates
// whose number is right.
func pageOfAll(t *testing.T, isRight func(string) bool, page *cdn.DescribeCdnSSLCertificateListResponse) cdntest.Fault {
	t.Helper()
	body, err := json.Marshal(page)
	require.NoError(t, err)
	return cdntest.Fault{
		Action: "DescribeCdnSSLCertificateList", Body: body,
		Match: func(p map[string]string) bool { return p["SearchKeyword"] == "" && isRight(p["PageNumber"]) },
	}
}

// TestInstaller_StoredCertificateIsRefused: an installation by the ID of a
// stored certificate that the service refuses is an error.
func TestInstaller_StoredCertificateIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newInstallFixture(t, nil, "example.com", "www.example.com")
		chain := f.localChain(t, "example.com", "www.example.com")
		_, err := f.i.Install(t.Context(), "www.example.com", chain)
		require.NoError(t, err)
		f.api.Inject(cdntest.Fault{
			Match:  func(p map[string]string) bool { return p["CertType"] == "cas" },
			Status: 403, Code: "Forbidden.RAM", Message: "not authorized",
		})
		_, err = f.i.Install(t.Context(), "example.com", chain)
		require.ErrorIs(t, err, cdn.ErrDenied)
		assert.Nil(t, f.api.Certificate("example.com"))
	})
}

// TestInstaller_WhoseCertificateInfoCounts: a certificate in force on another
// domain of the answer is not on this one; an entry without a name is this
// domain's.
func TestInstaller_WhoseCertificateInfoCounts(t *testing.T) {
	for name, want := range map[string]bool{"example.com": true, "": true, "www.example.com": false} {
		f := newInstallFixture(t, nil, "example.com")
		chain := f.localChain(t, "example.com", "www.example.com")
		answer := describes("success", "on", string(chain))
		answer.Body = []byte(strings.Replace(string(answer.Body), "example.com", name, 1))
		f.api.Inject(answer)
		done, err := f.i.Install(t.Context(), "example.com", chain)
		require.NoError(t, err)
		assert.Equal(t, want, done.Already, "%q", name)
		assert.Equal(t, want, f.api.Certificate("example.com") == nil, "%q", name)
	}
}
