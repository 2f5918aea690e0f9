package cdn

import (
	"errors"
	"net/http"
	"slices"
	"strings"
)

// Codes that have a meaning beyond their kind. Codes are compared without
// regard to case, since the service's own documents vary.
const (
	codeTimestampExpired = "InvalidTimeStamp.Expired"
	codeTokenExpired     = "InvalidSecurityToken.Expired"
	codeNonceUsed        = "SignatureNonceUsed"
	codeWrongSignature   = "SignatureDoesNotMatch"
	codeBadSignature     = "IncompleteSignature"
	codeNoPrivateKey     = "Certificate.NoPrivateKey"
)

// A rule says what a code or a family of codes means. A family is the part of
// a code before the first dot. The codes are those of the operations' pages,
// of the API Error Center, and of users' reports.
type rule struct {
	code   string // or a family, in lower case
	advice string // empty: that of the kind
	final  bool   // not tried again, although others of its kind are
}

const (
	adviceKeyID   = "check that the AccessKeyID is right, active and of this account"
	adviceSecret  = "check the AccessKeySecret, and that nothing changes the request on its way"
	adviceToken   = "get new temporary credentials: key ID, secret and security token belong together"
	adviceAllow   = "allow ACTION to this access key in RAM" // see (*Error).advice
	adviceQuota   = "raise the quota, or remove what is not needed"
	adviceAccount = "check the account in the console: its balance, restrictions and CDN service"
	adviceOnline  = "the domain must be online in the CDN"
	adviceAdd     = "add the domain to the CDN first; a wildcard domain is written .example.com there"
	adviceLocked  = "the domain is locked: ask Alibaba Cloud's support"
	adviceCanary  = "a canary deployment of the domain must end first"
	adviceUpload  = "install it with its private key: the CDN did not make the certificate's CSR"
)

// rules has the codes and families of each kind. The rule of a whole code takes
// precedence over that of its family. (As a map it would add 8 KB to every
// program.)
var rules = []struct {
	kind  error
	codes []rule
}{
	{ErrDenied, []rule{
		{code: "invalidaccesskeyid", advice: adviceKeyID},
		{code: "forbidden.accesskeydisabled", advice: adviceKeyID},
		{code: "signaturedoesnotmatch", advice: adviceSecret},
		{code: "incompletesignature", advice: adviceSecret},
		{code: "invalidsecuritytoken", advice: adviceToken},
		{code: "missingsecuritytoken", advice: adviceToken},
		{code: "invalidtimestamp", advice: "set this machine's clock"},
		{code: "signaturenonceused", advice: "call again: each attempt has a nonce of its own"},

		{code: "forbidden", advice: adviceAllow},
		{code: "nopermission", advice: adviceAllow},
		{code: "forbidden.notverified", advice: "verify the account's identity in the console"},
		{code: "realnameauthenticationerror", advice: "verify the account's identity in the console"},
		{code: "forbidden.riskcontrol", advice: adviceAccount},
		{code: "riskcontrol", advice: adviceAccount},
		{code: "accountblacklist", advice: adviceAccount},
		{code: "authenticationfailed", advice: adviceAccount},
		{code: "insufficientbalance", advice: adviceAccount},
		{code: "operationdenied", advice: adviceAccount},
		{code: "illegaloperation", advice: adviceAccount},
		{code: "cdnservicenotfound", advice: "activate the CDN for this account"},
		{code: "operationdenied.cdnservicenotfound", advice: "activate the CDN for this account"},
		{code: "quotaexceeded", advice: adviceQuota},
		{code: "domaininsafemode", advice: adviceLocked},
		{code: "domaininprotectedmode", advice: adviceLocked},
	}},
	{ErrUnavailable, []rule{
		{code: "serviceunavailable"},
		{code: "servicebusy"},
		{code: "systembusy"},
		{code: "systemerror"},
		{code: "internalerror"},
		{code: "internal"},
		{code: "unknownerror"},
		{code: "certstorage"},
		{code: "createcertificatefailed"},
		{code: "deletefailed"},
		{code: "internal.createcsrerror", final: true},
		{code: "internal.forbiderror", final: true, advice: adviceCanary},
	}},
	{ErrInvalidRequest, []rule{
		{code: "certificate"},
		{code: "certificatecontent"},
		{code: "certnamealreadyexists", advice: "give the certificate another name"},
		{code: "certificate.duplicated", advice: "give the certificate another name"},
		{code: "certificate.expired", advice: "get a new certificate"},
		{code: "certificate.missmatch"}, // means two things: see mismatches
		{code: "certificate.noprivatekey", advice: adviceUpload},
		{code: "setdomaincertificate"},
		{code: "key"},
		{code: "decode"},
		{code: "sslpub"},
		{code: "sslpri"},

		{code: "nosuchversion"},
		{code: "idempotentparametermismatch"},
		{code: "invaildparameter"}, // as one page spells it
		{code: "invaliddomain.notfound", advice: adviceAdd},
		{code: "domainnotfound", advice: adviceAdd},
		{code: "invaliddomain.notonline", advice: adviceOnline},
		{code: "invaliddomain.offline", advice: adviceOnline},
	}},
}

