package csrlint

import (
	"encoding/asn1"
	"strings"
)

// Tags of string types for the samples.
const (
	utf8String      = asn1.TagUTF8String
	printableString = asn1.TagPrintableString
	ia5String       = asn1.TagIA5String
)

// subjectSamples are wrong in the structure of their subjects.
func subjectSamples() []sample {
	c := attr(country, printableString, "CN")
	st, l := attr(state, utf8String, "Zhejiang"), attr(city, utf8String, "Hangzhou")
	cn := attr(commonName, utf8String, "www.example.com")
	subject := func(der []byte) func(*forgery) { return func(f *forgery) { f.subject = der } }
	rdns := func(all ...[]byte) func(*forgery) { return func(f *forgery) { f.rdns = all } }
	part := func(value string) []byte { return rdn(attr(domainPart, ia5String, value)) }
	line := func(value string) []byte { return rdn(attr(street, utf8String, value)) }
	return []sample{
		{"no subject", rdns(), "", ""},
		{"subject not a SEQUENCE", subject([]byte{asn1.TagOctetString, 0}), "subject-malformed", ""},
		{"subject of another class", subject([]byte{0xb0, 0}), "subject-malformed", ""},
		{"subject primitive", subject([]byte{asn1.TagSequence, 0}), "subject-malformed", ""},
		{"subject broken", subject([]byte{tagSequence, 1, tagSet}), "subject-malformed", ""},
		{"RDN not a SET", rdns(tlv(tagSequence, cn)), "subject-malformed", ""},
		{"RDN empty", rdns(tlv(tagSet), rdn(cn)), "", "subject-malformed"},
		{"RDN broken", rdns(tlv(tagSet, []byte{tagSequence})), "subject-malformed", ""},
		{"not an attribute of the subject", rdns(rdn(null)), "subject-malformed", ""},
		{"attribute of the subject without a value", rdns(rdn(tlv(tagSequence, commonName))), "subject-malformed", ""},
		{"attribute of the subject without a type", rdns(rdn(tlv(tagSequence, null, null))), "subject-malformed", ""},
		{"more at the end of an attribute of the subject", rdns(rdn(c), rdn(tlv(tagSequence, commonName,
			tlv(utf8String, []byte("www.example.com")), null))), "subject-malformed", ""},
		{"unit", func(f *forgery) { f.add(attr(unit, utf8String, "Aliyun CDN")) }, "", "subject-ou"},
		{"e-mail address", rdns(rdn(cn), rdn(attr(email, ia5String, "admin@example.com"))), "", "subject-email"},
		{"e-mail address as UTF8String", rdns(rdn(cn), rdn(attr(email, utf8String, "admin@example.com"))), // cfssl, x509
			"", "subject-email subject-type"},
		{"unknown attribute", func(f *forgery) { f.add(attr(title, utf8String, "Dr.")) }, "", "subject-attribute"},
		{"two organizations", func(f *forgery) { f.add(attr(organization, utf8String, "Aliyun")) }, "", "subject-repeated"},
		{"two domain components", rdns(part("com"), part("example"), rdn(cn)), "", ""},
		{"domain component as UTF8String", rdns(rdn(attr(domainPart, utf8String, "com")), rdn(cn)), "", "subject-type"},
		{"domain component after the country", rdns(rdn(c), part("com"), rdn(cn)), "", "subject-order"},
		{"two street lines", rdns(rdn(c), line("1 First St"), line("Floor 2"), rdn(cn)), "", ""},
		{"city before state", rdns(rdn(c), rdn(l), rdn(st), rdn(cn)), "", "subject-order"},
		{"two in one RDN", rdns(rdn(c), rdn(l, st), rdn(cn)), "", "subject-multivalue subject-order"},
		{"RDN not sorted", rdns(rdn(c), rdn(st, l), rdn(cn)), "der-order", "subject-multivalue"},
	}
}

