package csr

import (
	"fmt"
	"net/mail"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// text returns the rule for a text of the subject: at most a number of characters, in NFC. An empty one becomes
// fallback.
func text(fallback string, most int) func(string) (normal, reason string) {
	return func(s string) (normal, reason string) {
		if s == "" {
			return fallback, ""
		}
		if reason := textMistake(s); reason != "" {
			return "", reason
		}
		normal = norm.NFC.String(s)
		if n := utf8.RuneCountInString(normal); n > most {
			return "", fmt.Sprintf("has %d characters, more than %d: shorten it", n, most)
		}
		return normal, ""
	}
}

// textMistake returns what is wrong with s for any field, or "": invalid UTF-8, a character that shows nothing or
// something else than it is, a blank at either end.
func textMistake(s string) string {
	if !utf8.ValidString(s) {
		return "is not valid UTF-8: convert it from its encoding"
	}
	for _, r := range s {
		switch {
		case r == '\u2028' || r == '\u2029':
			return fmt.Sprintf("holds the line end %U: take it out", r)
		case unicode.Is(unicode.Cc, r):
			return fmt.Sprintf("holds the control character %U: take it out", r)
		case unicode.Is(unicode.Bidi_Control, r):
			return fmt.Sprintf("holds the bidirectional control %U: take it out", r)
		case r == utf8.RuneError:
			return "holds U+FFFD, which stands for a character that was lost in a conversion: write the right one"
		}
	}
	if strings.TrimSpace(s) != s {
		return "begins or ends with a blank: take that off"
	}
	return ""
}

// email is the rule for Request.Email: one plain address (RFC 5322 addr-spec) that an IA5String can hold.
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
		return "", fmt.Sprintf("has %d characters, more than %d: shorten it", len(s), maxEmail)
	}
	addr, err := mail.ParseAddress(s)
	if err != nil {
		return "", "is not an e-mail address such as admin@example.com"
	}
	if addr.Name != "" || addr.Address != s {
		return "", "is not one plain e-mail address: write only " + quote(addr.Address)
	}
	if domain := s[strings.LastIndexByte(s, '@')+1:]; strings.HasPrefix(domain, "*") {
		return "", "has a wildcard as its domain: write a domain without *"
	} else if _, reason := domainName(domain); reason != "" {
		return "", "has the domain " + quote(domain) + ", which " + reason
	}
	return s, ""
}

func isASCII(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r >= utf8.RuneSelf }) < 0
}
