package cdn

import (
	"errors"
	"net/http"
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
	kind   error
	advice string // empty: that of the kind
	final  bool   // not tried again, although others of its kind are
}

const (
	adviceKeyID   = "check that the AccessKeyID is right, active and of this account"
	adviceSecret  = "check the AccessKeySecret, and that nothing changes the request on its way"
	adviceToken   = "get new temporary credentials: key ID, secret and security token belong together"
	adviceAllow   = "allow ACTION to this access key in RAM" // see (*Error).advice
	adviceAccount = "check the account in the console: its balance, restrictions and CDN service"
	adviceOnline  = "the domain must be online in the CDN"
	adviceAdd     = "add the domain to the CDN first; a wildcard domain is written .example.com there"
	adviceLocked  = "the domain is locked: ask Alibaba Cloud's support"
	adviceCanary  = "a canary deployment of the domain must end first"
	adviceUpload  = "install it with its private key: the CDN did not make the certificate's CSR"
)

// rules has codes and families in lower case. The rule of a whole code takes
// precedence over that of its family.
var rules = map[string]rule{
	"invalidaccesskeyid":          {kind: ErrDenied, advice: adviceKeyID},
	"forbidden.accesskeydisabled": {kind: ErrDenied, advice: adviceKeyID},
	"signaturedoesnotmatch":       {kind: ErrDenied, advice: adviceSecret},
	"incompletesignature":         {kind: ErrDenied, advice: adviceSecret},
	"invalidsecuritytoken":        {kind: ErrDenied, advice: adviceToken},
	"missingsecuritytoken":        {kind: ErrDenied, advice: adviceToken},
	"invalidtimestamp":            {kind: ErrDenied, advice: "set this machine's clock"},
	"signaturenonceused":          {kind: ErrDenied, advice: "call again: each attempt has a nonce of its own"},

	"forbidden":                          {kind: ErrDenied, advice: adviceAllow},
	"nopermission":                       {kind: ErrDenied, advice: adviceAllow},
	"forbidden.notverified":              {kind: ErrDenied, advice: "verify the account's identity in the console"},
	"realnameauthenticationerror":        {kind: ErrDenied, advice: "verify the account's identity in the console"},
	"forbidden.riskcontrol":              {kind: ErrDenied, advice: adviceAccount},
	"riskcontrol":                        {kind: ErrDenied, advice: adviceAccount},
	"accountblacklist":                   {kind: ErrDenied, advice: adviceAccount},
	"authenticationfailed":               {kind: ErrDenied, advice: adviceAccount},
	"insufficientbalance":                {kind: ErrDenied, advice: adviceAccount},
	"operationdenied":                    {kind: ErrDenied, advice: adviceAccount},
	"illegaloperation":                   {kind: ErrDenied, advice: adviceAccount},
	"cdnservicenotfound":                 {kind: ErrDenied, advice: "activate the CDN for this account"},
	"operationdenied.cdnservicenotfound": {kind: ErrDenied, advice: "activate the CDN for this account"},
	"quotaexceeded":                      {kind: ErrDenied, advice: "raise the quota, or remove what is not needed"},
	"domaininsafemode":                   {kind: ErrDenied, advice: adviceLocked},
	"domaininprotectedmode":              {kind: ErrDenied, advice: adviceLocked},

	"serviceunavailable":       {kind: ErrUnavailable},
	"servicebusy":              {kind: ErrUnavailable},
	"systembusy":               {kind: ErrUnavailable},
	"systemerror":              {kind: ErrUnavailable},
	"internalerror":            {kind: ErrUnavailable},
	"internal":                 {kind: ErrUnavailable},
	"unknownerror":             {kind: ErrUnavailable},
	"certstorage":              {kind: ErrUnavailable},
	"createcertificatefailed":  {kind: ErrUnavailable},
	"deletefailed":             {kind: ErrUnavailable},
	"internal.createcsrerror":  {kind: ErrUnavailable, final: true},
	"internal.forbiderror":     {kind: ErrUnavailable, final: true, advice: adviceCanary},
	"certificate":              {kind: ErrInvalidRequest},
	"certificatecontent":       {kind: ErrInvalidRequest},
	"certnamealreadyexists":    {kind: ErrInvalidRequest, advice: "give the certificate another name"},
	"certificate.duplicated":   {kind: ErrInvalidRequest, advice: "give the certificate another name"},
	"certificate.expired":      {kind: ErrInvalidRequest, advice: "get a new certificate"},
	"certificate.missmatch":    {kind: ErrInvalidRequest}, // means two things: see mismatches
	"certificate.noprivatekey": {kind: ErrInvalidRequest, advice: adviceUpload},
	"setdomaincertificate":     {kind: ErrInvalidRequest},
	"key":                      {kind: ErrInvalidRequest},
	"decode":                   {kind: ErrInvalidRequest},
	"sslpub":                   {kind: ErrInvalidRequest},
	"sslpri":                   {kind: ErrInvalidRequest},

	"nosuchversion":               {kind: ErrInvalidRequest},
	"idempotentparametermismatch": {kind: ErrInvalidRequest},
	"invaildparameter":            {kind: ErrInvalidRequest}, // as one page spells it
	"invaliddomain.notfound":      {kind: ErrInvalidRequest, advice: adviceAdd},
	"domainnotfound":              {kind: ErrInvalidRequest, advice: adviceAdd},
	"invaliddomain.notonline":     {kind: ErrInvalidRequest, advice: adviceOnline},
	"invaliddomain.offline":       {kind: ErrInvalidRequest, advice: adviceOnline},
}

// ruleOf returns the rule of a code. Its kind is nil if the code is unknown.
func ruleOf(code string) rule {
	lower := strings.ToLower(code)
	family, _, _ := strings.Cut(lower, ".")
	if strings.Contains(lower, "throttl") || strings.Contains(lower, "flowcontrol") {
		return rule{kind: ErrThrottled}
	}
	for _, known := range []string{lower, family} {
		if r, ok := rules[known]; ok {
			return r
		}
	}
	return rule{kind: kindOfShape(lower, family)}
}

// kindOfShape returns the kind of a code that has no rule, by the words of
// which the service makes its codes, or nil.
func kindOfShape(lower, family string) error {
	switch {
	case hasAnySuffix(lower, ".missingparameter", ".malformed", ".valuenotsupported"),
		hasAnyPrefix(family, "invalid", "missing", "unsupported"):
		return ErrInvalidRequest
	case hasAnySuffix(family, "busy", "timeout"), hasAnyPrefix(family, "serviceunavailable", "internal", "systemerror"):
		return ErrUnavailable
	case hasAnySuffix(lower, "limitexceeded"), hasAnyPrefix(family, "quotaexceeded", "operationdenied"):
		return ErrDenied
	}
	return nil
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
	if kind := ruleOf(code).kind; kind != nil {
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
	known := ruleOf(lower)
	switch {
	case known.advice != "":
		return strings.Replace(known.advice, "ACTION", e.permission(), 1)
	case known.kind == nil && e.Code != "" && e.Recommend != "":
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
