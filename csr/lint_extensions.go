package csr

import (
	"crypto/x509/pkix"
	"encoding/asn1"
)

var (
	extensionIgnored   = changed("extension-ignored", "BR 7.1.2.7.6")
	extensionRepeated  = refused("extension-repeated", "RFC 5280 section 4.2")
	attributeIgnored   = changed("attribute-ignored", "RFC 2985 section 5.4")
	attributePassword  = changed("attribute-password", "RFC 2985 section 5.4.1")
	attributeMalformed = refused("der-malformed", "RFC 2986 section 4.1")
)

var (
	oidExtensionRequest   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 14}
	oidExtensionMicrosoft = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 311, 2, 1, 14}
	oidChallengePassword  = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 7}
)

// attributes checks the attributes, and in them the extensions that the CSR asks for.
func (l *linter) attributes(request *rawRequest) {
	var wanted []pkix.Extension
	var encoded [][]byte
	for _, raw := range request.Info.Attributes {
		encoded = append(encoded, raw.FullBytes)
		var a struct {
			Type   asn1.ObjectIdentifier
			Values []asn1.RawValue `asn1:"set"`
		}
		if rest, err := asn1.Unmarshal(raw.FullBytes, &a); err != nil || len(rest) > 0 {
			l.add(attributeMalformed, "attributes", "one is no attribute")
			continue
		}
		switch {
		case a.Type.Equal(oidExtensionRequest) || a.Type.Equal(oidExtensionMicrosoft):
			for _, value := range a.Values {
				var extensions []pkix.Extension
				if rest, err := asn1.Unmarshal(value.FullBytes, &extensions); err != nil || len(rest) > 0 {
					l.add(attributeMalformed, "extensions", "are no list of extensions")
				}
				wanted = append(wanted, extensions...)
			}
		case a.Type.Equal(oidChallengePassword):
			l.add(attributePassword, "attributes", "there is a challenge password, which everyone can read")
		default:
			l.add(attributeIgnored, "attributes", "%v is left out", a.Type)
		}
	}
	l.order("attributes", encoded)
	l.extensions(request, wanted)
}

// extensions checks what the CSR asks for: its names, and what is left out.
func (l *linter) extensions(request *rawRequest, wanted []pkix.Extension) {
	var ids []string
	found := false
	for _, extension := range wanted {
		id := extension.Id.String()
		ids = append(ids, id)
		switch {
		case !extension.Id.Equal(oidSAN):
			l.add(extensionIgnored, "extensions", "%s is left out, or made by the CA's own rules", extensionName(id))
		case !found:
			found = true
			l.alternativeNames(request, extension.Value)
		}
	}
	for _, id := range repeated(ids) {
		l.add(extensionRepeated, "extensions", "%s is there more than once", extensionName(id))
	}
	if !found {
		l.add(sanMissing, "SAN", "there are no names: the CommonName alone is not enough")
	}
}

// extensionName returns the name of an extension that CSRs often ask for (RFC 5280 section 4.2.1), or id.
func extensionName(id string) string {
	names := map[string]string{
		"2.5.29.14": "subjectKeyIdentifier", "2.5.29.15": "keyUsage", "2.5.29.17": "subjectAltName",
		"2.5.29.19": "basicConstraints", "2.5.29.37": "extendedKeyUsage", "1.3.6.1.5.5.7.1.24": "tlsFeature (OCSP must-staple)",
	}
	if name, ok := names[id]; ok {
		return name
	}
	return id
}
