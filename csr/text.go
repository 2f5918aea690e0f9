package csr

import (
	"fmt"
	"net/mail"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// text is the rule for a text of the subject. It has at most the given number
// of characters in Unicode normalization form C.
func text(s string, most int) (normal, reason string) {
	if s == "" {
		return "", ""
	}
	if reason := textMistake(s); reason != "" {
		return "", reason
	}
	normal = norm.NFC.String(s)
	if n := utf8.RuneCountInString(normal); n > most {
		return "", fmt.Sprintf("has %d characters, more than %d", n, most)
	}
	return normal, ""
}

// textMistake returns what is wrong with the characters of a text, or "". It
// refuses what characterMistake refuses, invisible characters and
// noncharacters.
func textMistake(s string) string {
	if reason := characterMistake(s); reason != "" {
		return reason
	}
	for _, r := range s {
		switch {
		case unicode.Is(unicode.Noncharacter_Code_Point, r):
			return fmt.Sprintf("contains the noncharacter %U", r)
		case isDefaultIgnorable(r) && !isJoiner(r):
			return fmt.Sprintf("contains the invisible character %U", r)
		}
	}
	if s != "" && strings.TrimFunc(s, isBlank) == "" {
		return "has no visible character"
	}
	return ""
}

// characterMistake returns what is wrong with the characters of any field,
// domain names included, or "".
func characterMistake(s string) string {
	if !utf8.ValidString(s) {
		return "is not valid UTF-8"
	}
	for _, r := range s {
		switch {
		case r == '\u2028' || r == '\u2029':
			return fmt.Sprintf("contains the line separator %U", r)
		case unicode.Is(unicode.Cc, r):
			return fmt.Sprintf("contains the control character %U", r)
		case unicode.Is(unicode.Bidi_Control, r):
			return fmt.Sprintf("contains the bidirectional control %U", r)
		case r == utf8.RuneError:
			return "contains U+FFFD, which stands for a character that was lost in a conversion"
		}
	}
	if strings.TrimSpace(s) != s {
		return "begins or ends with a space"
	}
	return ""
}

// isDefaultIgnorable reports whether r has Unicode's derived property
// Default_Ignorable_Code_Point, by its definition in DerivedCoreProperties.txt.
// The ranges are the interlinear annotation characters and the Egyptian
// hieroglyph format characters.
func isDefaultIgnorable(r rune) bool {
	if unicode.In(r, unicode.White_Space, unicode.Prepended_Concatenation_Mark) ||
		0xFFF9 <= r && r <= 0xFFFB || 0x13430 <= r && r <= 0x1343F {
		return false
	}
	return unicode.In(r, unicode.Cf, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}

// isJoiner reports whether r is a zero-width joiner or non-joiner, which
// Persian and the scripts of India need between letters.
func isJoiner(r rune) bool { return r == '\u200c' || r == '\u200d' }

// isBlank reports whether r alone shows nothing: a joiner, a space, or U+2800
// BRAILLE PATTERN BLANK.
func isBlank(r rune) bool { return isJoiner(r) || unicode.IsSpace(r) || r == '\u2800' }

// email is the rule for Request.Email: an addr-spec of RFC 5322 section 3.4.1
// that an IA5String can hold.
func email(s string) (normal, reason string) {
	if s == "" {
		return "", ""
	}
	if reason := textMistake(s); reason != "" {
		return "", reason
	}
	if !isASCII(s) {
		return "", "is not ASCII: write its domain in xn-- form"
	}
	if len(s) > maxEmail {
		return "", fmt.Sprintf("has %d characters, more than %d", len(s), maxEmail)
	}
	addr, err := mail.ParseAddress(s)
	if err != nil {
		return "", "is not an email address such as admin@example.com"
	}
	if addr.Name != "" || addr.Address != s {
		return "", "is not a plain email address: write only " + quote(addr.Address)
	}
	if reason := emailDomainMistake(s[strings.LastIndexByte(s, '@')+1:]); reason != "" {
		return "", reason
	}
	return s, ""
}

// emailDomainMistake returns what is wrong with the domain of an address, or
// "".
func emailDomainMistake(domain string) string {
	if strings.HasPrefix(domain, "*") {
		return "has a wildcard as its domain"
	}
	if _, reason := domainName(domain); reason != "" {
		return "has the domain " + quote(domain) + ", which " + reason
	}
	return ""
}

func isASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r >= utf8.RuneSelf })
}
