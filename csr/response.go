package csr

import (
	"bytes"
	"crypto/x509"
	"encoding/xml"
	"errors"
	"fmt"
)

// Response holds the response parameters of CreateCdnCertificateSigningRequest.
// In JSON or XML it has exactly the four documented ones.
type Response struct {
	RequestId  string // identifies the call; that of a local CSR is a new UUID in upper case
	CommonName string // of the certificate; that of a local CSR as it is in the CSR
	Csr        string // the CSR in PEM, RFC 7468 section 7
	PubMd5     string // identifies the key; that of a local CSR is the key's PubMD5
	Origin     Origin `json:"-" xml:"-"` // who has the private key; neither in JSON nor in XML
}

// Origin says where a CSR was made, and so who has its private key.
type Origin int

// The places where a CSR can be made.
const (
	OriginUnknown Origin = iota // such as that of a Response from JSON or XML
	OriginCDN                   // the CDN
	OriginLocal                 // this machine: the key is in the KeyStore of the Generator, or with the caller of New
)

var originNames = [...]string{OriginUnknown: "unknown", OriginCDN: "CDN", OriginLocal: "local"}

// String returns "unknown", "CDN" or "local", or, for another value, a text
// such as "Origin(9)".
func (o Origin) String() string {
	if !o.known() {
		return fmt.Sprintf("Origin(%d)", int(o))
	}
	return originNames[o]
}

// MarshalText implements [encoding.TextMarshaler]. It returns "unknown", "CDN"
// or "local", or an error for another value.
func (o Origin) MarshalText() ([]byte, error) {
	if !o.known() {
		return nil, fmt.Errorf("csr: %s is not an Origin", o)
	}
	return []byte(originNames[o]), nil
}

// UnmarshalText implements [encoding.TextUnmarshaler]. It accepts "unknown",
// "CDN" and "local"; any other text is an error and leaves o unchanged.
func (o *Origin) UnmarshalText(text []byte) error {
	if o == nil {
		return errors.New("csr: UnmarshalText of a nil Origin")
	}
	for i, name := range originNames {
		if string(text) == name {
			*o = Origin(i)
			return nil
		}
	}
	return fmt.Errorf("csr: Origin %s: want one of %q", quote(string(text)), originNames)
}

func (o Origin) known() bool { return o >= 0 && int(o) < len(originNames) }

// CertificateRequest parses r.Csr. It returns an error unless Csr is exactly
// one PEM block with exactly one DER-encoded CSR that is signed by its own key.
func (r *Response) CertificateRequest() (*x509.CertificateRequest, error) {
	if r == nil {
		return nil, errors.New("csr: response is nil")
	}
	der, err := decodePEM([]byte(r.Csr), pemType)
	if err != nil {
		return nil, fmt.Errorf("csr: parse Csr: %w", err)
	}
	parsed, err := x509.ParseCertificateRequest(der)
	if err != nil {
		return nil, fmt.Errorf("csr: parse Csr: %w", err)
	}
	if err := checkElements(parsed); err != nil {
		return nil, fmt.Errorf("csr: parse Csr: %w", err)
	}
	if err := parsed.CheckSignature(); err != nil {
		return nil, fmt.Errorf("csr: verify the signature of Csr: %w", err)
	}
	return parsed, nil
}

// The root element of the XML form. The operation's page misspells it, so both
// spellings are read.
const (
	xmlRoot           = "CreateCdnCertificateSigningRequestResponse"
	xmlRootMisspelled = "CreateCdnCertificateSigningRequestResesponse"
)

// xmlResponse is the XML form of a Response in the order of the documentation.
type xmlResponse struct {
	RequestId  string
	CommonName string
	Csr        string
	PubMd5     string
}

// MarshalXML implements [xml.Marshaler]. It writes the documented XML, with
// literal line ends in Csr and the root element
// CreateCdnCertificateSigningRequestResponse, whatever start is.
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

// escapeXML escapes s as character data but keeps its line ends, for which
// xml.EscapeText writes "&#xA;": equivalent, but not the documented form.
func escapeXML(s string) ([]byte, error) {
	var b bytes.Buffer
	if err := xml.EscapeText(&b, []byte(s)); err != nil {
		return nil, fmt.Errorf("csr: write XML: %w", err)
	}
	return bytes.ReplaceAll(b.Bytes(), []byte("&#xA;"), []byte("\n")), nil
}

// UnmarshalXML implements [xml.Unmarshaler]. It reads the documented XML with
// either spelling of its root element.
func (r *Response) UnmarshalXML(d *xml.Decoder, start xml.StartElement) error {
	if r == nil {
		return errors.New("csr: UnmarshalXML of a nil Response")
	}
	if start.Name.Local != xmlRoot && start.Name.Local != xmlRootMisspelled {
		return fmt.Errorf("csr: parse XML: root element %q: want %q", start.Name.Local, xmlRoot)
	}
	var x xmlResponse
	if err := d.DecodeElement(&x, &start); err != nil {
		return fmt.Errorf("csr: parse XML: %w", err)
	}
	*r = Response{RequestId: x.RequestId, CommonName: x.CommonName, Csr: x.Csr, PubMd5: x.PubMd5}
	return nil
}