// ruleOf returns the rule of a code and its kind, which is nil if the code is
// unknown.
func ruleOf(code string) (rule, error) {
	lower := strings.ToLower(code)
	family, _, _ := strings.Cut(lower, ".")
	if strings.Contains(lower, "throttl") || strings.Contains(lower, "flowcontrol") {
		return rule{}, ErrThrottled
	}
	for _, known := range []string{lower, family} {
		for _, of := range rules {
			if i := slices.IndexFunc(of.codes, func(r rule) bool { return r.code == known }); i >= 0 {
				return of.codes[i], of.kind
			}
		}
	}
	return ruleOfShape(lower, family)
}

// ruleOfShape returns the rule and the kind of a code that rules does not have,
// by the words of which the service makes its codes. An unknown kind is nil.
func ruleOfShape(lower, family string) (rule, error) {
	last := lower[strings.LastIndex(lower, ".")+1:]
	switch {
	case hasAnySuffix(lower, ".missingparameter", ".malformed", ".valuenotsupported"),
		hasAnyPrefix(family, "invalid", "missing", "unsupported"):
		return rule{}, ErrInvalidRequest
	case hasAnyPrefix(family, "internal"), isTrouble(family), isTrouble(last):
		return rule{}, ErrUnavailable
	case hasAnySuffix(lower, "limitexceeded"), hasAnyPrefix(family, "quotaexceeded"):
		return rule{advice: adviceQuota}, ErrDenied
	case hasAnyPrefix(family, "operationdenied"):
		return rule{advice: adviceAccount}, ErrDenied
	}
	return rule{}, nil
}

// isTrouble reports whether a part of a code says that the service, or one
// behind it, is busy, slow or broken.
func isTrouble(part string) bool {
	return hasAnySuffix(part, "busy", "timeout", "unknownerror") ||
		hasAnyPrefix(part, "serviceunavailable", "internalerror", "systemerror")
}

func hasAnyPrefix(s string, prefixes ...string) bool {
	for _, prefix := range prefixes {
		if strings.HasPrefix(s, prefix) {
			return true
		}
	}
	return false
}

func hasAnySuffix(s string, suffixes ...string) bool {
	for _, suffix := range suffixes {
		if strings.HasSuffix(s, suffix) {
			return true
		}
	}
	return false
}

// classify returns the kind of an error by its code, since one code comes with
// several statuses, and by its status if the code is not known.
func classify(code string, status int) error {
	if _, kind := ruleOf(code); kind != nil {
		return kind
	}
	switch {
	case status == http.StatusTooManyRequests:
		return ErrThrottled
	case code != "" && status >= 400 && status < 500:
		return ErrDenied // the service refused, for an unknown reason
	}
	return ErrUnavailable // an answer without a code is not one of this API
}

// mismatches says what Certificate.MissMatch means, by the operation.
var mismatches = map[string]string{
	"SetCdnDomainCSRCertificate": "the certificate is not for this domain",
	"SetCdnDomainSSLCertificate": "the private key is not the certificate's",
}

// advice returns what to do about e, or "" if the message says it.
func (e *Error) advice() string {
	lower := strings.ToLower(e.Code)
	if why := mismatches[e.Action]; lower == "certificate.missmatch" && why != "" {
		return why
	}
	known, kind := ruleOf(lower)
	switch {
	case known.advice != "":
		return strings.Replace(known.advice, "ACTION", e.permission(), 1)
	case kind == nil && e.Code != "" && e.Recommend != "":
		return "see " + oneLine(e.Recommend)
	}
	switch kind := e.sentinel(); {
	case errors.Is(kind, ErrDenied):
		return "check the access key, and that RAM allows " + e.permission()
	case errors.Is(kind, ErrThrottled):
		return "call later or less often"
	case errors.Is(kind, ErrUnavailable):
		return "try again later"
	}
	return ""
}

// permission returns what RAM calls the operation.
func (e *Error) permission() string {
	switch {
	case e.Action == "":
		return "the operation"
	case e.otherAPI:
		return oneLine(e.Action)
	}
	return "cdn:" + oneLine(e.Action)
}
