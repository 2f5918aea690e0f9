package csrlint

import "encoding/asn1"

// An anyValue is the DER of a value whose type its place leaves open.
type anyValue struct {
	name string
	der  []byte
}

// readableValues are values that openssl reads, though some are not valid for
// their types.
var readableValues = []anyValue{
	{"NULL", null},
	{"INTEGER", []byte{asn1.TagInteger, 1, 5}},
	{"negative INTEGER", []byte{asn1.TagInteger, 2, 0xff, 0x7f}},
	{"BOOLEAN", []byte{asn1.TagBoolean, 1, 0xff}},
	{"BIT STRING", []byte{asn1.TagBitString, 2, 7, 0x80}},
	{"OID of a large arc", []byte{asn1.TagOID, 9, 0x2a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f}},
	{"empty SEQUENCE", tlv(tagSequence)},
	{"SEQUENCE of something malformed", tlv(tagSequence, []byte{1})},
	{"constructed OCTET STRING", []byte{asn1.TagOctetString | constructedBit, 0}},
	{"BMPString", []byte{asn1.TagBMPString, 2, 0, 'A'}},
	{"UniversalString", []byte{tagUniversalString, 4, 0, 0, 0, 'A'}},
	{"UTF8String that is not UTF-8", []byte{asn1.TagUTF8String, 1, 0xff}},
	{"malformed time", []byte{asn1.TagUTCTime, 1, 'x'}},
	{"another class", []byte{contextTag, 0}},
	{"high tag", []byte{0x1f, 0x40, 0}},
}

// malformedValues are values that openssl does not read.
var malformedValues = []anyValue{
	{"tag 0", []byte{0, 0}},
	{"BOOLEAN of two octets", []byte{asn1.TagBoolean, 2, 0, 0}},
	{"empty INTEGER", []byte{asn1.TagInteger, 0}},
	{"INTEGER with a leading zero", []byte{asn1.TagInteger, 2, 0, 1}},
	{"INTEGER with a leading 0xff", []byte{asn1.TagInteger, 2, 0xff, 0x80}},
	{"constructed INTEGER", []byte{asn1.TagInteger | constructedBit, 0}},
	{"empty BIT STRING", []byte{asn1.TagBitString, 0}},
	{"BIT STRING with nine unused bits", []byte{asn1.TagBitString, 1, 9}},
	{"NULL with content", []byte{asn1.TagNull, 1, 0}},
	{"constructed NULL", []byte{asn1.TagNull | constructedBit, 0}},
	{"empty OID", []byte{asn1.TagOID, 0}},
	{"OID cut short", []byte{asn1.TagOID, 2, 0x2a, 0x83}},
	{"OID with a leading zero", []byte{asn1.TagOID, 2, 0x80, 1}},
	{"empty ENUMERATED", []byte{asn1.TagEnum, 0}},
	{"primitive SEQUENCE", []byte{asn1.TagSequence, 0}},
	{"primitive SET", []byte{asn1.TagSet, 0}},
	{"half a character in a BMPString", []byte{asn1.TagBMPString, 1, 0}},
	{"half a character in a UniversalString", []byte{tagUniversalString, 2, 0, 0}},
	{"constructed OCTET STRING of something malformed", []byte{asn1.TagOctetString | constructedBit, 1, 1}},
}
