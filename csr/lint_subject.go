package csr

import (
	"encoding/asn1"
	"slices"
	"strings"
	"unicode/utf8"
)

var (
	subjectMalformed   = refused("subject-malformed", "RFC 5280 section 4.1.2.4")
	subjectOU          = changed("subject-ou", "BR 7.1.2.7.2 to 7.1.2.7.4")
	subjectEmail       = changed("subject-email", "BR 7.1.2.7.2 to 7.1.2.7.4")
	subjectUnknown     = changed("subject-attribute", "BR 7.1.2.7.2 to 7.1.2.7.4")
	subjectRepeated    = refused("subject-repeated", "BR 7.1.4.1")
	subjectOrder       = changed("subject-order", "BR 7.1.4.2")
	subjectMultivalue  = changed("subject-multivalue", "BR 7.1.4.1")
	subjectType        = changed("subject-type", "BR 7.1.4.2, RFC 5280 section 4.1.2.4")
	subjectCharacters  = refused("subject-characters", "RFC 5280 section 4.1.2.4")
	subjectBlank       = changed("subject-blank", "zlint subject_dn_leading_whitespace and _trailing_whitespace")
	subjectLength      = refused("subject-length", "BR 7.1.4.2, RFC 5280 appendix A.1")
	subjectEmpty       = changed("subject-empty", "BR 7.1.2.7.3 to 7.1.2.7.5")
	subjectPlaceholder = changed("subject-placeholder", "BR 7.1.2.7.3 to 7.1.2.7.5")
	subjectCountry     = refused("subject-country", "BR 7.1.2.7.4, ISO 3166-1")
)

// attributeType is what is known of an attribute of a subject.
type attributeType struct {
	name string
	most int // characters, BR 7.1.4.2, or RFC 5280 appendix A.1
}

// attributeTypes are those that a certificate may have, in the order of BR 7.1.4.2, and two that it may not.
var (
	attributeTypes = map[string]attributeType{
		"0.9.2342.19200300.100.1.25": {"DC", 63},
		"2.5.4.6":                    {"C", 2},
		"2.5.4.8":                    {"ST", maxState},
		"2.5.4.7":                    {"L", maxCity},
		"2.5.4.17":                   {"postalCode", 40},
		"2.5.4.9":                    {"street", 128},
		"2.5.4.10":                   {"O", maxOrganization},
		"2.5.4.4":                    {"SN", 64},
		"2.5.4.42":                   {"GN", 64},
		"2.5.4.11":                   {"OU", maxOrganizationUnit},
		"2.5.4.3":                    {"CN", maxCommonName},
		"1.2.840.113549.1.9.1":       {"emailAddress", maxEmail},
	}
	attributeOrder = []string{"DC", "C", "ST", "L", "postalCode", "street", "O", "SN", "GN", "OU", "CN"}
)

// subject checks the subject's attributes and their order.
func (l *linter) subject(request *rawRequest) {
	attributes, ok := l.readSubject(request.Info.Subject)
	if !ok {
		return
	}
	var names []string
	last := 0
	for _, a := range attributes {
		l.subjectAttribute(a)
		names = append(names, a.name())
		if at := slices.Index(attributeOrder, a.name()); at >= 0 && at < last {
			l.add(subjectOrder, a.place(), "stands after %s", attributeOrder[last])
		} else {
			last = max(last, at)
		}
	}
	for _, name := range repeated(names) {
		if name != "DC" && name != "street" {
			l.add(subjectRepeated, "subject."+name, "is there more than once")
		}
	}
}

// rawAttribute is an AttributeTypeAndValue (RFC 5280 section 4.1.2.4).
type rawAttribute struct {
	Type  asn1.ObjectIdentifier
	Value asn1.RawValue
}

// name returns the attribute's short name, or its number in dots.
func (a rawAttribute) name() string {
	if known, ok := attributeTypes[a.Type.String()]; ok {
		return known.name
	}
	return a.Type.String()
}

func (a rawAttribute) place() string { return "subject." + a.name() }

