package cdn_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/cdn"
	"github.com/cdncsr/cdncsr/cdn/cdntest"
)

// TestOperations_CodesByKind sends every documented code, in each status and
// spelling.
func TestOperations_CodesByKind(t *testing.T) {
	call := setSSL(&cdn.SetCdnDomainSSLCertificateRequest{DomainName: "example.com", SSLProtocol: "off"})
	for name, test := range operationCodes {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				for _, code := range test.codes {
					for _, status := range []int{200, 400, 403, 500} {
						for _, spelling := range []string{code, strings.ToLower(code), strings.ToUpper(code)} {
							answer := answering(status, nil, []byte(`{"RequestId":"R","Code":"`+spelling+`"}`))
							f := newFixture(t, &cdn.Options{HTTPClient: &http.Client{Transport: answer}})
							_, err := call(t.Context(), f.client)
							requireKind(t, err, test.kind)
							require.Equal(t, test.attempts, f.sent(), "attempts after %s with status %d", spelling, status)
							require.Equal(t, code == "Certificate.NoPrivateKey", errors.Is(err, cdn.ErrKeyNotFound))
						}
					}
				}
			})
		})
	}
}

func TestOperations_Advice(t *testing.T) {
	tests := []struct {
		action, code, want string
	}{
		{"SetCdnDomainCSRCertificate", "Certificate.MissMatch", "the certificate is not for this domain"},
		{"SetCdnDomainSSLCertificate", "Certificate.MissMatch", "the private key is not the certificate's"},
		{"SetCdnDomainSSLCertificate", "certificate.missmatch", "the private key is not the certificate's"},
		{"SetCdnDomainCSRCertificate", "Certificate.NoPrivateKey", "install it with its private key: the CDN did not make the certificate's CSR"},
		{"SetCdnDomainSSLCertificate", "CertNameAlreadyExists", "give the certificate another name"},
		{"SetCdnDomainSSLCertificate", "Certificate.Duplicated", "give the certificate another name"},
		{"SetCdnDomainSSLCertificate", "Certificate.Expired", "get a new certificate"},
		{"SetCdnDomainSSLCertificate", "InvalidDomain.notOnline", "the domain must be online in the CDN"},
		{"SetCdnDomainSSLCertificate", "InvalidDomain.Offline", "the domain must be online in the CDN"},
		{"SetCdnDomainSSLCertificate", "DomainInSafeMode", "the domain is locked: ask Alibaba Cloud's support"},
		{"SetCdnDomainSSLCertificate", "DomainInProtectedMode", "the domain is locked: ask Alibaba Cloud's support"},
		{"SetCdnDomainSSLCertificate", "AuthenticationFailed", "check the account in the console: its balance, restrictions and CDN service"},
		{"SetCdnDomainCSRCertificate", "Internal.ForbidError", "a canary deployment of the domain must end first"},
		{"SetCdnDomainSSLCertificate", "ServiceBusy", "try again later"},
		{"SetCdnDomainSSLCertificate", "Throttling.User", "call later or less often"},
		{"SetCdnDomainSSLCertificate", "Forbidden.RAM", "allow cdn:SetCdnDomainSSLCertificate to this access key in RAM"},
		{"DescribeDomainCertificateInfo", "NoPermission", "allow cdn:DescribeDomainCertificateInfo to this access key in RAM"},
		{"DescribeDomainCertificateInfo", "InvalidDomain.NotFound", "add the domain to the CDN first; a wildcard domain is written .example.com there"},
		{"DescribeDomainCertificateInfo", "Forbidden.NotVerified", "verify the account's identity in the console"},
		{"DescribeDomainCertificateInfo", "Forbidden.RiskControl", "check the account in the console: its balance, restrictions and CDN service"},
		{"DescribeDomainCertificateInfo", "RiskControl.Blocked", "check the account in the console: its balance, restrictions and CDN service"},
		{"DescribeDomainCertificateInfo", "AccountBlacklist", "check the account in the console: its balance, restrictions and CDN service"},
		{"DescribeDomainCertificateInfo", "Forbidden.AccessKeyDisabled", "check that the AccessKeyID is right, active and of this account"},
		{"DescribeDomainCertificateInfo", "CdnServiceNotFound", "activate the CDN for this account"},
		{"DescribeDomainCertificateInfo", "OperationDenied.CdnServiceNotFound", "activate the CDN for this account"},
		{"DescribeDomainCertificateInfo", "QuotaExceeded", "raise the quota, or remove what is not needed"},
	}
	for _, test := range tests {
		err := &cdn.Error{Action: test.action, StatusCode: 400, Code: test.code}
		require.ErrorContains(t, err, "; "+test.want, test.code)
	}
}

func TestOperations_UnknownCodeIsNamedWithItsPage(t *testing.T) {
	f := newFixture(t, nil)
	f.api.Inject(body(409, "application/json", `{"Code":"Conflict.New","Message":"new","Recommend":"https://api.alibabacloud.com/troubleshoot?q=Conflict.New"}`))
	_, err := f.client.CreateCdnCertificateSigningRequest(t.Context(), request)
	requireKind(t, err, cdn.ErrDenied)
	require.Equal(t, 1, f.sent())
	require.ErrorContains(t, err, "Conflict.New: new")
	require.ErrorContains(t, err, "see https://api.alibabacloud.com/troubleshoot?q=Conflict.New")
}

// TestOperations_InvalidCommonNameWithStatus200 was sent four times, and a
// Fallback stood in.
func TestOperations_InvalidCommonNameWithStatus200(t *testing.T) {
	f := newFixture(t, nil)
	f.api.Inject(cdntest.Fault{Status: 200, Code: "InvalidCommonName"})
	fallback := cdn.Fallback{Primary: f.client, Secondary: localCreator()}
	_, err := fallback.CreateCdnCertificateSigningRequest(t.Context(), request)
	requireKind(t, err, cdn.ErrInvalidRequest)
	require.Equal(t, 1, f.sent())
}
