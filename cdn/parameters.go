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
		return nil, csr.FieldErrors{{Field: "Request", Reason: "is nil"}}
	}
	var errs csr.FieldErrors
	refuse := func(field, value, reason string) {
		errs = append(errs, &csr.FieldError{Field: field, Value: value, Reason: reason})
	}
	params := make(map[string]string, 8)
	set := func(field, value string) {
		if reason := textMistake(value); reason != "" {
			refuse(field, value, reason)
		}
		if value != "" {
			params[field] = value
		}
	}
	if req.CommonName == "" {
		refuse("CommonName", "", "is required")
	}
	set("CommonName", req.CommonName)
	for i, san := range req.SANs {
		if reason := sanMistake(san); reason != "" {
			refuse(fmt.Sprintf("SANs[%d]", i), san, reason)
		}
	}
	if len(req.SANs) > 0 {
		params["SANs"] = strings.Join(req.SANs, ",")
	}
	set("Organization", req.Organization)
	set("OrganizationUnit", req.OrganizationUnit)
	set("Country", req.Country)
	if n := utf8.RuneCountInString(req.Country); n != 0 && n != 2 {
		refuse("Country", req.Country, "must be of 2 characters, such as CN")
	}
	set("State", req.State)
	set("City", req.City)
	set("Email", req.Email)
	if len(errs) > 0 {
		return nil, errs
	}
	return params, nil
}

// textMistake is what the service could not read as text.
func textMistake(s string) string {
	switch {
	case !utf8.ValidString(s):
		return "is not valid UTF-8"
	case strings.ContainsFunc(s, unicode.IsControl):
		return "holds a control character"
	}
	return ""
}

func sanMistake(s string) string {
	switch {
	case s == "":
		return "is empty"
	case strings.Contains(s, ","):
		return "holds a comma, which separates names on the wire: give each name of its own"
	}
	return textMistake(s)
}
