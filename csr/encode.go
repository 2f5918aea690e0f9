package csr

import (
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"fmt"
)

const pemType = "CERTIFICATE REQUEST" // RFC 7468 section 7

// Attribute types of the subject (RFC 5280 appendix A.1), and the extension
// subjectAltName (section 4.2.1.6).
var (
	oidCountry          = asn1.ObjectIdentifier{2, 5, 4, 6}
	oidState            = asn1.ObjectIdentifier{2, 5, 4, 8}
	oidCity             = asn1.ObjectIdentifier{2, 5, 4, 7}
	oidOrganization     = asn1.ObjectIdentifier{2, 5, 4, 10}
	oidOrganizationUnit = asn1.ObjectIdentifier{2, 5, 4, 11}
	oidCommonName       = asn1.ObjectIdentifier{2, 5, 4, 3}
	oidEmail            = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 1}
	oidSAN              = asn1.ObjectIdentifier{2, 5, 29, 17}
)

// Attributes of a CSR with extensions: that of RFC 2985 section 5.4.2, and an
// older one of Microsoft's.
var (
	oidExtensionRequest    = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 14}
	oidMicrosoftExtensions = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 311, 2, 1, 14}
)

// Tags of a GeneralName, RFC 5280 section 4.2.1.6.
const (
	rfc822Name = 1
	dNSName    = 2
)

// encode returns the CSR for a normalized request in PEM, signed with key.
func encode(req *Request, key crypto.Signer, algorithm x509.SignatureAlgorithm) ([]byte, error) {
	subject, err := encodeSubject(req.withDefaults())
	if err != nil {
		return nil, fmt.Errorf("encode the subject: %w", err)
	}
	san, err := encodeNames(req.names())
	if err != nil {
		return nil, fmt.Errorf("encode the names: %w", err)
	}
	template := x509.CertificateRequest{
		RawSubject:         subject,
		ExtraExtensions:    []pkix.Extension{{Id: oidSAN, Value: san}},
		SignatureAlgorithm: algorithm,
	}
	der, err := x509.CreateCertificateRequest(rand.Reader, &template, key) // verifies the signature as well
	if err != nil {
		return nil, fmt.Errorf("sign: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: pemType, Bytes: der}), nil
}

// encodeSubject returns the subject as a DER Name (RFC 5280 section 4.1.2.4)
// with one attribute in each RDN. Package x509 uses another order, puts several
// attributes into one RDN, and encodes the email address as a UTF8String.
func encodeSubject(req *Request) ([]byte, error) {
	attribute := func(oid asn1.ObjectIdentifier, value any) pkix.RelativeDistinguishedNameSET {
		return pkix.RelativeDistinguishedNameSET{{Type: oid, Value: value}}
	}
	name := pkix.RDNSequence{ // a string becomes a PrintableString if it can, and a UTF8String otherwise
		attribute(oidCountry, req.Country),
		attribute(oidState, req.State),
		attribute(oidCity, req.City),
		attribute(oidOrganization, req.Organization),
		attribute(oidOrganizationUnit, req.OrganizationUnit),
		attribute(oidCommonName, req.CommonName),
	}
	if req.Email != "" {
		ia5 := asn1.RawValue{Tag: asn1.TagIA5String, Bytes: []byte(req.Email)}
		name = append(name, attribute(oidEmail, ia5))
	}
	return asn1.Marshal(name)
}

// encodeNames returns names as DER GeneralNames (RFC 5280 section 4.2.1.6).
func encodeNames(names []string) ([]byte, error) {
	general := make([]asn1.RawValue, len(names))
	for i, name := range names {
		general[i] = asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: dNSName, Bytes: []byte(name)}
	}
	return asn1.Marshal(general)
}