// readSubject returns the attributes of a Name in their order.
func (l *linter) readSubject(name asn1.RawValue) (attributes []rawAttribute, ok bool) {
	rdns, err := elements(name.Bytes)
	if err != nil || name.Class != asn1.ClassUniversal || name.Tag != asn1.TagSequence {
		l.add(subjectMalformed, "subject", "is not a Name")
		return nil, false
	}
	for _, rdn := range rdns {
		var set asn1.RawValue
		_, err := asn1.UnmarshalWithParams(rdn, &set, "")
		members, memberErr := elements(set.Bytes)
		if err != nil || memberErr != nil || set.Tag != asn1.TagSet || len(members) == 0 {
			l.add(subjectMalformed, "subject", "has an RDN that is no SET of attributes")
			return nil, false
		}
		l.order("subject", members)
		if len(members) > 1 {
			l.add(subjectMultivalue, "subject", "has %d attributes in one RDN", len(members))
		}
		for _, member := range members {
			var a rawAttribute
			if rest, err := asn1.Unmarshal(member, &a); err != nil || len(rest) > 0 {
				l.add(subjectMalformed, "subject", "has an attribute that is none")
				return nil, false
			}
			attributes = append(attributes, a)
		}
	}
	return attributes, true
}

// subjectAttribute checks one attribute.
func (l *linter) subjectAttribute(a rawAttribute) {
	known, ok := attributeTypes[a.Type.String()]
	switch {
	case !ok:
		l.add(subjectUnknown, a.place(), "is not an attribute of a server certificate")
	case known.name == "OU":
		l.add(subjectOU, a.place(), "no certificate has had a unit since 2022")
	case known.name == "emailAddress":
		l.add(subjectEmail, a.place(), "a server certificate has no e-mail address")
	}
	value, ok := l.stringType(a)
	if !ok {
		return
	}
	if reason := textMistake(value); reason == "begins or ends with a space" {
		l.add(subjectBlank, a.place(), "%s begins or ends with a blank", quote(value))
	} else if reason != "" {
		l.add(subjectCharacters, a.place(), "%s %s", quote(value), reason)
	}
	if n := utf8.RuneCountInString(value); known.most > 0 && n > known.most {
		l.add(subjectLength, a.place(), "has %d characters, more than %d", n, known.most)
	}
	switch {
	case value == "":
		l.add(subjectEmpty, a.place(), "is empty")
	case isPlaceholder(value):
		l.add(subjectPlaceholder, a.place(), "%s says nothing", quote(value))
	case known.name == "C" && (len(value) != 2 || !isUpper(value[0]) || !isUpper(value[1])):
		l.add(subjectCountry, a.place(), "%s is not two letters A-Z", quote(value))
	}
}

// stringType checks the type of an attribute's value, and returns the value in UTF-8 if it can be read.
func (l *linter) stringType(a rawAttribute) (value string, ok bool) {
	tag, bytes := a.Value.Tag, a.Value.Bytes
	if a.Value.Class != asn1.ClassUniversal || a.Value.IsCompound {
		l.add(subjectType, a.place(), "is not a string")
		return "", false
	}
	want := "PrintableString or UTF8String"
	fits := tag == asn1.TagPrintableString || tag == asn1.TagUTF8String
	switch a.name() {
	case "C":
		want, fits = "PrintableString", tag == asn1.TagPrintableString
	case "emailAddress", "DC":
		want, fits = "IA5String", tag == asn1.TagIA5String
	}
	if !fits {
		l.add(subjectType, a.place(), "is a string of tag %d: want %s", tag, want)
	}
	switch tag {
	case asn1.TagPrintableString:
		if i := strings.IndexFunc(string(bytes), func(r rune) bool { return !isPrintable(r) }); i >= 0 {
			l.add(subjectCharacters, a.place(), "is a PrintableString with characters that it can't hold: %s", quote(string(bytes)))
			return "", false
		}
	case asn1.TagIA5String:
		if !isASCII(string(bytes)) {
			l.add(subjectCharacters, a.place(), "is an IA5String with characters that it can't hold: %s", quote(string(bytes)))
			return "", false
		}
	case asn1.TagUTF8String:
	default:
		return "", false // TeletexString, BMPString and so on: each has an encoding of its own
	}
	return string(bytes), true
}

// isPrintable tells whether a PrintableString can hold r (ITU-T X.680 section 41.4).
func isPrintable(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune(" '()+,-./:=?", r)
}

// isPlaceholder tells whether s stands for nothing (BR 7.1.2.7.4), or is what openssl req proposes.
func isPlaceholder(s string) bool {
	proposed := []string{"Some-State", "Internet Widgits Pty Ltd", "Default City", "Default Company Ltd", "N/A", "n/a", "NA", "None"}
	return strings.Trim(s, " .-") == "" || slices.Contains(proposed, s)
}
