package csrlint

import (
	"encoding/asn1"
	"math"
	"slices"
	"unicode/utf8"
)

var (
	subjectMalformed   = refused("subject-malformed", "RFC 5280 section 4.1.2.4")
	subjectEmptyRDN    = changed("subject-malformed", "RFC 5280 section 4.1.2.4")
	subjectOU          = changed("subject-ou", "BR 7.1.2.7.2 to 7.1.2.7.4")
	subjectEmail       = changed("subject-email", "BR 7.1.2.7.2 to 7.1.2.7.4")
	subjectUnknown     = changed("subject-attribute", "BR 7.1.2.7.2 to 7.1.2.7.4")
	subjectRepeated    = changed("subject-repeated", "BR 7.1.4.1")
	subjectOrder       = changed("subject-order", "BR 7.1.4.2")
	subjectMultivalue  = changed("subject-multivalue", "BR 7.1.4.1")
	subjectLength      = changed("subject-length", "BR 7.1.4.2, RFC 5280 appendix A.1")
	subjectEmpty       = changed("subject-empty", "BR 7.1.2.7.3 to 7.1.2.7.5")
	subjectEmptyUnread = refused("subject-empty", "GnuTLS, RFC 5280 appendix A.1")
	subjectPlaceholder = changed("subject-placeholder", "BR 7.1.2.7.3 to 7.1.2.7.5")
	subjectCountry     = changed("subject-country", "BR 7.1.2.7.4, ISO 3166-1")
)

// attributeType describes an attribute of a subject.
type attributeType struct {
	name string
	most int // characters, BR 7.1.4.2 or RFC 5280 appendix A.1
}

// attributeTypes has the attributes that a certificate may have and two that it
// may not, OU and emailAddress.
var attributeTypes = map[string]attributeType{
	"0.9.2342.19200300.100.1.25": {"DC", 63},
	"2.5.4.6":                    {"C", 2},
	"2.5.4.8":                    {"ST", 128},
	"2.5.4.7":                    {"L", 128},
	"2.5.4.17":                   {"postalCode", 40},
	"2.5.4.9":                    {"street", 128},
	"2.5.4.10":                   {"O", 64},
	"2.5.4.4":                    {"SN", 64},
	"2.5.4.42":                   {"GN", 64},
	"2.5.4.11":                   {"OU", 64},
	"2.5.4.3":                    {"CN", 64},
	"1.2.840.113549.1.9.1":       {"emailAddress", 255},
}

// directoryStrings has the attributes that GnuTLS reads as a DirectoryString.
// Besides some of attributeTypes these are title, description,
// businessCategory, name, initials, generationQualifier, pseudonym, UID and
// placeOfBirth.
var directoryStrings = map[string]bool{
	"2.5.4.3": true, "2.5.4.4": true, "2.5.4.7": true, "2.5.4.8": true, "2.5.4.9": true, "2.5.4.10": true,
	"2.5.4.11": true, "2.5.4.12": true, "2.5.4.13": true, "2.5.4.15": true, "2.5.4.17": true, "2.5.4.41": true,
	"2.5.4.42": true, "2.5.4.43": true, "2.5.4.44": true, "2.5.4.65": true,
	"0.9.2342.19200300.100.1.1": true, "1.3.6.1.5.5.7.9.2": true,
}

// attributeOrder is the order of BR 7.1.4.2.
var attributeOrder = []string{"DC", "C", "ST", "L", "postalCode", "street", "O", "SN", "GN", "OU", "CN"}

// attribute is one attribute of a subject.
type attribute struct {
	name  string // short, as in attributeTypes, or the OID in dots
	most  int    // characters
	value asn1.RawValue

	// directoryString is set if GnuTLS reads the value as a DirectoryString (RFC
	// 5280 section 4.1.2.4). It refuses those that are empty.
	directoryString bool
}

func (a attribute) field() string { return "subject." + a.name }

