package csrlint

import "encoding/asn1"

// generalNames are the kinds of a GeneralName by their tag (RFC 5280 section
// 4.2.1.6).
var generalNames = []struct {
	name        string
	constructed bool
}{
	{"an otherName", true},
	{"an rfc822Name, which is an e-mail address", false},
	{"a dNSName", false},
	{"an x400Address", true},
	{"a directoryName", true},
	{"an ediPartyName", true},
	{"a uniformResourceIdentifier", false},
	{"an iPAddress", false},
	{"a registeredID", false},
}

const (
	tagOtherName     = 0
	tagRFC822Name    = 1
	tagDNSName       = 2
	tagX400Address   = 3
	tagDirectoryName = 4
	tagEDIPartyName  = 5
	tagURI           = 6
	tagIPAddress     = 7
	tagRegisteredID  = 8
)

// isReadableName reports whether openssl and GnuTLS read the GeneralName v. If
// one does not, it does not see the other names of the SAN either. The result
// is true for an x400Address and an ediPartyName, which GnuTLS never reads, and
// for the kinds that have no inner structure.
func isReadableName(v asn1.RawValue) bool {
	switch v.Tag {
	case tagOtherName:
		parts, err := elements(v.Bytes)
		return err == nil && len(parts) == 2 && isTypeOID(parts[0]) && isExplicitValue(parts[1])
	case tagDirectoryName:
		names, err := elements(v.Bytes)
		return err == nil && len(names) == 1 && isReadableDN(names[0])
	case tagRegisteredID:
		return isOID(v.Bytes)
	default:
		return true
	}
}

// isExplicitValue reports whether v is one readable value with the tag [0].
func isExplicitValue(v asn1.RawValue) bool {
	values, err := elements(v.Bytes)
	return v.Class == asn1.ClassContextSpecific && v.Tag == 0 && v.IsCompound &&
		err == nil && len(values) == 1 && isReadable(values[0])
}

// isReadableDN reports whether openssl and GnuTLS read the Name v.
func isReadableDN(v asn1.RawValue) bool {
	rdns, ok := members(v, asn1.TagSequence)
	for _, rdn := range rdns {
		set, isSet := members(rdn, asn1.TagSet)
		ok = ok && isSet && len(set) > 0
		for _, attribute := range set {
			parts, isSequence := members(attribute, asn1.TagSequence)
			ok = ok && isSequence && len(parts) == 2 && isReadableAttribute(parts[0], parts[1])
		}
	}
	return ok
}

// isReadableAttribute reports whether openssl and GnuTLS read an attribute of a
// Name.
func isReadableAttribute(oid, value asn1.RawValue) bool {
	var id asn1.ObjectIdentifier // remains empty if it has a number that is too large
	_, _ = asn1.Unmarshal(oid.FullBytes, &id)
	isEmpty := directoryStrings[id.String()] && len(value.Bytes) == 0
	return isTypeOID(oid) && isReadableInName(value) && isReadable(value) && hasCharacters(value) && !isEmpty
}

// hasCharacters reports whether v has only characters of Unicode, if it has one
// of the string types that openssl converts to UTF-8 by them.
func hasCharacters(v asn1.RawValue) bool {
	switch v.Tag {
	case asn1.TagUTF8String, asn1.TagBMPString, tagUniversalString:
		_, err := decode(v)
		return err == nil
	default:
		return true
	}
}

func isTypeOID(v asn1.RawValue) bool {
	return v.Class == asn1.ClassUniversal && v.Tag == asn1.TagOID && !v.IsCompound && isOID(v.Bytes)
}
