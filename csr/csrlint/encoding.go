package csrlint

import (
	"bytes"
	"encoding/asn1"
)

var (
	derMalformed   = refused("der-malformed", "RFC 2986 section 4")
	derTrailing    = refused("der-trailing", "RFC 2986 section 4.2")
	derOrder       = refused("der-order", "GnuTLS, ITU-T X.690 section 11.6")
	valueMalformed = refused("der-malformed", "openssl, ITU-T X.690 section 8")
	versionMissing = refused("version", "RFC 2986 section 4.1")
	versionNotV1   = changed("version", "RFC 2986 section 4.1")
)

// request has the parts of a CertificationRequest (RFC 2986 section 4). They
// are not decoded, so that a mistake in one does not hide the others.
type request struct {
	info       asn1.RawValue // what is signed: version, subject, publicKey and attributes
	version    asn1.RawValue
	subject    asn1.RawValue
	publicKey  asn1.RawValue
	attributes []asn1.RawValue
	algorithm  asn1.RawValue
	signature  asn1.RawValue
}

// parse returns the parts of the CSR in der. It reports surplus elements, which
// encoding/asn1, and so crypto/x509, skips, but for which openssl and GnuTLS
// refuse the CSR.
func (l *linter) parse(der []byte) (r *request, ok bool) {
	if len(der) == 0 {
		return nil, false // reported by decodePEM
	}
	var outer asn1.RawValue
	rest, err := asn1.Unmarshal(der, &outer)
	if err != nil {
		l.add(derMalformed, "DER", "is not DER or is cut short")
		return nil, false
	}
	parts, ok := members(outer, asn1.TagSequence)
	if !ok || len(parts) < 3 {
		l.add(derMalformed, "DER", "is not a CSR: want a SEQUENCE of three elements")
		return nil, false
	}
	fields, ok := members(parts[0], asn1.TagSequence)
	if !ok || len(fields) < 3 {
		l.add(derMalformed, "DER", "is not a CSR: want a SEQUENCE of four elements to be signed")
		return nil, false
	}
	if len(rest) > 0 {
		l.add(derTrailing, "DER", "has %d bytes after the CSR", len(rest))
	}
	l.surplus(derMalformed, "DER", "the request", parts, 3)
	l.surplus(derMalformed, "DER", "what is signed", fields, 4)
	return &request{
		info: parts[0], algorithm: parts[1], signature: parts[2],
		version: fields[0], subject: fields[1], publicKey: fields[2], attributes: l.attributeSet(fields[3:]),
	}, true
}

// attributeSet returns the attributes, which follow the other fields of what is
// signed. The field must be there, though it may be empty.
func (l *linter) attributeSet(following []asn1.RawValue) []asn1.RawValue {
	if len(following) == 0 {
		l.add(derMalformed, "attributes", "are missing: want an empty set [0] if there are none")
		return nil
	}
	set := following[0]
	attributes, err := elements(set.Bytes)
	if err != nil || set.Class != asn1.ClassContextSpecific || set.Tag != 0 || !set.IsCompound {
		l.add(derMalformed, "attributes", "are not a set [0]")
		return nil
	}
	l.order("attributes", attributes)
	return attributes
}

// version checks the version of the syntax: v1 is the number 0.
func (l *linter) version(value asn1.RawValue) {
	var v int
	if _, err := asn1.Unmarshal(value.FullBytes, &v); err != nil {
		l.add(versionMissing, "DER", "has a version that is not a number: want 0, which is v1")
	} else if v != 0 {
		l.add(versionNotV1, "DER", "has the version %d: want 0, which is v1", v)
	}
}

// surplus reports the elements of a SEQUENCE that stand after the last one that
// its syntax has.
func (l *linter) surplus(r rule, field, sequence string, elements []asn1.RawValue, most int) {
	if n := len(elements); n > most {
		l.add(r, field, "%s has %d elements: want %d", sequence, n, most)
	}
}

// sequence returns the elements of a SEQUENCE that encoding/asn1 or crypto/x509
// has read. These skip what stands after the last element of the syntax;
// sequence reports it, and if that is not DER, it returns nil.
func (l *linter) sequence(r rule, field, name string, v asn1.RawValue, most int) []asn1.RawValue {
	all, ok := members(v, asn1.TagSequence)
	if !ok {
		l.add(r, field, "%s is not a SEQUENCE of whole elements", name)
		return nil
	}
	l.surplus(r, field, name, all, most)
	return all
}

// order checks that the elements of a SET OF are in ascending order, as DER
// wants it. Where they are not, GnuTLS sorts them and then cannot verify the
// signature.
func (l *linter) order(field string, set []asn1.RawValue) {
	for i := 1; i < len(set); i++ {
		if bytes.Compare(set[i-1].FullBytes, set[i].FullBytes) > 0 {
			l.add(derOrder, field, "has a SET whose elements are not in ascending order")
			return
		}
	}
}

// members returns the elements of a SEQUENCE or SET. ok is false if v is not
// one with that tag.
func members(v asn1.RawValue, tag int) (all []asn1.RawValue, ok bool) {
	if v.Class != asn1.ClassUniversal || v.Tag != tag || !v.IsCompound {
		return nil, false
	}
	all, err := elements(v.Bytes)
	return all, err == nil
}

// elements returns the elements in content, which follow each other without a
// gap.
func elements(content []byte) ([]asn1.RawValue, error) {
	var all []asn1.RawValue
	for len(content) > 0 {
		var element asn1.RawValue
		rest, err := asn1.Unmarshal(content, &element)
		if err != nil {
			return nil, err
		}
		all = append(all, element)
		content = rest
	}
	return all, nil
}
