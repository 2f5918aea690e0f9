package csr

import (
	"cmp"
	"fmt"
	"slices"
)

// Finding is something in a CSR that a public CA would refuse or change.
type Finding struct {
	Code    string // stable, such as "san-missing"; see Lint for all of them
	Refused bool   // a public CA refuses the CSR; else it changes or leaves out what is at Place
	Place   string // "PEM", "DER", "public key", "signature", "subject.OU", "SAN[2]", "attributes", "extensions"
	Detail  string // what is wrong there, with the value quoted
	Source  string // the rule: a document and its section
}

// String returns all of f on one line.
func (f Finding) String() string {
	verb := "changed"
	if f.Refused {
		verb = "refused"
	}
	return fmt.Sprintf("%s: %s: %s (%s by %s)", f.Code, f.Place, f.Detail, verb, f.Source)
}

// Lint reads a CSR from anywhere, the CDN's own included, and returns what a public CA would refuse or change in it, in
// the order of Place within the CSR; nil if there is nothing. It reads what can be read: a name that is no name, a
// subject in old string types, a weak key. Only if there is no CSR at all is that the one finding. pem may also be bare
// DER, which is a finding.
//
// The rules are those of the CA/Browser Forum's Baseline Requirements for TLS server certificates (BR), of RFC 5280 and
// of large CAs. The service's own default CSR has a finding, subject-ou: the CDN's default unit is left out by every
// public CA. What only a CA can know, such as CAA records or a key that has leaked, is not looked at.
//
// The codes, by what they look at:
//
//   - the encoding: pem-missing, pem-label, pem-surroundings, der-malformed, der-trailing, der-order, version
//   - the key: key-unreadable, key-type, key-size, key-exponent, key-modulus, key-curve
//   - the signature: signature-wrong, signature-hash
//   - the subject: subject-malformed, subject-ou, subject-email, subject-attribute, subject-repeated, subject-order,
//     subject-multivalue, subject-type, subject-characters, subject-blank, subject-length, subject-empty,
//     subject-placeholder, subject-country
//   - the common name: cn-not-in-san
//   - the names: san-missing, san-malformed, san-kind, san-ip, san-count, san-repeated, san-redundant, name-malformed,
//     name-case, name-underscore, name-dot, name-ip, name-idna, name-wildcard, name-suffix, name-internal
//   - the rest: extension-ignored, extension-repeated, attribute-ignored, attribute-password
func Lint(pem []byte) []Finding {
	var l linter
	der := l.readPEM(pem)
	if request, ok := l.readDER(der); ok {
		l.version(request)
		l.subject(request)
		l.publicKey(request)
		l.attributes(request)
	}
	return l.findings
}

// linter collects findings.
type linter struct{ findings []Finding }

// add adds a finding of r at place.
func (l *linter) add(r rule, place, format string, args ...any) {
	l.findings = append(l.findings, Finding{
		Code: r.code, Refused: r.refused, Place: place, Detail: fmt.Sprintf(format, args...), Source: r.source,
	})
}

// rule is what a finding is about.
type rule struct {
	code    string
	refused bool
	source  string
}

func refused(code, source string) rule { return rule{code, true, source} }
func changed(code, source string) rule { return rule{code, false, source} }

// repeated returns the elements that slices.Compact would remove from the sorted list, each once.
func repeated[E cmp.Ordered](list []E) []E {
	sorted := slices.Sorted(slices.Values(list))
	var twice []E
	for i := 1; i < len(sorted); i++ {
		if sorted[i] == sorted[i-1] && (len(twice) == 0 || twice[len(twice)-1] != sorted[i]) {
			twice = append(twice, sorted[i])
		}
	}
	return twice
}
