package csr

import (
	"encoding/asn1"
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"golang.org/x/net/publicsuffix"
)

var (
	cnNotInSAN    = refused("cn-not-in-san", "BR 7.1.4.3")
	sanMissing    = refused("san-missing", "BR 7.1.2.7.12")
	sanMalformed  = refused("san-malformed", "RFC 5280 section 4.2.1.6")
	sanKind       = refused("san-kind", "BR 7.1.2.7.12")
	sanIP         = refused("san-ip", "BR 7.1.2.7.12")
	sanCount      = refused("san-count", "Let's Encrypt rate limits: 100 names")
	sanRepeated   = changed("san-repeated", "zlint san_dns_name_duplicate")
	sanRedundant  = refused("san-redundant", "Boulder policy (Let's Encrypt)")
	nameMalformed = refused("name-malformed", "BR 7.1.2.7.12, RFC 5890 section 2.3.1")
	nameCase      = changed("name-case", "RFC 4343 section 3")
	nameScore     = refused("name-underscore", "BR 7.1.2.7.12")
	nameDot       = refused("name-dot", "BR 7.1.2.7.12, RFC 5280 section 4.2.1.6")
	nameIP        = refused("name-ip", "BR 7.1.2.7.12")
	nameIDNA      = refused("name-idna", "BR 7.1.2.7.12, RFC 5890 section 2.3.2.1")
	nameWildcard  = refused("name-wildcard", "BR 3.2.2.6")
	nameSuffix    = refused("name-suffix", "BR 3.2.2.4")
	nameInternal  = refused("name-internal", "BR 4.2.2, 7.1.2.7.12")
)

// manyNames is how many names a CA takes that issues most of the certificates there are.
const manyNames = 100

// generalNames are the kinds of a GeneralName by their tag (RFC 5280 section 4.2.1.6).
var generalNames = []string{
	"otherName", "rfc822Name (an e-mail address)", "dNSName", "x400Address", "directoryName", "ediPartyName",
	"uniformResourceIdentifier", "iPAddress", "registeredID",
}

const (
	tagDNSName   = 2
	tagIPAddress = 7
)

// alternativeNames checks the value of the SAN extension, and the common name against it.
func (l *linter) alternativeNames(request *rawRequest, value []byte) {
	var general []asn1.RawValue
	if rest, err := asn1.Unmarshal(value, &general); err != nil || len(rest) > 0 {
		l.add(sanMalformed, "SAN", "is no list of names")
		return
	}
	if len(general) == 0 {
		l.add(sanMissing, "SAN", "the list of names is empty")
	}
	if len(general) > manyNames {
		l.add(sanCount, "SAN", "there are %d names, more than %d, the most that some large CAs take", len(general), manyNames)
	}
	var names []string // in lower case
	for i, name := range general {
		place := "SAN[" + strconv.Itoa(i) + "]"
		switch {
		case name.Class != asn1.ClassContextSpecific || name.Tag >= len(generalNames):
			l.add(sanMalformed, place, "is of no kind of name")
		case name.Tag == tagDNSName:
			l.dnsName(place, string(name.Bytes))
			names = append(names, strings.ToLower(string(name.Bytes)))
		case name.Tag == tagIPAddress:
			names = append(names, l.ipAddress(place, name.Bytes))
		default:
			l.add(sanKind, place, "is a %s: want only domain names", generalNames[name.Tag])
		}
	}
	for _, name := range repeated(names) {
		l.add(sanRepeated, "SAN", "%s is there more than once", quote(name))
	}
	known := make(map[string]bool, len(names))
	for _, name := range names {
		known[name] = true
	}
	l.redundant(names, known)
	l.commonNames(request, known)
}

// redundant finds names that a wildcard among the known ones covers.
func (l *linter) redundant(names []string, known map[string]bool) {
	for _, name := range names {
		if _, parent, ok := strings.Cut(name, "."); ok && name[0] != '*' && known["*."+parent] {
			l.add(sanRedundant, "SAN", "%s is covered by %s, which is there too", quote(name), quote("*."+parent))
		}
	}
}

// commonNames checks that each common name is a known one.
func (l *linter) commonNames(request *rawRequest, known map[string]bool) {
	var quiet linter // the subject has had its findings
	attributes, _ := quiet.readSubject(request.Info.Subject)
	for _, a := range attributes {
		if cn := string(a.Value.Bytes); a.name() == "CN" && !known[strings.ToLower(cn)] {
			l.add(cnNotInSAN, a.place(), "%s is not among the names of the SAN extension", quote(cn))
		}
	}
}

// ipAddress checks an IP address and returns it as text.
func (l *linter) ipAddress(place string, b []byte) string {
	addr, ok := netip.AddrFromSlice(b)
	if !ok {
		l.add(sanMalformed, place, "is an IP address of %d bytes: want 4 or 16", len(b))
		return fmt.Sprintf("%x", b)
	}
	if public := addr.Unmap(); !public.IsGlobalUnicast() || public.IsPrivate() {
		l.add(sanIP, place, "%v is not a public address", addr)
	} else {
		l.add(sanIP, place, "%v is an IP address: few public CAs take one, and the CDN has no use for it", addr)
	}
	return addr.String()
}

// dnsName checks one domain name: first what every name must be, then whether a public CA can validate it.
func (l *linter) dnsName(place, name string) {
	lower := strings.ToLower(name)
	host, wildcard := cutWildcard(lower)
	switch reason := nameMistake(lower); {
	case !isASCII(name):
		l.add(nameMalformed, place, "%s is not in its ASCII form", quote(name))
	case isIP(lower):
		l.add(nameIP, place, "%s is an IP address, not a domain name", quote(name))
	case strings.HasSuffix(lower, "."):
		l.add(nameDot, place, "%s ends with a dot", quote(name))
	case strings.Contains(lower, "_"):
		l.add(nameScore, place, "%s holds an underscore", quote(name))
	case reason != "" && strings.Contains(lower, "xn--"):
		l.add(nameIDNA, place, "%s %s", quote(name), reason)
	case reason != "":
		l.add(nameMalformed, place, "%s %s", quote(name), reason)
	default:
		if lower != name {
			l.add(nameCase, place, "%s is not in lower case", quote(name))
		}
		l.publicName(place, host, wildcard)
	}
}

// nameMistake returns what is wrong with a name that must be in its ASCII form already, or "".
func nameMistake(name string) string {
	normal, reason := domainName(name)
	if reason == "" && normal != name {
		return "is not in its ASCII form, " + quote(normal)
	}
	return reason
}

// publicName checks whether someone can own the name: it is neither internal to a network nor a public suffix.
func (l *linter) publicName(place, host string, wildcard bool) {
	suffix, icann := publicsuffix.PublicSuffix(host)
	switch {
	case !icann && !strings.Contains(suffix, "."): // the default rule: a top-level domain that isn't in the list
		l.add(nameInternal, place, "%s is not under a public top-level domain", quote(host))
	case icann && suffix == host && wildcard:
		l.add(nameWildcard, place, "%s covers every domain under the public suffix %s", quote("*."+host), quote(host))
	case icann && suffix == host:
		l.add(nameSuffix, place, "%s is a public suffix", quote(host))
	}
}
