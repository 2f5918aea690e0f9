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
	tag := a.value.Tag
	if a.value.Class != asn1.ClassUniversal || a.value.IsCompound {
		l.add(subjectType, a.field(), "is not a string")
		return "", false
	}
	if !slices.Contains(want, tag) {
		l.add(subjectType, a.field(), "is a %s: want %s", typeName(tag), wantedTypes(want))
	}
	var value any
	if _, err := asn1.Unmarshal(a.value.FullBytes, &value); err != nil {
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

// isInvisible reports whether r is invisible, is not a character, or changes
// how others are shown: controls, line ends, Default_Ignorable_Code_Point
// without the two joiners that some scripts need, U+FFFD.
func isInvisible(r rune) bool {
	const zwnj, zwj = '\u200c', '\u200d'
	if r == zwnj || r == zwj || unicode.Is(unicode.Prepended_Concatenation_Mark, r) {
		return false
	}
	return r == utf8.RuneError || unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp,
		unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector, unicode.Noncharacter_Code_Point)
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
		26:                      "VisibleString",
		asn1.TagGeneralString:   "GeneralString",
		28:                      "UniversalString",
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
