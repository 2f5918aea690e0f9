package csrlint

import (
	"crypto/x509"
	"encoding/asn1"
	"unicode/utf8"
)

// The universal tags that encoding/asn1 has no names for (ITU-T X.680 section
// 8.4).
const (
	tagEndOfContents   = 0
	tagVideotexString  = 21
	tagGraphicString   = 25
	tagVisibleString   = 26
	tagUniversalString = 28
	tagHigh            = 31 // and above: not in use
)

// isReadable reports whether openssl reads v where the syntax allows any type.
// GnuTLS and encoding/asn1 do not look into such a value. The rules are those
// of ITU-T X.690 section 8.
func isReadable(v asn1.RawValue) bool {
	switch {
	case v.Class != asn1.ClassUniversal:
		return true
	case v.Tag == asn1.TagSequence || v.Tag == asn1.TagSet:
		return v.IsCompound
	case v.IsCompound:
		return isReadableConstructed(v)
	}
	switch v.Tag {
	case tagEndOfContents:
		return false
	case asn1.TagBoolean:
		return len(v.Bytes) == 1
	case asn1.TagInteger, asn1.TagEnum:
		return isShortest(v.Bytes)
	case asn1.TagBitString:
		return len(v.Bytes) > 0 && v.Bytes[0] <= 7
	case asn1.TagNull:
		return len(v.Bytes) == 0
	case asn1.TagOID:
		return isOID(v.Bytes)
	case asn1.TagBMPString:
		return len(v.Bytes)%2 == 0
	case tagUniversalString:
		return len(v.Bytes)%4 == 0
	default:
		return true
	}
}

// isReadableConstructed reports whether openssl reads the constructed v, which
// is not a SEQUENCE or SET. BER allows constructed strings.
func isReadableConstructed(v asn1.RawValue) bool {
	switch v.Tag {
	case tagEndOfContents, asn1.TagBoolean, asn1.TagInteger, asn1.TagEnum, asn1.TagNull, asn1.TagOID:
		return false
	}
	_, err := elements(v.Bytes)
	return err == nil
}

// isShortest reports whether content is that of an INTEGER without surplus
// octets.
func isShortest(content []byte) bool {
	if len(content) < 2 {
		return len(content) == 1
	}
	first, negative := content[0], content[1]&0x80 != 0
	return first != 0 && first != 0xff || first == 0 && negative || first == 0xff && !negative
}

// isOID reports whether content is that of an OID, of any size.
func isOID(content []byte) bool { return new(x509.OID).UnmarshalBinary(content) == nil }

// isReadableInName reports whether openssl reads v as the value of an attribute
// in a Name, judged by its type. Types that openssl has no name for are read.
func isReadableInName(v asn1.RawValue) bool {
	if v.Class != asn1.ClassUniversal || v.Tag >= tagHigh {
		return false
	}
	switch v.Tag {
	case tagEndOfContents, asn1.TagBoolean, asn1.TagInteger, asn1.TagOctetString, asn1.TagNull, asn1.TagOID,
		asn1.TagEnum, asn1.TagSet, tagVideotexString, asn1.TagUTCTime, asn1.TagGeneralizedTime, tagGraphicString,
		tagVisibleString, asn1.TagGeneralString:
		return false
	}
	return isReadable(v) || !v.IsCompound && v.Tag != asn1.TagSequence // malformed texts are reported as such
}

// decode returns the value of v, which is a string if v has a string type. It
// is nil for types that encoding/asn1 does not know.
func decode(v asn1.RawValue) (value any, err error) {
	if v.Tag == tagUniversalString {
		return universalText(v.Bytes)
	}
	_, err = asn1.Unmarshal(v.FullBytes, &value)
	return value, err
}

// universalText returns the text of a UniversalString, which has four octets
// for each character. encoding/asn1 does not decode it.
func universalText(content []byte) (string, error) {
	if len(content)%4 != 0 {
		return "", asn1.SyntaxError{Msg: "UniversalString with a part of a character"}
	}
	var runes []rune
	for ; len(content) > 0; content = content[4:] {
		r := rune(content[0])<<24 | rune(content[1])<<16 | rune(content[2])<<8 | rune(content[3])
		if !utf8.ValidRune(r) {
			return "", asn1.SyntaxError{Msg: "UniversalString with a number that is not a character"}
		}
		runes = append(runes, r)
	}
	return string(runes), nil
}
