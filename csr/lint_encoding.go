package csr

import (
	"bytes"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
)

var (
	pemMissing      = refused("pem-missing", "RFC 7468 section 7")
	pemLabel        = refused("pem-label", "RFC 7468 section 7")
	pemSurroundings = refused("pem-surroundings", "RFC 7468 section 2")
	derMalformed    = refused("der-malformed", "RFC 2986 section 4")
	derTrailing     = refused("der-trailing", "RFC 2986 section 4.2")
	derOrder        = refused("der-order", "ITU-T X.690 section 11.6")
	versionNotV1    = refused("version", "RFC 2986 section 4.1")
)

// rawRequest is a CertificationRequest (RFC 2986 section 4) of which nothing is decoded that a mistake could be in.
type rawRequest struct {
	Info      rawInfo
	Algorithm pkix.AlgorithmIdentifier
	Signature asn1.BitString
}

// rawInfo is a CertificationRequestInfo (RFC 2986 section 4.1).
type rawInfo struct {
	Raw        asn1.RawContent
	Version    int
	Subject    asn1.RawValue
	PublicKey  asn1.RawValue
	Attributes []asn1.RawValue `asn1:"optional,tag:0"`
}

// readPEM returns the DER in data, or data itself if it is no PEM.
func (l *linter) readPEM(data []byte) []byte {
	block, rest := pem.Decode(data)
	if block == nil {
		if len(data) > 0 && data[0] == 0x30 {
			l.add(pemMissing, "PEM", "is bare DER: put it into a PEM block")
			return data
		}
		l.add(pemMissing, "PEM", "there is no PEM block")
		return nil
	}
	if block.Type != pemType {
		l.add(pemLabel, "PEM", "the label is %s: want %q", quote(block.Type), pemType)
	}
	if len(bytes.TrimSpace(rest)) > 0 || len(block.Headers) > 0 ||
		!bytes.HasPrefix(bytes.TrimSpace(data), []byte("-----BEGIN ")) || bytes.Count(data, []byte("-----BEGIN ")) > 1 {
		l.add(pemSurroundings, "PEM", "there is more than one PEM block without headers")
	}
	return block.Bytes
}

// readDER returns the CSR in der.
func (l *linter) readDER(der []byte) (request *rawRequest, ok bool) {
	if len(der) == 0 {
		return nil, false // said already
	}
	request = new(rawRequest)
	rest, err := asn1.Unmarshal(der, request)
	if err != nil {
		l.add(derMalformed, "DER", "is not a CSR: %v", err)
		return nil, false
	}
	if len(rest) > 0 {
		l.add(derTrailing, "DER", "there are %d bytes after the CSR", len(rest))
	}
	return request, true
}

// version checks the version, which is that of the syntax: v1 is the number 0.
func (l *linter) version(request *rawRequest) {
	if v := request.Info.Version; v != 0 {
		l.add(versionNotV1, "DER", "the version is %d: want 0, which is v1", v)
	}
}

// order checks that the elements of a SET OF are in ascending order, as DER has it. step's weren't, and GnuTLS then
// computes another signature.
func (l *linter) order(place string, elements [][]byte) {
	for i := 1; i < len(elements); i++ {
		if bytes.Compare(elements[i-1], elements[i]) > 0 {
			l.add(derOrder, place, "the elements of a SET are not in ascending order")
			return
		}
	}
}

// elements returns the whole encodings of the elements of a SET or SEQUENCE.
func elements(content []byte) ([][]byte, error) {
	var all [][]byte
	for len(content) > 0 {
		var element asn1.RawValue
		rest, err := asn1.Unmarshal(content, &element)
		if err != nil {
			return nil, err
		}
		all = append(all, element.FullBytes)
		content = rest
	}
	return all, nil
}
