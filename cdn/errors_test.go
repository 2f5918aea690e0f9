package cdn_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/cdn"
	"github.com/cdncsr/cdncsr/csr"
)

// TestError_KindByCodeThenByStatus is the tables of the operation's and the gateway's codes.
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
			"AuthenticationFailed", "RiskControl.Blocked", "QuotaExceeded", "QuotaExceeded.Domain", "DomainLimitExceeded",
			"RealNameAuthenticationError", "DomainInSafeMode", "DomainInProtectedMode",
			"InvalidTimeStamp.Expired", "InvalidTimeStamp.Format", "SignatureNonceUsed", "FORBIDDEN.ram",
		}},
		{cdn.ErrThrottled, []int{400, 429, 503, 200}, []string{"Throttling", "Throttling.User", "Throttling.Api", "throttling.user", "FlowControlError", "Api.FlowControl", "UserThrottled"}},
		{cdn.ErrUnavailable, []int{400, 500, 503}, []string{
			"Internal.KeyError", "Internal.CreateCSRError", "Internal.EncodeCSRError", "Internal.EncodeKeyError", "Internal.Error",
			"ServiceUnavailable", "ServiceUnavailableTemporary", "InternalError", "UnknownError", "ServiceBusy", "SystemBusy", "SystemError",
			"BackendTimeout", "InternalFailure", "CertStorage.failed", "CreateCertificateFailed", "DeleteFailed", "Internal.ForbidError",
		}},
		{cdn.ErrInvalidRequest, []int{200, 400, 404, 409, 500}, []string{
			"InvalidCommonName", "MissingThing", "UnsupportedThing", "InvalidDomain.NotFound", "DomainNotFound", "InvalidDomain.notOnline",
			"InvalidSSLPub", "Certificate.MissMatch", "Certificate.NoPrivateKey", "Certificate.Duplicated", "CertNameAlreadyExists",
			"CertificateContent.Duplicated", "SetDomainCertificate.ParameterError", "Key.Malformed", "Decode.Error", "sslPub.Error", "sslPri.Error",
			"Abs.CertRegion.ValueNotSupported", "CertName.MissingParameter",
		}},
		{cdn.ErrDenied, []int{400, 401, 403, 404, 409}, []string{"Unknown", "X.y"}},
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

func TestError_IsOneLineThatSaysWhatToDo(t *testing.T) {
	err := &cdn.Error{
		Action: "SetCdnDomainSSLCertificate", StatusCode: 403, Code: "Forbidden.RAM", Message: "User not\n authorized\x1b[31m to operate.", RequestId: "R1", HostId: "h", Attempts: 2,
		RetryAfter: 1500 * time.Millisecond,
	}
	require.Equal(t, "cdn: denied: Forbidden.RAM: User not authorized [31m to operate. (SetCdnDomainSSLCertificate, HTTP 403, request ID R1, "+
		"2 attempts, retry after 1.5s); allow cdn:SetCdnDomainSSLCertificate to this access key in RAM", err.Error())
	require.Equal(t, "&cdn.Error{"+err.Error()+"}", fmt.Sprintf("%#v", err))
	require.Equal(t, "cdn: unavailable; try again later", (&cdn.Error{}).Error())
}

func TestErrInvalidRequest_IsThatOfCSR(t *testing.T) {
	require.Equal(t, csr.ErrInvalidRequest, cdn.ErrInvalidRequest)
	require.ErrorIs(t, new(csr.Request).Validate(), cdn.ErrInvalidRequest)
}

func TestSigner_ThatFailsOrGivesNothing(t *testing.T) {
	own := errors.New("the HSM is away; " + testCreds.AccessKeySecret)
	for name, s := range map[string]signFunc{"fails": {err: own}, "gives nothing": {}} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, &cdn.Options{Signer: s})
			_, err := f.client.CreateCdnCertificateSigningRequest(t.Context(), request)
			require.ErrorContains(t, err, "cdn: sign")
			require.Empty(t, f.attempts)
			f.requireNoSecret(t, err)
		})
	}
}
