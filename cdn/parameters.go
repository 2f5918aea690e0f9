package cdn

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/cdncsr/cdncsr/csr"
)

// parameters are what of req goes on the wire: what the caller set, under the operation's own names. It refuses what the
// service documents as wrong and what would mean something else there; the rest is the service's to judge. The error is
// csr.FieldErrors with every mistake.
func parameters(req *csr.Request) (map[string]string, error) {
	if req == nil {
		return nil, csr.FieldErrors{{Field: "Request", Reason: "is nil: give one with a CommonName"}}
	}
	var errs csr.FieldErrors
	refuse := func(field, value, reason string) {
		errs = append(errs, &csr.FieldError{Field: field, Value: value, Reason: reason})
	}
	if reason := commonNameMistake(req.CommonName); reason != "" {
		refuse("CommonName", req.CommonName, reason)
	}
	for i, san := range req.SANs {
		if reason := sanMistake(san); reason != "" {
			refuse(fmt.Sprintf("SANs[%d]", i), san, reason)
		}
	}
	params := map[string]string{"CommonName": req.CommonName}
	if len(req.SANs) > 0 {
		params["SANs"] = strings.Join(req.SANs, ",")
	}
	for _, p := range []struct {
		name, value string
		mistake     func(string) string
	}{
		{"Organization", req.Organization, textMistake},
		{"OrganizationUnit", req.OrganizationUnit, textMistake},
		{"Country", req.Country, countryMistake},
		{"State", req.State, textMistake},
		{"City", req.City, textMistake},
		{"Email", req.Email, textMistake},
	} {
		if reason := p.mistake(p.value); reason != "" {
			refuse(p.name, p.value, reason)
		}
		if p.value != "" {
			params[p.name] = p.value
		}
	}
	if len(errs) > 0 {
		return nil, errs
	}
	return params, nil
}

// textMistake is what the service could not read as text.
func textMistake(s string) string {
	switch {
	case !utf8.ValidString(s):
		return "is not valid UTF-8: convert it from its encoding"
	case strings.ContainsFunc(s, unicode.IsControl):
		return "holds a control character: take it out"
	}
	return ""
}

func commonNameMistake(s string) string {
	if s == "" {
		return "is required: give the domain name of the certificate"
	}
	return textMistake(s)
}

func countryMistake(s string) string {
	if reason := textMistake(s); reason != "" {
		return reason
	}
	if n := utf8.RuneCountInString(s); n != 0 && n != 2 {
		return "must be of 2 characters, such as CN"
	}
	return ""
}

func sanMistake(s string) string {
	switch {
	case s == "":
		return "is empty: leave it out"
	case strings.Contains(s, ","):
		return "holds a comma, which separates names on the wire: give each name of its own"
	}
	return textMistake(s)
}
