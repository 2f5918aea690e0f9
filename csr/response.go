package csr

import (
	"bytes"
	"crypto/x509"
	"encoding/xml"
	"errors"
	"fmt"
)

// Response holds the response parameters of CreateCdnCertificateSigningRequest. In JSON and in XML it is exactly the
// four documented ones.
type Response struct {
	RequestId  string // of the call; of a local CSR a new UUID in upper case
	CommonName string // of the certificate; of a local CSR as it stands in the CSR
	Csr        string // the CSR in PEM, RFC 7468 section 7
	PubMd5     string // MD5 of the public key, by which the key is found again; see PubMD5 for that of a local CSR
	Origin     Origin `json:"-" xml:"-"` // who has the private key; not on the wire
}

// Origin tells who made a CSR and therefore has its private key.
type Origin int

// The origins.
const (
	OriginUnknown Origin = iota // not known: a Response read from JSON or XML
	OriginCDN                   // the CDN, which keeps the key
	OriginLocal                 // this machine; the key is in the KeyStore, or with the caller of New
)

// String returns "unknown", "CDN" or "local", or "Origin(9)" for a value that has no name.
func (o Origin) String() string {
	switch o {
	case OriginUnknown:
		return "unknown"
	case OriginCDN:
		return "CDN"
	case OriginLocal:
		return "local"
	}
	return fmt.Sprintf("Origin(%d)", int(o))
}

// CertificateRequest returns r.Csr parsed. It is an error if Csr is not one PEM block of a CSR and nothing else, if the
// block is not exactly one CSR in DER, or if its signature is not by its own key.
func (r *Response) CertificateRequest() (*x509.CertificateRequest, error) {
	if r == nil {
		return nil, errors.New("csr: read Csr: the response is nil: look at the error that came with it")
	}
	der, err := decodePEM([]byte(r.Csr), pemType)
	if err != nil {
		return nil, fmt.Errorf("csr: read Csr: %w: it must be one whole CSR in PEM", err)
	}
	parsed, err := x509.ParseCertificateRequest(der)
	if err != nil {
		return nil, fmt.Errorf("csr: read Csr: %w: it must be one whole CSR in PEM", err)
	}
	if err := parsed.CheckSignature(); err != nil {
		return nil, fmt.Errorf("csr: read Csr: %w: it was changed, or signed by another key", err)
	}
	return parsed, nil
}

// The root of the XML form. The operation's page prints it misspelt, so that is read too.
const (
	xmlRoot         = "CreateCdnCertificateSigningRequestResponse"
	xmlRootMisspelt = "CreateCdnCertificateSigningRequestResesponse"
)

// xmlResponse is the XML form of a Response in the order of the documentation.
type xmlResponse struct {
	RequestId  string
	CommonName string
	Csr        string
	PubMd5     string
}

// MarshalXML writes the documented XML, whose root is always CreateCdnCertificateSigningRequestResponse, with literal
// line ends in Csr. It implements xml.Marshaler; start is ignored.
func (r Response) MarshalXML(e *xml.Encoder, _ xml.StartElement) error {
	type literal struct {
		Text []byte `xml:",innerxml"`
	}
	csr, err := escapeXML(r.Csr)
	if err != nil {
		return err
	}
	return e.EncodeElement(struct {
		RequestId  string
		CommonName string
		Csr        literal
		PubMd5     string
	}{r.RequestId, r.CommonName, literal{csr}, r.PubMd5}, xml.StartElement{Name: xml.Name{Local: xmlRoot}})
}

// escapeXML escapes s as character data and leaves its line ends as they are; xml.EscapeText writes "&#xA;" for one,
// which means the same but is not the documented form.
func escapeXML(s string) ([]byte, error) {
	var b bytes.Buffer
	if err := xml.EscapeText(&b, []byte(s)); err != nil {
		return nil, fmt.Errorf("csr: write XML: %w", err)
	}
	return bytes.ReplaceAll(b.Bytes(), []byte("&#xA;"), []byte("\n")), nil
}

// UnmarshalXML reads the documented XML with either spelling of its root. It implements xml.Unmarshaler.
func (r *Response) UnmarshalXML(d *xml.Decoder, start xml.StartElement) error {
	if start.Name.Local != xmlRoot && start.Name.Local != xmlRootMisspelt {
		return fmt.Errorf("csr: read XML: root %q: want %q", start.Name.Local, xmlRoot)
	}
	var x xmlResponse
	if err := d.DecodeElement(&x, &start); err != nil {
		return fmt.Errorf("csr: read XML: %w", err)
	}
	*r = Response{RequestId: x.RequestId, CommonName: x.CommonName, Csr: x.Csr, PubMd5: x.PubMd5}
	return nil
}
