package csr

import (
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Check returns an error unless r answers req: Csr must be one complete CSR
// that is signed by its own key and has exactly the names of req, after
// normalization and in any order. If Origin is OriginLocal, PubMd5 must be the
// key's. If req is invalid, the error is that of [Request.Validate].
//
// The rest of the subject is not compared. Neither is the CDN's PubMd5, whose
// definition is not documented.
func (r *Response) Check(req *Request) error {
	want, err := req.Normalize()
	if err != nil {
		return err
	}
	got, err := r.CertificateRequest()
	if err != nil {
		return err
	}
	if err = checkNames(got, want); err != nil {
		return fmt.Errorf("csr: check Csr: %w", err)
	}
	if r.Origin != OriginLocal {
		return nil
	}
	pubMd5, err := pubMD5(got.PublicKey)
	if err != nil {
		return fmt.Errorf("csr: check PubMd5: %w", err)
	}
	if r.PubMd5 != pubMd5 {
		return fmt.Errorf("csr: check PubMd5: %s is not that of the key, %s", quote(r.PubMd5), pubMd5)
	}
	return nil
}

// checkNames returns an error unless the names of got are exactly those of
// want.
func checkNames(got *x509.CertificateRequest, want *Request) error {
	if normalName(got.Subject.CommonName) != want.CommonName {
		return fmt.Errorf("its CommonName is %s, not %s", quote(got.Subject.CommonName), quote(want.CommonName))
	}
	names, err := namesOf(got, want.Email)
	if err != nil {
		return err
	}
	for _, name := range want.names() {
		if !slices.Contains(names, name) {
			return fmt.Errorf("it lacks the name %s", quote(name))
		}
	}
	for _, name := range names {
		if !slices.Contains(want.names(), name) {
			return fmt.Errorf("it has the name %s, which was not requested", quote(name))
		}
	}
	return nil
}

// namesOf returns the normal forms of the names of a CSR: every CommonName of
// its subject and every dNSName of its extension subjectAltName. A name of
// another kind is an error, except for email: it is not documented where the
// service puts that.
func namesOf(got *x509.CertificateRequest, email string) ([]string, error) {
	var names []string
	for _, attribute := range got.Subject.Names {
		if attribute.Type.Equal(oidCommonName) {
			names = append(names, normalName(fmt.Sprint(attribute.Value)))
		}
	}
	if err := checkAttributes(got); err != nil {
		return nil, err
	}
	sans, err := subjectAltNames(got)
	if err != nil {
		return nil, err
	}
	for _, san := range sans {
		value := string(san.Bytes)
		switch {
		case isDNSName(san):
			names = append(names, normalName(value))
		case isEmail(san) && email != "" && strings.EqualFold(value, email):
		default:
			return nil, fmt.Errorf("it has the name %s, which is not a domain name", quote(value))
		}
	}
	return names, nil
}

func isDNSName(san asn1.RawValue) bool {
	return san.Class == asn1.ClassContextSpecific && san.Tag == dNSName
}

func isEmail(san asn1.RawValue) bool {
	return san.Class == asn1.ClassContextSpecific && san.Tag == rfc822Name
}

// checkAttributes returns an error if a CSR has extensions where crypto/x509
// does not look for them: it skips an attribute that it can't parse, and all
// but the first value of the attribute extensionRequest. Microsoft's attribute
// has extensions too, which openssl reads.
func checkAttributes(got *x509.CertificateRequest) error {
	attributes, err := attributesOfRequest(got)
	if err != nil {
		return fmt.Errorf("parse its attributes: %w", err)
	}
	requested := false
	for _, attribute := range attributes {
		switch {
		case attribute.Type.Equal(oidMicrosoftExtensions):
			return fmt.Errorf("it has extensions in Microsoft's attribute %s", attribute.Type)
		case !attribute.Type.Equal(oidExtensionRequest):
			continue
		case requested || len(attribute.Values) != 1:
			return errors.New("its attribute extensionRequest does not have exactly one value")
		}
		requested = true
	}
	return nil
}

// A requestAttribute is an Attribute of a CSR, RFC 2986 section 4.1.
type requestAttribute struct {
	Type   asn1.ObjectIdentifier
	Values []asn1.RawValue `asn1:"set"`
}

// attributesOfRequest returns the attributes of a CSR, which are the last
// element of what it signs.
func attributesOfRequest(got *x509.CertificateRequest) ([]requestAttribute, error) {
	info, err := elements(got.RawTBSCertificateRequest)
	if err != nil {
		return nil, err
	}
	var attributes []requestAttribute
	for rest := info[len(info)-1].Bytes; len(rest) > 0; {
		var raw asn1.RawValue
		if rest, err = asn1.Unmarshal(rest, &raw); err != nil {
			return nil, err
		}
		attribute, err := parseAttribute(raw.FullBytes)
		if err != nil {
			return nil, err
		}
		attributes = append(attributes, attribute)
	}
	return attributes, nil
}

func parseAttribute(der []byte) (attribute requestAttribute, err error) {
	parts, err := elements(der)
	if err != nil {
		return attribute, err
	}
	if len(parts) != 2 {
		return attribute, fmt.Errorf("an attribute of %d elements: want 2", len(parts))
	}
	_, err = asn1.Unmarshal(der, &attribute)
	return attribute, err
}

// checkElements returns an error if a CSR has more elements than RFC 2986
// section 4 gives it, which encoding/asn1, and so crypto/x509, skips.
func checkElements(parsed *x509.CertificateRequest) error {
	outer, err := elements(parsed.Raw)
	if err != nil {
		return err
	}
	info, err := elements(parsed.RawTBSCertificateRequest)
	if err != nil {
		return err
	}
	if len(outer) != 3 || len(info) != 4 {
		return fmt.Errorf("%d elements, and %d in what is signed: want 3 and 4", len(outer), len(info))
	}
	return nil
}

// elements returns the elements of a DER SEQUENCE.
func elements(der []byte) ([]asn1.RawValue, error) {
	var values []asn1.RawValue
	_, err := asn1.Unmarshal(der, &values)
	return values, err
}

// subjectAltNames returns every GeneralName of a CSR. crypto/x509 skips those
// that it does not know.
func subjectAltNames(got *x509.CertificateRequest) ([]asn1.RawValue, error) {
	for _, extension := range got.Extensions {
		if !extension.Id.Equal(oidSAN) {
			continue
		}
		var names []asn1.RawValue
		rest, err := asn1.Unmarshal(extension.Value, &names)
		if err == nil && len(rest) > 0 {
			err = errors.New("trailing data")
		}
		if err != nil {
			return nil, fmt.Errorf("parse its extension subjectAltName: %w", err)
		}
		return names, nil // crypto/x509 refuses a second extension of the same kind
	}
	return nil, nil
}

// normalName returns the normal form of a domain name in a CSR, or name itself
// if it has none.
func normalName(name string) string {
	if normal, reason := domainName(name); reason == "" {
		return normal
	}
	return name
}