// subject checks the subject and returns its common name, or "" if it has none.
// Of several it returns the last, as crypto/x509 does.
func (l *linter) subject(name asn1.RawValue) (commonName string) {
	attributes, ok := l.readSubject(name)
	if !ok {
		return ""
	}
	var names []string
	last := -1
	for _, a := range attributes {
		if text, ok := l.attribute(a); ok && a.name == "CN" {
			commonName = text
		}
		names = append(names, a.name)
		at := slices.Index(attributeOrder, a.name)
		if at >= 0 && at < last {
			l.add(subjectOrder, a.field(), "stands after %s", attributeOrder[last])
		}
		last = max(last, at)
	}
	for _, name := range repeated(names) {
		if name != "DC" && name != "street" {
			l.add(subjectRepeated, "subject."+name, "appears more than once")
		}
	}
	return commonName
}

// readSubject returns the attributes of a Name in their order.
func (l *linter) readSubject(name asn1.RawValue) (attributes []attribute, ok bool) {
	rdns, ok := members(name, asn1.TagSequence)
	if !ok {
		l.add(subjectMalformed, "subject", "is not a Name")
		return nil, false
	}
	for _, rdn := range rdns {
		set, ok := members(rdn, asn1.TagSet)
		if !ok {
			l.add(subjectMalformed, "subject", "has an RDN that is not a SET of attributes")
			return nil, false
		}
		l.order("subject", set)
		switch {
		case len(set) == 0:
			l.add(subjectEmptyRDN, "subject", "has an RDN without an attribute")
		case len(set) > 1:
			l.add(subjectMultivalue, "subject", "has %d attributes in one RDN", len(set))
		}
		for _, member := range set {
			a, ok := l.readAttribute(member)
			if !ok {
				l.add(subjectMalformed, "subject", "has an attribute without a type and a value")
				return nil, false
			}
			attributes = append(attributes, a)
		}
	}
	return attributes, true
}

// readAttribute returns an AttributeTypeAndValue (RFC 5280 section 4.1.2.4).
func (l *linter) readAttribute(member asn1.RawValue) (a attribute, ok bool) {
	parts, ok := members(member, asn1.TagSequence)
	if !ok || len(parts) < 2 {
		return attribute{}, false
	}
	var oid asn1.ObjectIdentifier
	if _, err := asn1.Unmarshal(parts[0].FullBytes, &oid); err != nil {
		return attribute{}, false
	}
	a = attribute{name: oid.String(), most: math.MaxInt, value: parts[1]}
	a.directoryString = directoryStrings[a.name]
	if known, ok := attributeTypes[a.name]; ok {
		a.name, a.most = known.name, known.most
	}
	l.surplus(subjectMalformed, a.field(), "the attribute", parts, 2)
	return a, true
}

// attribute checks one attribute and returns its text, if it has one.
func (l *linter) attribute(a attribute) (text string, ok bool) {
	switch a.name {
	case "OU":
		l.add(subjectOU, a.field(), "is left out of every certificate since 2022")
	case "emailAddress":
		l.add(subjectEmail, a.field(), "is left out of server certificates")
	default:
		if !slices.Contains(attributeOrder, a.name) {
			l.add(subjectUnknown, a.field(), "is left out of server certificates")
		}
	}
	unreadable := a.directoryString && len(a.value.Bytes) == 0
	if unreadable {
		l.add(subjectEmptyUnread, a.field(), "is empty")
	}
	text, ok = l.readText(a)
	if !ok {
		return "", false
	}
	l.characters(a, text)
	if n := utf8.RuneCountInString(text); n > a.most {
		l.add(subjectLength, a.field(), "has %d characters, more than %d", n, a.most)
	}
	switch {
	case unreadable:
	case text == "":
		l.add(subjectEmpty, a.field(), "is empty")
	case isPlaceholder(text):
		l.add(subjectPlaceholder, a.field(), "%s is a placeholder", quote(text))
	case a.name == "C" && !isCountry(text):
		l.add(subjectCountry, a.field(), "%s is not two letters A-Z", quote(text))
	}
	return text, true
}
