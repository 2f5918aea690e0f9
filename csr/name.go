package csr

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/net/idna"
)

const (
	maxName  = 253 // octets of a name without the dot at the end, RFC 1035 section 2.3.4
	maxLabel = 63  // octets, same place
)

// uts46 maps domain names by UTS #46 as a client that looks them up does. The package's ready-made profiles accept
// thousands of the names that Unicode's IdnaTestV2.txt calls wrong.
var uts46 = idna.New(idna.MapForLookup(), idna.Transitional(false), idna.BidiRule(), idna.VerifyDNSLength(true))

// domainName is the rule for a domain name, with or without a wildcard as its left-most label. The normal form is ASCII
// in lower case.
func domainName(s string) (normal, reason string) {
	if s == "" {
		return "", "is empty: leave it out"
	}
	if reason := textMistake(s); reason != "" {
		return "", reason
	}
	if reason := knownMistake(s); reason != "" {
		return "", reason
	}
	host, wildcard := cutWildcard(s)
	if strings.ContainsAny(host, "*＊") || host == "" {
		return "", "has * elsewhere than as the whole left-most label, as in *.example.com"
	}
	normal, err := uts46.ToASCII(host)
	if reason := labelMistake(normal); reason != "" {
		return "", reason
	}
	if wildcard {
		normal = "*." + normal
	}
	if len(normal) > maxName {
		return "", fmt.Sprintf("has %d octets in its ASCII form, more than %d: shorten it", len(normal), maxName)
	}
	if err != nil {
		return "", "is not a domain name by UTS #46, so correct its spelling: " + strings.TrimPrefix(err.Error(), "idna: ")
	}
	return normal, ""
}

// cutWildcard takes a left-most label * off, with any of the dots of UTS #46.
func cutWildcard(s string) (host string, wildcard bool) {
	rest, ok := strings.CutPrefix(s, "*")
	if !ok {
		return s, false
	}
	for _, dot := range []string{".", "。", "．", "｡"} {
		if host, ok := strings.CutPrefix(rest, dot); ok {
			return host, true
		}
	}
	return s, false
}

// labelMistake returns what is wrong with a name that has been mapped to ASCII, or "". RFC 1123 section 2.1 has the
// alphabet.
func labelMistake(name string) string {
	if strings.HasSuffix(name, ".") {
		return "ends with a dot: leave it out"
	}
	labels := strings.Split(name, ".")
	for _, label := range labels {
		switch {
		case label == "":
			return "has an empty label, by two dots in a row or one at the beginning: take a dot out"
		case len(label) > maxLabel:
			return fmt.Sprintf("has a label of %d octets in its ASCII form, more than %d: shorten it", len(label), maxLabel)
		case strings.Contains(label, "_"):
			return "holds an underscore, which no certificate may have: write a hyphen, or another name"
		case label[0] == '-' || label[len(label)-1] == '-':
			return "has a label that begins or ends with a hyphen: take that off"
		case len(label) > 3 && label[2:4] == "--" && label[:2] != "xn":
			return "has a label with hyphens in the third and fourth place, which are kept for xn--: take one out"
		case !isLDH(label):
			return "holds a character other than letters, digits and hyphens: take it out"
		}
	}
	if isNumber(labels[len(labels)-1]) {
		return "ends in a number, as an IP address does: give a domain name"
	}
	return ""
}

func isLDH(label string) bool {
	for _, c := range []byte(label) {
		if !('a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '-') {
			return false
		}
	}
	return true
}

// isNumber tells whether resolvers take a name with this last label for an IPv4 address: decimal, octal or hexadecimal
// (WHATWG URL, "ends in a number").
func isNumber(label string) bool {
	if digits, ok := strings.CutPrefix(label, "0x"); ok {
		return strings.Trim(digits, "0123456789abcdef") == ""
	}
	return strings.Trim(label, "0123456789") == ""
}

// knownMistake returns a hint for what is no domain name but often stands in the place of one, or "".
func knownMistake(s string) string {
	switch {
	case strings.Contains(s, "://"):
		if u, err := url.Parse(s); err == nil && u.Hostname() != "" {
			return "is a URL: give only " + quote(u.Hostname())
		}
		return "is a URL: give only the name in it"
	case strings.ContainsAny(s, ",，、;；"):
		return "is several names in one: give each as an element of SANs"
	case strings.IndexFunc(s, unicode.IsSpace) >= 0:
		return "holds a blank: take it out, or give several names as elements of SANs"
	case strings.ContainsAny(s, "@＠"):
		return "is an e-mail address: give only its domain, or put it into Email"
	case isIP(s):
		return "is an IP address: give a domain name"
	case strings.ContainsAny(s, "/\\?#／"):
		return "has a path or a query: give only the name"
	}
	if host, port, ok := strings.Cut(s, ":"); ok {
		if _, err := strconv.ParseUint(port, 10, 16); err == nil {
			return "has a port: give only " + quote(host)
		}
		return "holds a colon: give only a domain name"
	}
	return ""
}

// isIP tells whether s is an IP address, also in brackets, with a zone or a port, whatever stands behind a slash.
func isIP(s string) bool {
	s, _, _ = strings.Cut(s, "/")
	if host, _, err := net.SplitHostPort(s); err == nil {
		s = host
	}
	_, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(s, "["), "]"))
	return err == nil
}
