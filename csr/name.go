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
	maxName  = 253 // octets without a dot at the end, RFC 1035 section 2.3.4
	maxLabel = 63  // octets, same section
)

// uts46 returns the profile that maps domain names by UTS #46 as a client does
// before a lookup. The predefined profiles of package idna accept thousands of
// names that are invalid in Unicode's IdnaTestV2.txt. (A variable would link
// package idna and its tables, 170 KB, into every program.)
func uts46() *idna.Profile {
	return idna.New(idna.MapForLookup(), idna.Transitional(false), idna.BidiRule(), idna.VerifyDNSLength(true))
}

// domainName is the rule for a domain name, whose leftmost label may be a
// wildcard. The normal form is ASCII in lower case.
func domainName(s string) (normal, reason string) {
	if s == "" {
		return "", "is empty"
	}
	if reason := characterMistake(s); reason != "" { // UTS #46 has its own rules for invisible characters
		return "", reason
	}
	if reason := knownMistake(s); reason != "" {
		return "", reason
	}
	host, wildcard := cutWildcard(s)
	if strings.ContainsAny(host, "*＊") || host == "" {
		return "", "has a * that is not the whole leftmost label, as in *.example.com"
	}
	normal, err := uts46().ToASCII(host)
	if reason := labelMistake(normal); reason != "" {
		return "", reason
	}
	if wildcard {
		normal = "*." + normal
	}
	if len(normal) > maxName {
		return "", fmt.Sprintf("has %d octets in its ASCII form, more than %d", len(normal), maxName)
	}
	if err != nil {
		return "", "is not a domain name by UTS #46: " + strings.TrimPrefix(err.Error(), "idna: ")
	}
	return normal, ""
}

// cutWildcard removes a leftmost label *, which may end with any of the dots of
// UTS #46.
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

// labelMistake returns what is wrong with the labels of a name that has been
// mapped to ASCII, or "". The alphabet is that of RFC 1123 section 2.1.
func labelMistake(name string) string {
	if strings.HasSuffix(name, ".") {
		return "ends with a dot"
	}
	labels := strings.Split(name, ".")
	for _, label := range labels {
		switch {
		case label == "":
			return "has an empty label"
		case len(label) > maxLabel:
			return fmt.Sprintf("has a label of %d octets in its ASCII form, more than %d", len(label), maxLabel)
		case strings.Contains(label, "_"):
			return "contains an underscore, which certificates do not allow"
		case label[0] == '-' || label[len(label)-1] == '-':
			return "has a label that begins or ends with a hyphen"
		case len(label) > 3 && label[2:4] == "--" && label[:2] != "xn":
			return "has a label with hyphens in the third and fourth place, which are reserved for xn--"
		case !isLDH(label):
			return "contains a character other than letters, digits and hyphens"
		}
	}
	if isNumber(labels[len(labels)-1]) {
		return "ends in a number, as an IP address does"
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

// isNumber reports whether resolvers take a name with this last label for an
// IPv4 address: a number that is decimal, octal or hexadecimal (WHATWG URL,
// "ends in a number").
func isNumber(label string) bool {
	if digits, ok := strings.CutPrefix(label, "0x"); ok {
		return strings.Trim(digits, "0123456789abcdef") == ""
	}
	return strings.Trim(label, "0123456789") == ""
}

// knownMistake returns what s is, if it is something that is often written
// instead of a domain name, or "".
func knownMistake(s string) string {
	switch {
	case strings.Contains(s, "://"):
		if u, err := url.Parse(s); err == nil && u.Hostname() != "" {
			return "is a URL: write only " + quote(u.Hostname())
		}
		return "is a URL: write only the domain name"
	case strings.ContainsAny(s, ",，、;；"):
		return "is several names: write each as an element of SANs"
	case strings.ContainsFunc(s, unicode.IsSpace):
		return "contains a space: write several names as elements of SANs"
	case strings.ContainsAny(s, "@＠"):
		return "is an email address, which belongs in Email"
	case isIP(s):
		return "is an IP address"
	case strings.ContainsAny(s, "/\\?#／"):
		return "has a path or a query: write only the domain name"
	}
	if host, port, ok := strings.Cut(s, ":"); ok {
		if _, err := strconv.ParseUint(port, 10, 16); err == nil {
			return "has a port: write only " + quote(host)
		}
		return "contains a colon"
	}
	return ""
}

// isIP reports whether s is an IP address, which may be in brackets and have a
// zone, a port, or a slash with anything after it.
func isIP(s string) bool {
	s, _, _ = strings.Cut(s, "/")
	if host, _, err := net.SplitHostPort(s); err == nil {
		s = host
	}
	_, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(s, "["), "]"))
	return err == nil
}
