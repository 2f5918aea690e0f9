package cdn

import (
	"errors"
	"net/http"
	"strings"
)

// Codes that a call answers itself, whatever their kind. They are compared without regard to case, since the service's
// own documents vary.
const (
	codeTimestampExpired = "InvalidTimeStamp.Expired"
	codeTokenExpired     = "InvalidSecurityToken.Expired"
	codeNonceUsed        = "SignatureNonceUsed"
	codeWrongSignature   = "SignatureDoesNotMatch"
	codeBadSignature     = "IncompleteSignature"
)

// classify is the kind of an error by its code, since one code comes with several statuses, and by its status only where
// the code is not known. The codes are those of the operation's page and of the API Error Center.
func classify(code string, status int) error {
	lower := strings.ToLower(code)
	if kind := kindOfCode(lower); kind != nil {
		return kind
	}
	for _, end := range []string{"missingparameter", "malformed", "valuenotsupported"} {
		if strings.HasSuffix(lower, "."+end) {
			return ErrInvalidRequest
		}
	}
	return kindOfStatus(status)
}

func kindOfCode(lower string) error {
	family, _, _ := strings.Cut(lower, ".")
	switch family {
	case "throttling":
		return ErrThrottled
	case "invalidaccesskeyid", "invalidsecuritytoken", "forbidden", "signaturedoesnotmatch", "incompletesignature",
		"missingsecuritytoken", "nopermission", "operationdenied", "insufficientbalance", "invalidtimestamp", "signaturenonceused":
		return ErrDenied
	case "serviceunavailable", "internalerror", "internal", "unknownerror", "servicebusy":
		return ErrUnavailable
	case "invalidparameter", "invalidversion", "nosuchversion", "unsupportedoperation", "idempotentparametermismatch":
		return ErrInvalidRequest
	}
	switch lower {
	case "invalidaction.notfound", "invalidapi.notfound", "invalidprotocol.needssl", "invalidvalue.malformed":
		return ErrInvalidRequest
	}
	if strings.HasPrefix(family, "missing") {
		return ErrInvalidRequest
	}
	return nil
}

func kindOfStatus(status int) error {
	switch {
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return ErrDenied
	case status == http.StatusTooManyRequests:
		return ErrThrottled
	case status >= 400 && status < 500:
		return ErrInvalidRequest
	}
	return ErrUnavailable
}

// advice is what a caller can do about an error: by its code where that tells more than the kind. It is empty where the message
// says it.
func advice(kind error, code string) string {
	lower := strings.ToLower(code)
	switch family, _, _ := strings.Cut(lower, "."); family {
	case "invalidaccesskeyid":
		return "check that the AccessKeyID is right, active and of this account"
	case "signaturedoesnotmatch", "incompletesignature":
		return "check the AccessKeySecret, and that nothing changes the request on its way"
	case "invalidsecuritytoken", "missingsecuritytoken":
		return "get new temporary credentials: key ID, secret and security token belong together"
	case "forbidden", "nopermission":
		return "allow cdn:CreateCdnCertificateSigningRequest to this access key in RAM"
	case "invalidtimestamp":
		return "set this machine's clock"
	case "signaturenonceused":
		return "call again: each attempt has a nonce of its own"
	case "insufficientbalance", "operationdenied":
		return "check the account's balance and its CDN service"
	}
	switch {
	case errors.Is(kind, ErrDenied):
		return "check the access key and what RAM allows it"
	case errors.Is(kind, ErrThrottled):
		return "call later or less often: the account has 100 calls a second"
	case errors.Is(kind, ErrInvalidRequest):
		return "correct the request"
	case errors.Is(kind, ErrUnavailable):
		return "call later; a Fallback can stand in meanwhile"
	}
	return ""
}
