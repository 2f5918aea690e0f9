package errortexts

import (
	"encoding/asn1"
	"fmt"
	"strings"
	"testing"
)

// attributes is a forgery with attributes of its subject before the common name, one to an RDN.
func attributes(all ...attribute) func(*testing.T, *forgery) {
	return func(_ *testing.T, f *forgery) {
		var rdns []any
		for _, a := range all {
			rdns = append(rdns, []attribute{a})
		}
		f.subject = append(rdns, f.subject...)
	}
}

var subjectSamples = []sample{
	{"a subject that is none", "subject-malformed", "", func(_ *testing.T, f *forgery) { f.subjectDER = []byte{asn1.TagOctetString, 0} }},
	{"an RDN that is none", "subject-malformed", "", func(_ *testing.T, f *forgery) { f.subject = []any{"CN"} }},
	{"an attribute that is none", "subject-malformed", "", func(_ *testing.T, f *forgery) {
		f.subject = []any{asn1.RawValue{Tag: asn1.TagSet, IsCompound: true, Bytes: []byte{asn1.TagNull, 0}}}
	}},
	{"a unit", "subject-ou", "", attributes(utf8(oidUnit, "Aliyun CDN"))},
	{"an e-mail address", "subject-email", "", attributes(typed(oidEmail, asn1.TagIA5String, "admin@example.com"))},
	{"another attribute", "subject-attribute", "", attributes(utf8(asn1.ObjectIdentifier{2, 5, 4, 12}, "Dr."))},
	{"two organizations", "subject-repeated", "", attributes(utf8(oidName, "Alibaba"), utf8(oidName, "Aliyun"))},
	{"a city before its state", "subject-order", "", attributes(utf8(oidCity, "Hangzhou"), utf8(oidState, "Zhejiang"))},
	{"two attributes in one RDN", "subject-multivalue", "", func(_ *testing.T, f *forgery) {
		f.subject = []any{[]attribute{utf8(oidCity, "Hangzhou"), utf8(oidState, "Zhejiang")}}
	}},
	{"a number in the place of a text", "subject-type", "", attributes(attribute{oidName, asn1.RawValue{Class: asn1.ClassPrivate}})},
	{"a country in UTF-8", "subject-type", "", attributes(utf8(oidCountry, "CN"))},
	{"an e-mail address in UTF-8", "subject-type", "", attributes(utf8(oidEmail, "admin@example.com"))},
	{"a TeletexString", "subject-type", "", attributes(typed(oidName, asn1.TagT61String, "Alibaba"))},
	{"a PrintableString with @", "subject-characters", "", attributes(typed(oidName, asn1.TagPrintableString, "a@b"))},
	{"an IA5String with é", "subject-characters", "", attributes(typed(oidEmail, asn1.TagIA5String, "é@example.com"))},
	{"a control character", "subject-characters", "", attributes(utf8(oidName, "Ali\x00baba"))},
	{"a blank at the end", "subject-blank", "", attributes(utf8(oidName, "Alibaba "))},
	{"a text too long", "subject-length", "", attributes(utf8(oidName, strings.Repeat("a", 65)))},
	{"an empty text", "subject-empty", "", attributes(utf8(oidCity, ""))},
	{"what openssl proposes", "subject-placeholder", "", attributes(utf8(oidName, "Internet Widgits Pty Ltd"))},
	{"what openssl proposed", "subject-placeholder", "", attributes(utf8(oidName, "Default Company Ltd"))},
	{"a city that openssl proposed", "subject-placeholder", "", attributes(utf8(oidCity, "Default City"))},
	{"a country in lower case", "subject-country", "", attributes(typed(oidCountry, asn1.TagPrintableString, "cn"))},
	{"a common name that is not among the names", "cn-not-in-san", "", attributes(utf8(oidCommonName, "example.org"))},
}

// called is a forgery with those names.
func called(names ...string) func(*testing.T, *forgery) {
	return func(t *testing.T, f *forgery) { f.names(t, names...) }
}

// also is a forgery with one more name of any kind.
func also(tag int, value string) func(*testing.T, *forgery) {
	return func(t *testing.T, f *forgery) {
		f.san(t, []asn1.RawValue{generalName(2, "www.example.com"), generalName(tag, value)})
	}
}

var nameSamples = []sample{
	{"names that are no list", "san-malformed", "", func(t *testing.T, f *forgery) { f.san(t, 1) }},
	{"an empty list of names", "san-missing", "", func(t *testing.T, f *forgery) { f.san(t, []asn1.RawValue{}) }},
	{"too many names", "san-count", "", func(t *testing.T, f *forgery) {
		var names []string
		for i := range 101 {
			names = append(names, fmt.Sprintf("www%d.example.com", i))
		}
		f.names(t, names...)
	}},
	{"a name of no kind", "san-malformed", "", also(9, "www.example.com")},
	{"an e-mail address among the names", "san-kind", "", also(1, "admin@example.com")},
	{"an IP address of three bytes", "san-malformed", "", also(7, "abc")},
	{"a private IP address", "san-ip", "", also(7, "\x0a\x00\x00\x01")},
	{"a public IP address", "san-ip", "", also(7, "\x08\x08\x08\x08")},
	{"a name that is there twice", "san-repeated", "", called("www.example.com", "www.example.com")},
	{"a name that a wildcard covers", "san-redundant", "", called("*.example.com", "www.example.com")},
	{"a name that is not ASCII", "name-malformed", "", called("例え.example.com")},
	{"an IP address as a name", "name-ip", "", called("192.0.2.1")},
	{"a dot at the end", "name-dot", "", called("www.example.com.")},
	{"an underscore", "name-underscore", "", called("a_b.example.com")},
	{"a hyphen at the beginning", "name-malformed", "", called("-a.example.com")},
	{"Punycode of nothing", "name-idna", "", called("xn--a.com")},
	{"upper case", "name-case", "", called("WWW.example.com")},
	{"an internal name", "name-internal", "", called("www.local")},
	{"a wildcard under a public suffix", "name-wildcard", "", called("*.co.uk")},
	{"a public suffix", "name-suffix", "", called("co.uk")},
}
