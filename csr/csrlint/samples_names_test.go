package csrlint

import (
	"encoding/asn1"
	"fmt"
	"slices"
	"strings"
)

// sanSamples are wrong in the kinds and the number of their names.
func sanSamples() []sample {
	also := func(tag byte, value string) func(*forgery) {
		return func(f *forgery) { f.names = append(f.names, generalName(tag, value)) }
	}
	value := func(value []byte) func(*forgery) {
		return func(f *forgery) { f.names, f.extensions = nil, [][]byte{extension(oid(2, 5, 29, 17), value)} }
	}
	called := func(names ...string) func(*forgery) { return func(f *forgery) { f.called(names...) } }
	dirName := func(rdn []byte) func(*forgery) { return also(constructedBit|4, string(tlv(tagSequence, rdn))) }
	otherName := func(parts ...[]byte) func(*forgery) {
		return also(constructedBit, string(slices.Concat(parts...)))
	}
	return []sample{
		{"SAN not a list", value([]byte("x")), "san-malformed", "san-missing"},
		{"SAN not a SEQUENCE", value(tlv(tagSet)), "san-malformed", "san-missing"},
		{
			"SAN with more after it", value(append(tlv(tagSequence, dnsName("www.example.com")), 5, 0)),
			"san-malformed", "san-missing",
		},
		{"name of no kind", also(9, "x"), "san-malformed", ""},
		{"name of no kind before another mistake", func(f *forgery) {
			f.names = append(f.names, generalName(9, "x"), dnsName("a_b.example.com"))
		}, "name-underscore san-malformed", ""},
		{"name of another class", func(f *forgery) { f.names = append(f.names, tlv(2, []byte("x"))) }, "san-malformed", ""},
		{"constructed dNSName", func(f *forgery) {
			f.names = append(f.names, tlv(contextTag|constructedBit|tagDNSName, []byte("a.example.com")))
		}, "san-malformed", ""},
		{"primitive directoryName", also(4, ""), "san-malformed", ""},
		{"directoryName", also(constructedBit|4, string(tlv(tagSequence))), "", "san-kind"},
		{"directoryName with an attribute", dirName(rdn(attr(commonName, utf8String, "x"))), "", "san-kind"},
		{"directoryName empty", also(constructedBit|4, ""), "san-malformed", ""},
		{"directoryName not a SEQUENCE", also(constructedBit|4, string(tlv(tagSet))), "san-malformed", ""},
		{
			"directoryName with more after it", also(constructedBit|4, string(tlv(tagSequence))+"\x05\x00"),
			"san-malformed", "",
		},
		{"directoryName with an empty RDN", dirName(rdn()), "san-malformed", ""},
		{"directoryName without an RDN", dirName(null), "san-malformed", ""},
		{"directoryName without an attribute", dirName(rdn(null)), "san-malformed", ""},
		{
			"directoryName with a GeneralString", dirName(rdn(attr(commonName, asn1.TagGeneralString, "x"))),
			"san-malformed", "",
		},
		{
			"directoryName with half a character", dirName(rdn(attr(commonName, asn1.TagBMPString, "x"))),
			"san-malformed", "",
		},
		{"directoryName with an empty attribute", dirName(rdn(attr(commonName, utf8String, ""))), "san-malformed", ""},
		{"directoryName with invalid UTF-8", dirName(rdn(attr(commonName, utf8String, "\xff"))), "san-malformed", ""},
		{"directoryName with a TeletexString", dirName(rdn(attr(commonName, asn1.TagT61String, "\xff"))), "", "san-kind"},
		{"directoryName with a type not an OID", dirName(rdn(attr(null, utf8String, "x"))), "san-malformed", ""},
		{
			"directoryName with three in an attribute", dirName(rdn(tlv(tagSequence, commonName, null, null))),
			"san-malformed", "",
		},
		{"otherName", otherName(oid(1, 2, 3), tlv(0xa0, null)), "", "san-kind"},
		{"otherName empty", otherName(), "san-malformed", ""},
		{"otherName without a value", otherName(oid(1, 2, 3)), "san-malformed", ""},
		{"otherName with more at its end", otherName(oid(1, 2, 3), tlv(0xa0, null), null), "san-malformed", ""},
		{"otherName without a type", otherName(null, tlv(0xa0, null)), "san-malformed", ""},
		{"otherName with an empty type", otherName(tlv(asn1.TagOID), tlv(0xa0, null)), "san-malformed", ""},
		{"otherName with a value without [0]", otherName(oid(1, 2, 3), null), "san-malformed", ""},
		{"otherName with a value [1]", otherName(oid(1, 2, 3), tlv(0xa1, null)), "san-malformed", ""},
		{"otherName with an empty [0]", otherName(oid(1, 2, 3), tlv(0xa0)), "san-malformed", ""},
		{"otherName with two values", otherName(oid(1, 2, 3), tlv(0xa0, null, null)), "san-malformed", ""},
		{"otherName with a malformed value", otherName(oid(1, 2, 3), tlv(0xa0, tlv(asn1.TagInteger))), "san-malformed", ""},
		{"x400Address", also(constructedBit|3, string(tlv(tagSequence))), "san-kind", ""},
		{"ediPartyName", also(constructedBit|5, string(tlv(0xa1, tlv(utf8String, []byte("A"))))), "san-kind", ""},
		{"ediPartyName empty", also(constructedBit|5, ""), "san-kind", ""},
		{"registeredID", also(8, "\x2a\x03"), "", "san-kind"},
		{"registeredID empty", also(8, ""), "san-malformed", ""},
		{"registeredID cut short", also(8, "\x2a\x83"), "san-malformed", ""},
		{"registeredID with a leading zero", also(8, "\x2a\x80\x03"), "san-malformed", ""},
		{"rfc822Name", also(1, "admin@example.com"), "san-kind", ""},
		{"URI", also(6, "https://example.com/"), "san-kind", ""},
		{"IP address of 3 bytes", also(tagIPAddress, "abc"), "san-malformed", ""},
		{"IP address", also(tagIPAddress, "\x08\x08\x08\x08"), "san-ip", ""},
		{"IPv6 address", also(tagIPAddress, "\x24\x08"+strings.Repeat("\x00", 13)+"\x01"), "san-ip", ""},
		{"private IP address", also(tagIPAddress, "\x0a\x00\x00\x01"), "san-ip", ""},
		{"private IPv6 address", also(tagIPAddress, "\xfd"+strings.Repeat("\x00", 15)), "san-ip", ""},
		{"100 names", called(numbered(100)...), "", ""},
		{"101 names", called(numbered(101)...), "san-count", ""},
		{"100 names and a common name", func(f *forgery) {
			cn := f.rdns[len(f.rdns)-1]
			f.called(numbered(100)...)
			f.rdns[len(f.rdns)-1] = cn
		}, "san-count", "cn-not-in-san"},
		{"100 names, each twice", called(append(numbered(100), numbered(100)...)...), "", "san-repeated"},
		{"double", called("www.example.com", "www.example.com"), "", "san-repeated"},
		{"two doubles", called("www.example.com", "a.example.org", "www.example.com", "a.example.org"), "", "san-repeated"},
		{"double in another case", called("www.example.com", "WWW.example.com"), "", "name-case san-repeated"},
		{"under a wildcard", called("www.example.com", "*.example.com"), "san-redundant", ""},
		{"beside a wildcard", called("example.com", "*.example.com", "a.b.example.com"), "", ""},
	}
}

