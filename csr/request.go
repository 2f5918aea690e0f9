package csr

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Request holds the parameters of CreateCdnCertificateSigningRequest. An empty
// field takes the service's default. The limits are for a CSR that is made on
// this machine; the service has its own.
type Request struct {
	CommonName       string   // domain name of the certificate; required, at most 64 characters in its ASCII form
	SANs             []string // further domain names; at most 250 with CommonName, which is always included
	Organization     string   // at most 64 characters; the default is "Alibaba Inc"
	OrganizationUnit string   // at most 64 characters; the default is "Aliyun CDN"
	Country          string   // two letters as in ISO 3166-1; the default is "CN"
	State            string   // at most 128 characters; the default is "Zhejiang"
	City             string   // at most 128 characters; the default is "Hangzhou"
	Email            string   // an address without a display name, in ASCII, at most 255 characters; no default
}

// The service's defaults, from the operation's page.
const (
	defaultOrganization     = "Alibaba Inc"
	defaultOrganizationUnit = "Aliyun CDN"
	defaultCountry          = "CN"
	defaultState            = "Zhejiang"
	defaultCity             = "Hangzhou"
)

// Upper bounds in characters, from RFC 5280 appendix A.1. The limit on names is
// this library's own.
const (
	maxCommonName       = 64
	maxOrganization     = 64
	maxOrganizationUnit = 64
	maxState            = 128
	maxCity             = 128
	maxEmail            = 255
	maxNames            = 250
)

// Validate returns an error if no CSR can be made from r on this machine. With
// errors.As it is [FieldErrors] with every invalid field. The service may
// reject a request that is valid here.
func (r *Request) Validate() error {
	_, err := r.Normalize()
	return err
}

// Normalize returns a copy of r in the form that a CSR made on this machine
// has: names in ASCII and lower case, mapped by UTS #46, each SAN once; texts
// in Unicode normalization form C; Country in upper case. Empty fields stay
// empty. The error is that of [Request.Validate].
func (r *Request) Normalize() (*Request, error) {
	if r == nil {
		return nil, FieldErrors{{Field: "Request", Reason: "is nil"}}.Err()
	}
	var n normalizer
	name := n.normalize("CommonName", r.CommonName, commonName)
	normal := &Request{
		CommonName:       name,
		SANs:             n.sans(name, r.SANs),
		Organization:     n.text("Organization", r.Organization, maxOrganization),
		OrganizationUnit: n.text("OrganizationUnit", r.OrganizationUnit, maxOrganizationUnit),
		Country:          n.normalize("Country", r.Country, country),
		State:            n.text("State", r.State, maxState),
		City:             n.text("City", r.City, maxCity),
		Email:            n.normalize("Email", r.Email, email),
	}
	if err := n.errs.Err(); err != nil {
		return nil, err
	}
	return normal, nil
}

// withDefaults returns a copy of r whose empty fields have the service's
// defaults.
func (r *Request) withDefaults() *Request {
	full := *r
	full.Organization = cmp.Or(r.Organization, defaultOrganization)
	full.OrganizationUnit = cmp.Or(r.OrganizationUnit, defaultOrganizationUnit)
	full.Country = cmp.Or(r.Country, defaultCountry)
	full.State = cmp.Or(r.State, defaultState)
	full.City = cmp.Or(r.City, defaultCity)
	return &full
}

// names returns the names of the CSR for r, which must be normalized:
// CommonName is in front unless it is among the SANs.
func (r *Request) names() []string {
	if slices.Contains(r.SANs, r.CommonName) {
		return r.SANs
	}
	return append([]string{r.CommonName}, r.SANs...)
}

// A normalizer returns the fields of a request in their normal form and
// collects what is wrong with them.
type normalizer struct{ errs FieldErrors }

// normalize returns value in the form that rule gives it, or "" if it is
// invalid.
func (n *normalizer) normalize(field, value string, rule func(string) (normal, reason string)) string {
	normal, reason := rule(value)
	if reason != "" {
		n.errs = append(n.errs, &FieldError{Field: field, Value: value, Reason: reason})
		return ""
	}
	return normal
}

func (n *normalizer) text(field, value string, most int) string {
	return n.normalize(field, value, func(s string) (normal, reason string) { return text(s, most) })
}

// sans returns the normal forms of values in their order, each once. Invalid
// values count as one name.
func (n *normalizer) sans(commonName string, values []string) []string {
	var names []string
	seen := make(map[string]bool)
	for i, value := range values {
		name := n.normalize("SANs["+strconv.Itoa(i)+"]", value, domainName)
		if !seen[name] {
			seen[name] = true
			names = append(names, name)
		}
	}
	seen[commonName] = true
	if len(seen) > maxNames {
		n.errs = append(n.errs, &FieldError{
			Field: "SANs", Value: strconv.Itoa(len(seen)) + " names",
			Reason: fmt.Sprintf("are more than %d, CommonName included", maxNames),
		})
	}
	return names
}

// commonName is the rule for Request.CommonName.
func commonName(s string) (normal, reason string) {
	if s == "" {
		return "", "is required"
	}
	normal, reason = domainName(s)
	if reason == "" && len(normal) > maxCommonName {
		return "", fmt.Sprintf("has %d characters in its ASCII form, more than %d: "+
			"put it into SANs and choose a shorter CommonName", len(normal), maxCommonName)
	}
	return normal, reason
}

// country is the rule for Request.Country.
func country(s string) (normal, reason string) {
	if s == "" {
		return "", ""
	}
	if reason := textMistake(s); reason != "" {
		return "", reason
	}
	normal = strings.ToUpper(s)
	if !isASCII(s) || len(normal) != 2 || !isUpper(normal[0]) || !isUpper(normal[1]) { // the upper case of "ı" is "I"
		return "", "is not two letters A-Z as in ISO 3166-1"
	}
	return normal, ""
}

func isUpper(c byte) bool { return 'A' <= c && c <= 'Z' }
