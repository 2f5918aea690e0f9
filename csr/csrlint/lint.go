package csrlint

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"unicode/utf8"
)

// Finding is something in a CSR that a public CA would refuse or change.
type Finding struct {
	Code    string // stable, such as "san-missing"; see Lint for all of them
	Refused bool   // a public CA refuses the CSR; if false, it changes or leaves out Field
	Field   string // "PEM", "DER", "public key", "signature", "subject.OU", "SAN[2]", "attributes", "extensions"
	Detail  string // what is wrong with Field, with the value quoted
	Source  string // the source of the rule: a document and its section, or a program
}

// String returns f on one line: code, field, detail, whether the CSR is refused
// or changed, and the source of the rule.
func (f Finding) String() string {
	verb := "changed"
	if f.Refused {
		verb = "refused"
	}
	return fmt.Sprintf("%s: %s: %s (%s by %s)", f.Code, f.Field, f.Detail, verb, f.Source)
}

// Lint returns what a public CA would refuse or change in a CSR, in the order
// of the fields of the CSR, or nil if that is nothing. The CSR is in PEM. Lint
// also reads bare DER, but reports it.
//
// Lint goes on after a mistake wherever it can. If there is no CSR in pem, that
// is the only finding.
//
// The codes by subject:
//
//   - the encoding: pem-missing, pem-label, pem-surroundings, pem-blank-line,
//     der-malformed, der-trailing, der-order, version
//   - the key: key-unreadable, key-type, key-size, key-exponent, key-modulus,
//     key-roca, key-curve
//   - the signature: signature-wrong, signature-hash, signature-algorithm
//   - the subject: subject-malformed, subject-ou, subject-email,
//     subject-attribute, subject-repeated, subject-order, subject-multivalue,
//     subject-type, subject-characters, subject-blank, subject-length,
//     subject-empty, subject-placeholder, subject-country
//   - the common name: cn-not-in-san
//   - the names: san-missing, san-malformed, san-kind, san-ip, san-count,
//     san-repeated, san-redundant, name-malformed, name-case, name-underscore,
//     name-dot, name-ip, name-idna, name-labels, name-wildcard, name-suffix,
//     name-internal
//   - the rest: extension-ignored, extension-repeated, extension-staple,
//     attribute-ignored, attribute-password
func Lint(pem []byte) []Finding {
	var l linter
	r, ok := l.parse(l.decodePEM(pem))
	if !ok {
		return l.findings
	}
	l.version(r.version)
	commonName := l.subject(r.subject)
	signed := l.publicKey(r)
	sans := l.extensions(l.attributes(r.attributes))
	l.names(sans, commonName)
	l.signature(signed)
	return l.findings
}

// linter collects findings.
type linter struct{ findings []Finding }

// add adds a finding by r about field.
func (l *linter) add(r rule, field, format string, args ...any) {
	l.findings = append(l.findings, Finding{
		Code: r.code, Refused: r.refused, Field: field, Detail: fmt.Sprintf(format, args...), Source: r.source,
	})
}

// rule has what the findings of one kind have in common.
type rule struct {
	code    string
	refused bool
	source  string
}

func refused(code, source string) rule { return rule{code, true, source} }
func changed(code, source string) rule { return rule{code, false, source} }

// repeated returns the values that list has more than once, sorted, each once.
func repeated[E cmp.Ordered](list []E) []E {
	count := make(map[E]int, len(list))
	var twice []E
	for _, e := range list {
		count[e]++
		if count[e] == 2 {
			twice = append(twice, e)
		}
	}
	slices.Sort(twice)
	return twice
}

// quote returns s as a Go string literal, cut after 80 bytes.
func quote(s string) string {
	const most = 80
	if len(s) <= most {
		return strconv.Quote(s)
	}
	end := most
	for end > most-utf8.UTFMax && !utf8.RuneStart(s[end]) {
		end--
	}
	return strconv.Quote(s[:end]) + "…"
}