// commonNameSamples are wrong in how their common names fit their other names.
func commonNameSamples() []sample {
	cn := func(name string) func(*forgery) {
		return func(f *forgery) { f.rdns[len(f.rdns)-1] = rdn(attr(commonName, utf8String, name)) }
	}
	alone := func(name string) func(*forgery) {
		return func(f *forgery) { f.names = nil; cn(name)(f) }
	}
	long := strings.Repeat("a", 53) + ".example.com" // 65 octets
	return []sample{
		{"common name without SAN", alone("www.example.com"), "", "san-missing"},
		{"common name beside an empty SAN", func(f *forgery) { f.names = [][]byte{} }, "", "san-missing"},
		{"no name anywhere", func(f *forgery) { f.names, f.rdns = nil, f.rdns[:4] }, "san-missing", ""},
		{"empty SAN and no common name", func(f *forgery) { f.names, f.rdns = [][]byte{}, f.rdns[:4] }, "san-missing", ""},
		{"SAN without common name", func(f *forgery) { f.rdns = f.rdns[:4] }, "", ""},
		{"empty common name", cn(""), "subject-empty", ""},
		{"empty common name after another", func(f *forgery) {
			f.names = nil
			f.rdns = append(f.rdns, rdn(attr(commonName, utf8String, "")))
		}, "san-missing subject-empty", "subject-repeated"},
		{"common name not in SAN", cn("example.org"), "", "cn-not-in-san"},
		{"common name in upper case", cn("WWW.example.com"), "", "name-case"},
		{"common name not a domain name", cn("Alibaba Inc"), "name-malformed", "cn-not-in-san"},
		{"common name an IP address", cn("8.8.8.8"), "name-ip", "cn-not-in-san"},
		{"common name an IP address in SAN", func(f *forgery) {
			f.names = append(f.names, generalName(tagIPAddress, "\x08\x08\x08\x08"))
			cn("8.8.8.8")(f)
		}, "name-ip san-ip", ""},
		{"common name with a blank", cn("www.example.com "), "name-malformed", "cn-not-in-san subject-blank"},
		{"common name of 64 octets", func(f *forgery) { f.called(long[1:]) }, "", ""},
		{"common name of 65 octets", func(f *forgery) { f.called(long) }, "", "subject-length"},
		{"common name of 65 octets without SAN", alone(long), "", "san-missing subject-length"},
		{"wildcard alone", alone("*.example.com"), "", "san-missing"},
		{"common name not readable", func(f *forgery) {
			f.rdns[len(f.rdns)-1] = rdn(attr(commonName, utf8String, "\xff.example.com"))
		}, "subject-characters", ""},
	}
}

