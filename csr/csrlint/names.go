package csrlint

import (
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

var (
	cnNotInSAN   = changed("cn-not-in-san", "Boulder csr (Let's Encrypt), BR 7.1.4.3")
	cnAlone      = changed("san-missing", "Boulder csr (Let's Encrypt), BR 7.1.2.7.12")
	sanMissing   = refused("san-missing", "BR 7.1.2.7.12")
	sanMalformed = refused("san-malformed", "RFC 5280 section 4.2.1.6")
	sanKind      = refused("san-kind", "Boulder csr (Let's Encrypt), BR 7.1.2.7.12")
	sanUnread    = refused("san-kind", "GnuTLS, BR 7.1.2.7.12")
	sanIgnored   = changed("san-kind", "BR 7.1.2.7.12")
	sanIP        = refused("san-ip", "Boulder ra (Let's Encrypt)")
	sanPrivateIP = refused("san-ip", "BR 7.1.2.7.12")
	sanCount     = refused("san-count", "Boulder ra (Let's Encrypt)")
	sanRepeated  = changed("san-repeated", "zlint san_dns_name_duplicate")
	sanRedundant = refused("san-redundant", "Boulder ra (Let's Encrypt)")
)

// manyNames is the largest number of names that Let's Encrypt accepts.
const manyNames = 100

// names checks the names of the CSR: those of the SAN extension and the common
// name, which CAs treat as one of them. There should be one SAN extension.
func (l *linter) names(sans []pkix.Extension, commonName string) {
	var names []string // in lower case
	if len(sans) > 0 {
		names = l.alternativeNames(sans[0].Value)
	}
	names = l.commonName(names, commonName)
	for _, name := range repeated(names) {
		l.add(sanRepeated, "SAN", "has %s more than once", quote(name))
	}
	slices.Sort(names)
	names = slices.Compact(names)
	if len(names) > manyNames {
		l.add(sanCount, "SAN", "has %d names, more than %d", len(names), manyNames)
	}
	for _, name := range names {
		_, parent, _ := strings.Cut(name, ".")
		wildcard := "*." + parent
		if _, found := slices.BinarySearch(names, wildcard); found && name != wildcard {
			l.add(sanRedundant, "SAN", "has %s and %s, which covers it", quote(name), quote(wildcard))
		}
	}
}

// alternativeNames checks the value of the SAN extension and returns the names
// in it in lower case.
func (l *linter) alternativeNames(value []byte) []string {
	var list asn1.RawValue
	rest, err := asn1.Unmarshal(value, &list)
	all, ok := members(list, asn1.TagSequence)
	if err != nil || !ok || len(rest) > 0 {
		l.add(sanMalformed, "SAN", "is not a list of names")
		return nil
	}
	var names []string
	for i, v := range all {
		field := "SAN[" + strconv.Itoa(i) + "]"
		if v.Class != asn1.ClassContextSpecific || v.Tag >= len(generalNames) {
			l.add(sanMalformed, field, "is not a name of any kind")
			continue
		}
		kind := generalNames[v.Tag]
		switch {
		case v.IsCompound != kind.constructed || !isReadableName(v):
			l.add(sanMalformed, field, "is tagged as %s but not encoded as one", kind.name)
		case v.Tag == tagDNSName:
			l.dnsName(field, string(v.Bytes))
			names = append(names, strings.ToLower(string(v.Bytes)))
		case v.Tag == tagIPAddress:
			names = append(names, l.ipAddress(field, v.Bytes))
		case v.Tag == tagRFC822Name || v.Tag == tagURI:
			l.add(sanKind, field, "is %s: want only domain names", kind.name)
		case v.Tag == tagX400Address || v.Tag == tagEDIPartyName:
			l.add(sanUnread, field, "is %s: want only domain names", kind.name)
		default:
			l.add(sanIgnored, field, "is %s: want only domain names", kind.name)
		}
	}
	return names
}

// commonName checks the common name against the names, and returns them with it
// if it is not among them.
func (l *linter) commonName(names []string, cn string) []string {
	const field = "subject.CN"
	lower := strings.ToLower(cn)
	switch {
	case cn == "" && len(names) == 0:
		l.add(sanMissing, "SAN", "has no names, and the subject has no common name")
		return nil
	case cn == "":
		return names
	case slices.Contains(names, lower) && isIP(lower):
		l.add(nameIP, field, "%s is an IP address, not a domain name", quote(cn))
		return names
	case slices.Contains(names, lower):
		if cn != lower {
			l.add(nameCase, field, "%s is not in lower case", quote(cn))
		}
		return names
	case len(names) == 0:
		l.add(cnAlone, "SAN", "has no names: the common name %s is taken instead", quote(cn))
	default:
		l.add(cnNotInSAN, field, "%s is not among the names of the SAN extension and is added to them", quote(cn))
	}
	l.dnsName(field, cn)
	return append(names, lower)
}

// ipAddress checks an IP address and returns it as text.
func (l *linter) ipAddress(field string, b []byte) string {
	addr, ok := netip.AddrFromSlice(b)
	if !ok {
		l.add(sanMalformed, field, "is an IP address of %d bytes: want 4 or 16", len(b))
		return fmt.Sprintf("%x", b)
	}
	if public := addr.Unmap(); !public.IsGlobalUnicast() || public.IsPrivate() {
		l.add(sanPrivateIP, field, "%v is not a public address", addr)
	} else {
		l.add(sanIP, field, "%v is an IP address: want only domain names", addr)
	}
	return addr.String()
}
