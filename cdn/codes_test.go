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
	call := setSSL(&sslRequest{DomainName: "example.com", SSLProtocol: "off"})
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
		{"DescribeDomainCertificateInfo", "QuotaExceededX", "raise the quota, or remove what is not needed"},
		{"DescribeDomainCertificateInfo", "DomainLimitExceeded", "raise the quota, or remove what is not needed"},
		{"DescribeDomainCertificateInfo", "Domain.LimitExceeded", "raise the quota, or remove what is not needed"},
		{"SetCdnDomainSSLCertificate", "OperationDeniedFoo", "check the account in the console: its balance, restrictions and CDN service"},
		{"SetCdnDomainSSLCertificate", "Gateway.Timeout", "try again later"},
	}
	require.ErrorContains(t, &cdn.Error{Code: "Forbidden"}, "; allow the operation to this access key in RAM", "made by hand")
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

// operationCodes are the codes of the operations' pages, by what they mean.
var operationCodes = map[string]struct {
	kind     error
	attempts int
	codes    []string
}{
	"a wrong request": {cdn.ErrInvalidRequest, 1, []string{
		"Certificate.MissingParameter", "Certificate.EncodeError", "Certificate.DecodeError", "Certificate.FormatError", "Certificate.MissMatch",
		"Certificate.NoPrivateKey", "InvalidSSLProtocol.ValueNotSupported", "SSLPub.MissingParameter", "SSLPri.MissingParameter", "InvalidSSLPub",
		"InvalidSSLPri", "InvalidCertificate.TooLong", "InvalidCertName.TooLong", "SetDomainCertificate.ParameterError", "Certificate.StatusError",
		"Certificate.NotFind", "Key.Malformed", "Certificate.KeyNull", "Decode.Error", "sslPub.Error", "sslPri.Error", "Certificate.Expired",
		"Certificate.Duplicated", "CertNameAlreadyExists", "CertificateContent.Duplicated", "InvalidDomain.notOnline", "InvalidDomain.Offline",
		"Abs.CertRegion.ValueNotSupported", "InvalidEnv", "CertName.MissingParameter", "InvalidDomain.NotFound", "Certificate.NotPermittedOff",
		"Certificate.SettedNotEffect", "InvaildParameter", "InvalidCertId.NotFound",
	}},
	"a refusal":              {cdn.ErrDenied, 1, []string{"DomainInSafeMode", "DomainInProtectedMode", "AuthenticationFailed", "IllegalOperation"}},
	"trouble":                {cdn.ErrUnavailable, 4, []string{"ServiceBusy", "CertStorage.failed", "CreateCertificateFailed", "DeleteFailed", "Internal.ConfigError", "InternalError"}},
	"trouble that will last": {cdn.ErrUnavailable, 1, []string{"Internal.ForbidError", "Internal.CreateCSRError"}},
}

// TestError_KindByCodeThenByStatus has the codes of the gateway and of the first
// operation.
func TestError_KindByCodeThenByStatus(t *testing.T) {
	tests := []struct {
		kind     error
		statuses []int
		codes    []string
	}{
		{cdn.ErrInvalidRequest, []int{400, 404, 500}, []string{
			"InvalidValue.Malformed", "MissingParameter", "MissingCommonName", "missingparameter", "InvalidParameter", "InvalidParameter.Country",
			"InvalidVersion", "InvalidAction.NotFound", "InvalidApi.NotFound", "NoSuchVersion", "UnsupportedOperation",
			"IdempotentParameterMismatch", "InvalidProtocol.NeedSsl", "SSLPri.MissingParameter", "Name.Malformed", "Name.ValueNotSupported",
		}},
		{cdn.ErrDenied, []int{400, 403, 404, 500}, []string{
			"InvalidAccessKeyId.NotFound", "InvalidAccessKeyId.Inactive", "SignatureDoesNotMatch", "IncompleteSignature",
			"InvalidSecurityToken.Expired", "InvalidSecurityToken.Malformed", "InvalidSecurityToken.MismatchWithAccessKey", "MissingSecurityToken",
			"Forbidden", "Forbidden.RAM", "Forbidden.NotVerified", "Forbidden.RiskControl", "Forbidden.AccessKeyDisabled", "NoPermission",
			"OperationDenied", "OperationDenied.CdnServiceNotFound", "CdnServiceNotFound", "InsufficientBalance", "AccountBlacklist",
			"AuthenticationFailed", "RiskControl.Blocked", "QuotaExceeded", "QuotaExceeded.Domain", "QuotaExceededX", "DomainLimitExceeded",
			"OperationDeniedFoo", "Forbidden.Timeout",
			"RealNameAuthenticationError", "DomainInSafeMode", "DomainInProtectedMode",
			"InvalidTimeStamp.Expired", "InvalidTimeStamp.Format", "SignatureNonceUsed", "FORBIDDEN.ram",
		}},
		{cdn.ErrThrottled, []int{400, 429, 503, 200}, []string{"Throttling", "Throttling.User", "Throttling.Api", "throttling.user", "FlowControlError", "Api.FlowControl", "UserThrottled"}},
		{cdn.ErrUnavailable, []int{400, 500, 503}, []string{
			"Internal.KeyError", "Internal.CreateCSRError", "Internal.EncodeCSRError", "Internal.EncodeKeyError", "Internal.Error",
			"ServiceUnavailable", "ServiceUnavailableTemporary", "InternalError", "UnknownError", "ServiceBusy", "SystemBusy", "SystemError",
			"BackendTimeout", "BackendTimeout.Cas", "Gateway.Timeout", "System.Busy", "Gateway.ServiceUnavailable", "Cas.SystemError",
			"Cas.InternalError", "Cas.Cert.InternalErrorX", "Cas.UnknownError", "InternalFailure",
			"CertStorage.failed", "CreateCertificateFailed", "DeleteFailed", "Internal.ForbidError",
		}},
		{cdn.ErrInvalidRequest, []int{200, 400, 404, 409, 500}, []string{
			"InvalidCommonName", "MissingThing", "UnsupportedThing", "InvalidDomain.NotFound", "DomainNotFound", "InvalidDomain.notOnline",
			"InvalidSSLPub", "Certificate.MissMatch", "Certificate.NoPrivateKey", "Certificate.Duplicated", "CertNameAlreadyExists",
			"CertificateContent.Duplicated", "SetDomainCertificate.ParameterError", "Key.Malformed", "Decode.Error", "sslPub.Error", "sslPri.Error",
			"Abs.CertRegion.ValueNotSupported", "CertName.MissingParameter", "Invalid.Timeout", "InvalidParameter.Busy",
		}},
		{cdn.ErrDenied, []int{400, 401, 403, 404, 409}, []string{"Unknown", "X.y", "X.InternalDomain", "X.Timeouts"}},
		{cdn.ErrThrottled, []int{429}, []string{"Unknown", ""}},
		{cdn.ErrUnavailable, []int{500, 503, 599, 0, 200, 302}, []string{"Unknown"}},
		{cdn.ErrUnavailable, []int{0, 200, 400, 401, 403, 404, 500}, []string{""}},
	}
	for _, test := range tests {
		for _, status := range test.statuses {
			for _, code := range test.codes {
				requireKind(t, &cdn.Error{StatusCode: status, Code: code}, test.kind)
			}
		}
	}
}