// domainSamples are wrong in their domain names.
func domainSamples() []sample {
	called := func(names ...string) func(*forgery) { return func(f *forgery) { f.called(names...) } }
	also := func(name string) func(*forgery) {
		return func(f *forgery) { f.names = append(f.names, dnsName(name)) }
	}
	label63 := strings.Repeat("a", 63)
	deep := "1.2.3.4.5.6.7.8.example.com" // 10 labels
	return []sample{
		{"upper case", called("WWW.example.com"), "", "name-case"},
		{"underscore", called("a_b.example.com"), "name-underscore", ""},
		{"dot at the end", called("www.example.com."), "name-dot", ""},
		{"IP address as a name", called("8.8.8.8"), "name-ip", ""},
		{"wildcard of an IP address", called("*.8.8.8.8"), "name-ip", ""},
		{"IPv6 address as a name", also("[2408::1]:443"), "name-ip", ""},
		{"not ASCII", called("bücher.com"), "name-malformed", ""},
		{"not ASCII until it is in lower case", also("\u212aelvin.com"), "name-malformed", ""},
		{"blank", called("www example.com"), "name-malformed", ""},
		{"empty", also(""), "name-malformed", ""},
		{"dot at the beginning", called(".example.com"), "name-malformed", ""},
		{"two dots in a row", called("www..example.com"), "name-malformed", ""},
		{"NUL", called("www.example.com\x00.evil.com"), "name-malformed", "subject-characters"},
		{"hyphen at the beginning", called("-a.example.com"), "name-malformed", ""},
		{"hyphen at the end", called("a-.example.com"), "name-malformed", ""},
		{"hyphens in third and fourth place", called("ab--c.example.com"), "name-malformed", ""},
		{"hyphens in fourth and fifth place", called("abc--d.example.com"), "", ""},
		{"label of 63 octets", also(label63 + ".com"), "", ""},
		{"label of 64 octets", also(label63 + "a.com"), "name-malformed", ""},
		{"name of 253 octets", also(strings.Repeat(label63+".", 3) + strings.Repeat("a", 57) + ".com"), "", ""},
		{
			"name of 254 octets", also(strings.Repeat(label63+".", 3) + strings.Repeat("a", 58) + ".com"),
			"name-malformed", "",
		},
		{"number at the end", called("example.1"), "name-internal", ""},
		{"star in the middle", called("www.*.example.com"), "name-malformed", ""},
		{"star in a label", called("w*.example.com"), "name-malformed", ""},
		{"two stars", called("*.*.example.com"), "name-malformed", ""},
		{"star alone", called("*"), "name-malformed", ""},
		{"Punycode", called("xn--bcher-kva.com"), "", ""},
		{"Punycode in upper case", called("XN--BCHER-KVA.com"), "", "name-case"},
		{"Punycode of an emoji", called("xn--i-7iq.ws"), "", ""},
		{"Punycode of a control character", called("xn--a.com"), "", ""},
		{"Punycode of nothing", called("xn--0.com"), "name-idna", ""},
		{"Punycode of a text not in NFC", called("xn--bucher-xyd.com"), "name-idna", ""}, // u and U+0308
		{"10 labels", called(deep), "", ""},
		{"11 labels", called("0." + deep), "name-labels", ""},
		{"wildcard of 10 labels", called("*." + deep), "", ""},
		{"wildcard of 11 labels", called("*.0." + deep), "name-labels", ""},
		{"wildcard", called("*.example.com"), "", ""},
		{"wildcard under a public suffix", called("*.co.uk"), "name-wildcard", ""},
		{"public suffix", called("co.uk"), "name-suffix", ""},
		{"top-level domain", called("com"), "name-suffix", ""},
		{"private suffix", called("github.io", "*.github.io"), "", ""},
		{"one label", called("localhost"), "name-internal", ""},
		{"wildcard of one label", called("*.localhost"), "name-internal", ""},
		{"reserved", called("www.local"), "name-internal", ""},
	}
}

// numbered returns so many different names.
func numbered(n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("www%d.example.com", i)
	}
	return names
}
