package csrlint

import (
	"net"
	"net/netip"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"
	"golang.org/x/net/publicsuffix"
	"golang.org/x/text/unicode/norm"
)

var (
	nameMalformed = refused("name-malformed", "BR 7.1.2.7.12, RFC 5890 section 2.3.1")
	nameCase      = changed("name-case", "RFC 4343 section 3")
	nameScore     = refused("name-underscore", "BR 7.1.2.7.12")
	nameDot       = refused("name-dot", "BR 7.1.2.7.12, RFC 5280 section 4.2.1.6")
	nameIP        = refused("name-ip", "BR 7.1.2.7.12")
	nameIDNA      = refused("name-idna", "BR 7.1.2.7.12, RFC 5890 section 2.3.2.1")
	nameLabels    = refused("name-labels", "Boulder policy (Let's Encrypt)")
	nameWildcard  = refused("name-wildcard", "BR 3.2.2.6")
	nameSuffix    = refused("name-suffix", "BR 3.2.2.4")
	nameInternal  = refused("name-internal", "BR 4.2.2, 7.1.2.7.12")
)

const (
	maxName   = 253 // octets, RFC 1035 section 2.3.4 without the dot at the end
	maxLabel  = 63  // octets, same place
	maxLabels = 10  // Boulder's, without a wildcard's *
)

// dnsName checks one domain name: first its syntax, then whether a public CA
// can validate it.
func (l *linter) dnsName(field, name string) {
	lower := strings.ToLower(name)
	host, wildcard := strings.CutPrefix(lower, "*.")
	labels := strings.Split(host, ".")
	switch {
	case name == "":
		l.add(nameMalformed, field, "is empty")
	case strings.IndexFunc(name, func(r rune) bool { return r >= utf8.RuneSelf }) >= 0:
		l.add(nameMalformed, field, "%s is not in its ASCII (xn--) form", quote(name))
	case isIP(host):
		l.add(nameIP, field, "%s is an IP address, not a domain name", quote(name))
	case strings.HasSuffix(lower, "."):
		l.add(nameDot, field, "%s ends with a dot", quote(name))
	case strings.Contains(lower, "_"):
		l.add(nameScore, field, "%s has an underscore", quote(name))
	case len(name) > maxName:
		l.add(nameMalformed, field, "%s has %d octets, more than %d", quote(name), len(name), maxName)
	case !l.labels(field, name, labels):
	case len(labels) > maxLabels:
		l.add(nameLabels, field, "%s has %d labels, more than %d", quote(name), len(labels), maxLabels)
	default:
		if lower != name {
			l.add(nameCase, field, "%s is not in lower case", quote(name))
		}
		l.owner(field, host, wildcard)
	}
}

// labels checks the labels of a name (RFC 1123 section 2.1, RFC 5890 section
// 2.3.1) up to the first mistake. It reports whether there is none.
func (l *linter) labels(field, name string, labels []string) bool {
	for _, label := range labels {
		switch {
		case label == "":
			l.add(nameMalformed, field, "%s has an empty label", quote(name))
		case len(label) > maxLabel:
			l.add(nameMalformed, field, "%s has a label of %d octets, more than %d", quote(name), len(label), maxLabel)
		case strings.Contains(label, "*"):
			l.add(nameMalformed, field, "%s has * elsewhere than as the whole left-most label", quote(name))
		case strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-") != "":
			l.add(nameMalformed, field, "%s has a character other than letters, digits and hyphens", quote(name))
		case label[0] == '-' || label[len(label)-1] == '-':
			l.add(nameMalformed, field, "%s has a label that begins or ends with a hyphen", quote(name))
		case len(label) >= 4 && label[2:4] == "--" && label[:2] != "xn":
			const format = "%s has the label %s, which is reserved for its hyphens in third and fourth place"
			l.add(nameMalformed, field, format, quote(name), quote(label))
		case !isPunycode(label):
			const format = "%s has the label %s, which is not Punycode of a normalized text"
			l.add(nameIDNA, field, format, quote(name), quote(label))
		default:
			continue
		}
		return false
	}
	return true
}

// isPunycode reports whether label is a P-label of the BR, or does not begin
// with xn--. A CA does not check whether IDNA allows its characters.
func isPunycode(label string) bool {
	if !strings.HasPrefix(label, "xn--") {
		return true
	}
	text, err := idna.ToUnicode(label)
	return err == nil && norm.NFC.IsNormalString(text)
}

// owner checks that someone can own a name below host: it is neither internal
// to a network nor a public suffix.
func (l *linter) owner(field, host string, wildcard bool) {
	suffix, icann := publicsuffix.PublicSuffix(host)
	switch {
	case !icann && !strings.Contains(suffix, "."): // the default rule: a top-level domain that is not in the list
		l.add(nameInternal, field, "%s is not below a public top-level domain", quote(host))
	case icann && suffix == host && wildcard:
		l.add(nameWildcard, field, "%s covers every domain below the public suffix %s", quote("*."+host), quote(host))
	case icann && suffix == host:
		l.add(nameSuffix, field, "%s is a public suffix", quote(host))
	}
}

// isIP reports whether s is an IP address, also in brackets or with a port.
func isIP(s string) bool {
	if host, _, err := net.SplitHostPort(s); err == nil {
		s = host
	}
	_, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(s, "["), "]"))
	return err == nil
}
