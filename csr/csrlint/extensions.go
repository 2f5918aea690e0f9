package csrlint

import (
	"bytes"
	"crypto/x509/pkix"
	"encoding/asn1"
	"slices"
)

var (
	extensionIgnored   = changed("extension-ignored", "BR 7.1.2.7.6")
	extensionStaple    = refused("extension-staple", "Boulder ra (Let's Encrypt)")
	extensionRepeated  = refused("extension-repeated", "RFC 5280 section 4.2")
	attributeIgnored   = changed("attribute-ignored", "RFC 2985 section 5.4")
	attributePassword  = changed("attribute-password", "RFC 2985 section 5.4.1")
	attributeMalformed = refused("der-malformed", "RFC 2986 section 4.1")
)

var (
	oidSAN                = asn1.ObjectIdentifier{2, 5, 29, 17}
	oidTLSFeature         = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 1, 24}
	oidExtensionRequest   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 14}
	oidExtensionMicrosoft = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 311, 2, 1, 14}
	oidChallengePassword  = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 7}
)

// attributes checks the attributes and returns the extensions that the CSR asks
// for.
func (l *linter) attributes(attributes []asn1.RawValue) []pkix.Extension {
	var wanted []pkix.Extension
	for _, raw := range attributes {
		oid, values, ok := l.readCSRAttribute(raw)
		switch {
		case !ok:
			l.add(attributeMalformed, "attributes", "has an element that is not an attribute with a value")
		case oid.Equal(oidExtensionRequest):
			if len(values) > 1 {
				l.add(attributeIgnored, "extensions", "are %d lists, of which the first counts", len(values))
			}
			wanted = append(wanted, l.readExtensions(values[0])...)
		case oid.Equal(oidExtensionMicrosoft):
			l.add(attributeIgnored, "attributes", "has extensions in Microsoft's own attribute, which few public CAs read")
		case oid.Equal(oidChallengePassword):
			l.add(attributePassword, "attributes", "has a challenge password, which everyone can read")
		default:
			l.add(attributeIgnored, "attributes", "has %v, which is left out", oid)
		}
	}
	return wanted
}

// readCSRAttribute returns an Attribute (RFC 2986 section 4.1). ok is false if
// raw is not one.
func (l *linter) readCSRAttribute(raw asn1.RawValue) (oid asn1.ObjectIdentifier, values []asn1.RawValue, ok bool) {
	parts, ok := members(raw, asn1.TagSequence)
	if !ok || len(parts) < 2 || !readable(parts[0], &oid) {
		return nil, nil, false
	}
	l.surplus(attributeMalformed, "attributes", "an attribute", parts, 2)
	values, ok = members(parts[1], asn1.TagSet)
	l.order("attributes", values)
	if slices.ContainsFunc(values, func(v asn1.RawValue) bool { return !isReadable(v) }) {
		l.add(valueMalformed, "attributes", "has a malformed value of %v", oid)
	}
	return oid, values, ok && len(values) > 0
}

// readExtensions returns a list of extensions.
func (l *linter) readExtensions(value asn1.RawValue) []pkix.Extension {
	list, ok := members(value, asn1.TagSequence)
	if !ok {
		l.add(attributeMalformed, "extensions", "are not a list")
		return nil
	}
	var extensions []pkix.Extension
	for _, raw := range list {
		var extension pkix.Extension
		parts, ok := members(raw, asn1.TagSequence)
		if !ok || !readable(raw, &extension) {
			l.add(attributeMalformed, "extensions", "have an element that is not an extension")
			continue
		}
		most := 2 // the OID and the value
		if parts[1].Tag == asn1.TagBoolean {
			most = 3
		}
		l.surplus(attributeMalformed, "extensions", extensionName(extension.Id), parts, most)
		extensions = append(extensions, extension)
	}
	return extensions
}

// extensions checks the extensions that the CSR asks for, and returns those of
// the subject alternative name.
func (l *linter) extensions(wanted []pkix.Extension) []pkix.Extension {
	var sans []pkix.Extension
	var ids []string
	for _, extension := range wanted {
		ids = append(ids, extensionName(extension.Id))
		switch {
		case extension.Id.Equal(oidSAN):
			sans = append(sans, extension)
		case extension.Id.Equal(oidTLSFeature) && bytes.Equal(extension.Value, mustStaple):
			l.add(extensionStaple, "extensions", "ask for OCSP must-staple, which was given up in 2025")
		default:
			l.add(extensionIgnored, "extensions", "have %s, which is left out or set by the CA", extensionName(extension.Id))
		}
	}
	for _, id := range repeated(ids) {
		l.add(extensionRepeated, "extensions", "have %s more than once", id)
	}
	return sans
}

// mustStaple is the TLS feature status_request (RFC 7633 section 6).
var mustStaple = []byte{0x30, 3, 2, 1, 5}

// extensionName returns the name of an extension that CSRs often ask for (RFC
// 5280 section 4.2.1), or its OID in dots.
func extensionName(oid asn1.ObjectIdentifier) string {
	names := map[string]string{
		"2.5.29.14": "subjectKeyIdentifier", "2.5.29.15": "keyUsage", "2.5.29.17": "subjectAltName",
		"2.5.29.19": "basicConstraints", "2.5.29.37": "extendedKeyUsage", "1.3.6.1.5.5.7.1.24": "tlsFeature",
	}
	if name, ok := names[oid.String()]; ok {
		return name
	}
	return oid.String()
}
