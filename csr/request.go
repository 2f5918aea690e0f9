package csr

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Request holds the parameters of CreateCdnCertificateSigningRequest. An empty field takes the default of the service. The
// bounds are those of a CSR that is made here; cdn.Client sends what is set, and the service has bounds of its own.
type Request struct {
	CommonName       string   // the domain name of the certificate; required, at most 64 characters in its ASCII form
	SANs             []string // further domain names; the CSR has CommonName among them in any case, at most 250 in all
	Organization     string   // "Alibaba Inc"; at most 64 characters
	OrganizationUnit string   // "Aliyun CDN"; at most 64 characters
	Country          string   // "CN"; two letters A-Z as in ISO 3166-1, lower case is raised
	State            string   // "Zhejiang"; at most 128 characters
	City             string   // "Hangzhou"; at most 128 characters
	Email            string   // one plain address in ASCII, at most 255 characters; empty leaves it out
}

// The defaults of the service, from the operation's page.
const (
	defaultOrganization     = "Alibaba Inc"
	defaultOrganizationUnit = "Aliyun CDN"
	defaultCountry          = "CN"
	defaultState            = "Zhejiang"
	defaultCity             = "Hangzhou"
)

// Upper bounds, in characters: RFC 5280 appendix A.1 (ub-common-name and so on), where an e-mail address has 255.
// The number of names is a bound of this library.
const (
	maxCommonName       = 64
	maxOrganization     = 64
	maxOrganizationUnit = 64
	maxState            = 128
	maxCity             = 128
	maxEmail            = 255
	maxSANs             = 250
)

// Validate tells whether a CSR can be made from r on this machine. It returns nil or [FieldErrors] with every mistake
// that there is; a nil r is one too. It does not change r. cdn.Client checks less, and the service may refuse more.
func (r *Request) Validate() error {
	_, err := normalize(r)
	return err
}

// subject is a Request that has been checked, as it goes into a CSR: names mapped to ASCII, texts in NFC, defaults
// filled in, doubles removed.
type subject struct {
	commonName, organization, organizationUnit, country, state, city string

	email string   // empty: the CSR has none
	names []string // commonName is among them
}

// normalize checks r and returns it as it goes into a CSR, or FieldErrors.
func normalize(r *Request) (*subject, error) {
	if r == nil {
		return nil, FieldErrors{{Field: "Request", Reason: "is nil"}}.Err()
	}
	var s subject
	var errs FieldErrors
	errs.check(field{"CommonName", r.CommonName, commonName, &s.commonName})
	names := make([]string, len(r.SANs))
	for i, san := range r.SANs {
		errs.check(field{"SANs[" + strconv.Itoa(i) + "]", san, domainName, &names[i]})
	}
	s.names = allNames(s.commonName, names)
	if len(s.names) > maxSANs {
		errs = append(errs, &FieldError{
			Field: "SANs", Value: strconv.Itoa(len(s.names)) + " names",
			Reason: fmt.Sprintf("are more than %d, CommonName included: divide them among several requests", maxSANs),
		})
	}
	errs.check(
		field{"Organization", r.Organization, text(defaultOrganization, maxOrganization), &s.organization},
		field{"OrganizationUnit", r.OrganizationUnit, text(defaultOrganizationUnit, maxOrganizationUnit), &s.organizationUnit},
		field{"Country", r.Country, country, &s.country},
		field{"State", r.State, text(defaultState, maxState), &s.state},
		field{"City", r.City, text(defaultCity, maxCity), &s.city},
		field{"Email", r.Email, email, &s.email},
	)
	if err := errs.Err(); err != nil {
		return nil, err
	}
	return &s, nil
}

// A field is one value of a Request, with its rule and the place of its normal form.
type field struct {
	name, value string
	rule        func(string) (normal, reason string)
	normal      *string
}

// check sets the normal forms of fields and adds what is wrong with them.
func (e *FieldErrors) check(fields ...field) {
	for _, f := range fields {
		normal, reason := f.rule(f.value)
		*f.normal = normal
		if reason != "" {
			*e = append(*e, &FieldError{Field: f.name, Value: f.value, Reason: reason})
		}
	}
}

// allNames returns names without doubles, in their order, with commonName in front if it is not among them. Names that
// were refused are empty here and count as one: they are reported anyway.
func allNames(commonName string, names []string) []string {
	all := make([]string, 0, len(names)+1)
	if !slices.Contains(names, commonName) {
		all = append(all, commonName)
	}
	seen := make(map[string]bool, len(names))
	for _, name := range names {
		if !seen[name] {
			seen[name] = true
			all = append(all, name)
		}
	}
	return all
}

// commonName is the rule for Request.CommonName: a domain name short enough for a subject.
func commonName(s string) (normal, reason string) {
	if s == "" {
		return "", "is required: give the domain name of the certificate"
	}
	normal, reason = domainName(s)
	if reason == "" && len(normal) > maxCommonName {
		return "", fmt.Sprintf("has %d characters in its ASCII form, more than %d: put it into SANs and take a shorter CommonName",
			len(normal), maxCommonName)
	}
	return normal, reason
}

// country is the rule for Request.Country.
func country(s string) (normal, reason string) {
	if s == "" {
		return defaultCountry, ""
	}
	if reason := textMistake(s); reason != "" {
		return "", reason
	}
	normal = strings.ToUpper(s)
	if !isASCII(s) || len(normal) != 2 || !isUpper(normal[0]) || !isUpper(normal[1]) { // "ı" raised is "I"
		return "", "is not two letters A-Z as in ISO 3166-1, such as CN"
	}
	return normal, ""
}

func isUpper(c byte) bool { return 'A' <= c && c <= 'Z' }
