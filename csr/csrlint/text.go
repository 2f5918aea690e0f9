package csrlint

import (
	"encoding/asn1"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

var (
	subjectType       = changed("subject-type", "BR 7.1.4.2, RFC 5280 section 4.1.2.4")
	subjectTypeUnread = refused("subject-type", "openssl, RFC 5280 section 4.1.2.4")
	subjectUnreadable = refused("subject-characters", "ITU-T X.680 section 41")
	subjectCharacters = changed("subject-characters", "ITU-T X.680 section 41, RFC 5280 section 4.1.2.4")
	subjectBlank      = changed("subject-blank", "zlint subject_dn_leading_whitespace and _trailing_whitespace")
)

// readText checks the ASN.1 type of a's value and returns the value in UTF-8.
// It reports whether the value is a string that is valid for its type.
func (l *linter) readText(a attribute) (text string, ok bool) {
	want := []int{asn1.TagPrintableString, asn1.TagUTF8String}
	switch a.name {
	case "C":
		want = want[:1]
	case "emailAddress", "DC":
		want = []int{asn1.TagIA5String}
	}
	rule, tag := subjectType, a.value.Tag
	if !isReadableInName(a.value) {
		rule = subjectTypeUnread
	}
	if a.value.Class != asn1.ClassUniversal || a.value.IsCompound {
		l.add(rule, a.field(), "is not a string")
		return "", false
	}
	if !slices.Contains(want, tag) {
		l.add(rule, a.field(), "is a %s: want %s", typeName(tag), wantedTypes(want))
	}
	if rule.refused {
		return "", false
	}
	value, err := decode(a.value)
	if err != nil {
		l.add(subjectUnreadable, a.field(), "is not a valid %s: %s", typeName(tag), quote(string(a.value.Bytes)))
		return "", false
	}
	text, ok = value.(string)
	return text, ok
}

// characters checks the characters of text, which is the value of a.
func (l *linter) characters(a attribute, text string) {
	// encoding/asn1 accepts * and &, which the standard does not allow.
	if a.value.Tag == asn1.TagPrintableString && strings.ContainsAny(text, "*&") {
		l.add(subjectCharacters, a.field(), "is a PrintableString with * or &: %s", quote(text))
	}
	if i := strings.IndexFunc(text, isInvisible); i >= 0 {
		r, _ := utf8.DecodeRuneInString(text[i:])
		l.add(subjectCharacters, a.field(), "%s has the invisible character %U", quote(text), r)
	}
	if strings.TrimSpace(text) != text {
		l.add(subjectBlank, a.field(), "%s begins or ends with a blank", quote(text))
	}
}

// isInvisible reports whether r is a character that package csr refuses in a
// subject: a control, a line or paragraph separator, a noncharacter, U+FFFD, or
// one with Unicode's property Default_Ignorable_Code_Point, without the two
// joiners that some scripts need.
func isInvisible(r rune) bool {
	const zwnj, zwj = '\u200c', '\u200d'
	if r == zwnj || r == zwj {
		return false
	}
	return r == utf8.RuneError || isDefaultIgnorable(r) ||
		unicode.In(r, unicode.Cc, unicode.Zl, unicode.Zp, unicode.Noncharacter_Code_Point)
}

// isDefaultIgnorable reports whether r has the property
// Default_Ignorable_Code_Point, which is derived (Unicode's
// DerivedCoreProperties.txt). The ranges are the interlinear annotation
// characters and the Egyptian hieroglyph format characters.
func isDefaultIgnorable(r rune) bool {
	if unicode.In(r, unicode.White_Space, unicode.Prepended_Concatenation_Mark) ||
		0xFFF9 <= r && r <= 0xFFFB || 0x13430 <= r && r <= 0x1343F {
		return false
	}
	return unicode.In(r, unicode.Cf, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}

// isCountry reports whether s looks like a code of ISO 3166-1. It does not know
// the codes.
func isCountry(s string) bool {
	return len(s) == 2 && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == ""
}

// isPlaceholder reports whether s is a placeholder (BR 7.1.2.7.4), or a default
// of openssl req.
func isPlaceholder(s string) bool {
	proposed := []string{
		"Some-State", "Internet Widgits Pty Ltd", "Default City", "Default Company Ltd", "N/A", "n/a", "NA", "None",
	}
	return strings.Trim(s, " .-") == "" || slices.Contains(proposed, s)
}

// typeName returns the name of an ASN.1 string type, or the tag of another
// type.
func typeName(tag int) string {
	names := map[int]string{
		asn1.TagUTF8String:      "UTF8String",
		asn1.TagNumericString:   "NumericString",
		asn1.TagPrintableString: "PrintableString",
		asn1.TagT61String:       "TeletexString",
		asn1.TagIA5String:       "IA5String",
		tagVisibleString:        "VisibleString",
		asn1.TagGeneralString:   "GeneralString",
		tagUniversalString:      "UniversalString",
		asn1.TagBMPString:       "BMPString",
	}
	if name, ok := names[tag]; ok {
		return name
	}
	return fmt.Sprintf("value of ASN.1 tag %d", tag)
}

func wantedTypes(tags []int) string {
	names := make([]string, len(tags))
	for i, tag := range tags {
		names[i] = typeName(tag)
	}
	return strings.Join(names, " or ")
}