// textSamples are wrong in the texts of their subjects.
func textSamples() []sample {
	of := func(oid []byte, tag byte, value string) func(*forgery) {
		return func(f *forgery) { f.rdns = [][]byte{rdn(attr(oid, tag, value))} }
	}
	name := func(tag byte, value string) func(*forgery) { return of(organization, tag, value) }
	raw := func(value []byte) func(*forgery) {
		return func(f *forgery) { f.rdns = [][]byte{rdn(tlv(tagSequence, organization, value))} }
	}
	long := func(n int) string { return strings.Repeat("ä", n) }
	return []sample{
		{"every character of a PrintableString", name(printableString, "azAZ09 '()+,-./:=?"), "", ""},
		{"@ in a PrintableString", name(printableString, "a@b"), "subject-characters", ""},
		{"& in a PrintableString", name(printableString, "A&B"), "", "subject-characters"},
		{"* in a PrintableString", func(f *forgery) {
			f.called("*.example.com")
			f.rdns = [][]byte{rdn(attr(commonName, printableString, "*.example.com"))}
		}, "", "subject-characters"},
		{"* in a UTF8String", name(utf8String, "A*"), "", ""},
		{"é in an IA5String", of(email, ia5String, "é@example.com"), "subject-characters", "subject-email"},
		{"invalid UTF-8", name(utf8String, "Ali\xffbaba"), "subject-characters", ""},
		{"half a character in a BMPString", name(asn1.TagBMPString, "\x00A\x00"), "subject-characters", "subject-type"},
		{"TeletexString", name(asn1.TagT61String, "Soci\xe9t\xe9"), "", "subject-type"},
		{"BMPString", name(asn1.TagBMPString, "\x00A\x00l"), "", "subject-type"},
		{"UniversalString", name(tagUniversalString, "\x00\x00\x00A"), "", "subject-type"},
		{
			"zero-width space in a UniversalString", name(tagUniversalString, "\x00\x00\x20\x0b"),
			"", "subject-characters subject-type",
		},
		{
			"half a character in a UniversalString", name(tagUniversalString, "\x00\x00A"),
			"subject-characters", "subject-type",
		},
		{
			"UniversalString beyond Unicode", name(tagUniversalString, "\x00\x11\x00\x00"),
			"subject-characters", "subject-type",
		},
		{"VisibleString", name(26, "Alibaba"), "subject-type", ""},
		{"GeneralString", name(asn1.TagGeneralString, "Alibaba"), "subject-type", ""},
		{"GeneralString as common name", of(commonName, asn1.TagGeneralString, "www.example.com"), "subject-type", ""},
		{"OCTET STRING", name(asn1.TagOctetString, "Alibaba"), "subject-type", ""},
		{"NULL as common name", of(commonName, asn1.TagNull, ""), "subject-empty subject-type", ""},
		{"time", name(asn1.TagUTCTime, "260101000000Z"), "subject-type", ""},
		{
			"time in an unknown attribute", of(oid(1, 2, 3, 4), asn1.TagGeneralizedTime, "20260101000000Z"),
			"subject-type", "subject-attribute",
		},
		{"BIT STRING", name(asn1.TagBitString, "\x00A"), "", "subject-type"},
		{"RELATIVE-OID", name(13, "A"), "", "subject-type"},
		{
			"list in an unknown attribute", of(oid(2, 5, 4, 16), tagSequence, "\x0c\x01A"),
			"", "subject-attribute subject-type",
		},
		{
			"primitive list in an unknown attribute", of(oid(2, 5, 4, 16), asn1.TagSequence, ""),
			"subject-type", "subject-attribute",
		},
		{"high tag", raw([]byte{0x1f, 0x40, 1, 0}), "subject-type", ""},
		{"first high tag", raw([]byte{0x1f, 0x1f, 1, 0}), "subject-type", ""},
		{"NumericString", name(asn1.TagNumericString, "360"), "", "subject-type"},
		{"number", raw([]byte{asn1.TagInteger, 1, 1}), "subject-type", ""},
		{"list", raw(tlv(tagSequence, null)), "", "subject-type"},
		{"empty list", raw(tlv(tagSequence)), "subject-empty", "subject-type"},
		{"constructed string", raw(tlv(utf8String|constructedBit, tlv(utf8String, []byte("A")))), "", "subject-type"},
		{"constructed string of something malformed", raw([]byte{utf8String | constructedBit, 1, 1}), "subject-type", ""},
		{"empty constructed string", raw([]byte{utf8String | constructedBit, 0}), "subject-empty", "subject-type"},
		{"string of another class", raw([]byte{contextTag | utf8String, 1, 'A'}), "subject-type", ""},
		{"country as UTF8String", of(country, utf8String, "CN"), "", "subject-type"},
		{"country in lower case", of(country, printableString, "cn"), "", "subject-country"},
		{"country of digits", of(country, printableString, "86"), "", "subject-country"},
		{"country of one letter", of(country, printableString, "C"), "", "subject-country"},
		{"country of three letters", of(country, printableString, "CHN"), "", "subject-country subject-length"},
		{"control character", name(utf8String, "Ali\x00baba"), "", "subject-characters"},
		{"zero-width space", name(utf8String, "Ali\u200bbaba"), "", "subject-characters"},
		{"soft hyphen", name(utf8String, "Ali\u00adbaba"), "", "subject-characters"},
		{"Hangul filler", name(utf8String, "\u3164"), "", "subject-characters"},
		{"noncharacter", name(utf8String, "Ali\uffff"), "", "subject-characters"},
		{"variation selector", name(utf8String, "葛\U000e0100城"), "", "subject-characters"},
		{"line separator", name(utf8String, "Ali\u2028baba"), "", "subject-characters"},
		{"paragraph separator", name(utf8String, "Ali\u2029baba"), "", "subject-characters"},
		{"lost character", name(utf8String, "Ali\ufffdbaba"), "", "subject-characters"},
		{"interlinear annotation", name(utf8String, "Ali\ufff9baba"), "", ""},
		{"Egyptian hieroglyph format", name(utf8String, "\U00013000\U00013436\U00013001"), "", ""},
		{"joiners", name(utf8String, "نام\u200cه \u0dc1\u0dca\u200d\u0dbb\u0dd3"), "", ""},
		{"visible format character", name(utf8String, "\u0600\u0661"), "", ""},
		{"blank at the end", name(utf8String, "Alibaba "), "", "subject-blank"},
		{"blank at the beginning", name(utf8String, "\u3000Alibaba"), "", "subject-blank"},
		{"organization of 64 characters", name(utf8String, long(64)), "", ""},
		{"organization of 65 characters", name(utf8String, long(65)), "", "subject-length"},
		{"organization of 80 characters", name(utf8String, long(80)), "", "subject-length"},
		{"state of 128 characters", of(state, utf8String, long(128)), "", ""},
		{"state of 129 characters", of(state, utf8String, long(129)), "", "subject-length"},
		{"city of 128 characters", of(city, utf8String, long(128)), "", ""},
		{"city of 129 characters", of(city, utf8String, long(129)), "", "subject-length"},
		{"surname of 64 characters", of(surname, utf8String, long(64)), "", ""},
		{"surname of 65 characters", of(surname, utf8String, long(65)), "", "subject-length"},
		{"given name of 64 characters", of(givenName, utf8String, long(64)), "", ""},
		{"given name of 65 characters", of(givenName, utf8String, long(65)), "", "subject-length"},
		{"long text of an unknown attribute", of(title, utf8String, long(500)), "", "subject-attribute"},
		{"empty city", of(city, utf8String, ""), "subject-empty", ""},
		{"empty title", of(title, utf8String, ""), "subject-empty", "subject-attribute"},
		{"empty country", of(country, printableString, ""), "", "subject-empty"},
		{"empty unknown attribute", of(oid(1, 2, 3, 4), utf8String, ""), "", "subject-attribute subject-empty"},
		{"placeholder", of(city, utf8String, "-"), "", "subject-placeholder"},
		{"what openssl proposes", name(utf8String, "Internet Widgits Pty Ltd"), "", "subject-placeholder"},
	}
}
