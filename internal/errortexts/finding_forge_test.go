package errortexts

import (
	"crypto"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"testing"

	"github.com/stretchr/testify/require"
)

// A forgery is a CSR in the making, in which anything may be wrong. Its signature is none.
type forgery struct {
	version    int
	subject    []any  // its RDNs
	subjectDER []byte // of subject, if nil
	extensions []pkix.Extension
	attributes []any
	public     crypto.PublicKey
	spki       []byte // of public, if nil
	algorithm  asn1.ObjectIdentifier
	label      string
	text       func(pem string) string // nil leaves it
}

// An attribute is one of a subject, or one of the CSR's own with its values.
type attribute struct {
	Type  asn1.ObjectIdentifier
	Value asn1.RawValue
}

var (
	oidCommonName  = asn1.ObjectIdentifier{2, 5, 4, 3}
	oidCountry     = asn1.ObjectIdentifier{2, 5, 4, 6}
	oidCity        = asn1.ObjectIdentifier{2, 5, 4, 7}
	oidState       = asn1.ObjectIdentifier{2, 5, 4, 8}
	oidName        = asn1.ObjectIdentifier{2, 5, 4, 10}
	oidUnit        = asn1.ObjectIdentifier{2, 5, 4, 11}
	oidEmail       = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 1}
	oidPassword    = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 7}
	oidExtensions  = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 14}
	oidSAN         = asn1.ObjectIdentifier{2, 5, 29, 17}
	oidECDSASHA256 = asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 2}
	oidECDSASHA1   = asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 1}
)

// newForgery has nothing wrong but its signature.
func newForgery(t *testing.T) *forgery {
	f := &forgery{public: newKey(t).Public(), algorithm: oidECDSASHA256, label: "CERTIFICATE REQUEST"}
	f.names(t, "www.example.com")
	return f
}

// names sets the names, and the common name to the first of them.
func (f *forgery) names(t *testing.T, names ...string) {
	t.Helper()
	f.subject = []any{[]attribute{utf8(oidCommonName, names[0])}}
	var general []asn1.RawValue
	for _, name := range names {
		general = append(general, generalName(2, name))
	}
	f.san(t, general)
}

// san sets the value of the extension of names.
func (f *forgery) san(t *testing.T, value any) {
	t.Helper()
	f.extensions = []pkix.Extension{{Id: oidSAN, Value: marshal(t, value)}}
}

// encode is the CSR.
func (f *forgery) encode(t *testing.T) string {
	t.Helper()
	if f.spki == nil {
		var err error
		f.spki, err = x509.MarshalPKIXPublicKey(f.public)
		require.NoError(t, err)
	}
	if f.extensions != nil {
		f.attributes = append(f.attributes, requestAttribute(t, oidExtensions, f.extensions))
	}
	if f.subjectDER == nil {
		f.subjectDER = f.encodeSubject(t)
	}
	var attributes []asn1.RawValue
	for _, one := range f.attributes {
		attributes = append(attributes, asn1.RawValue{FullBytes: marshal(t, one)})
	}
	var info struct {
		Version            int
		Subject, PublicKey asn1.RawValue
		Attributes         []asn1.RawValue `asn1:"tag:0"`
	}
	info.Version, info.Subject.FullBytes, info.PublicKey.FullBytes = f.version, f.subjectDER, f.spki
	info.Attributes = attributes
	der := marshal(t, struct {
		Info      asn1.RawValue
		Algorithm pkix.AlgorithmIdentifier
		Signature asn1.BitString
	}{
		asn1.RawValue{FullBytes: marshal(t, info)},
		pkix.AlgorithmIdentifier{Algorithm: f.algorithm},
		asn1.BitString{Bytes: []byte("none"), BitLength: 32},
	})
	text := string(pem.EncodeToMemory(&pem.Block{Type: f.label, Bytes: der}))
	if f.text != nil {
		text = f.text(text)
	}
	return text
}

// encodeSubject is the subject, a Name.
func (f *forgery) encodeSubject(t *testing.T) []byte {
	t.Helper()
	var rdns []asn1.RawValue
	for _, rdn := range f.subject {
		rdns = append(rdns, asn1.RawValue{FullBytes: setOf(t, rdn)})
	}
	return marshal(t, rdns)
}

// setOf is a SET of attributes in their order, or what else is in the place of one.
func setOf(t *testing.T, rdn any) []byte {
	t.Helper()
	attributes, ok := rdn.([]attribute)
	if !ok {
		return marshal(t, rdn)
	}
	var content []byte
	for _, a := range attributes {
		content = append(content, marshal(t, a)...)
	}
	return marshal(t, asn1.RawValue{Tag: asn1.TagSet, IsCompound: true, Bytes: content})
}

// requestAttribute is an attribute of a CSR with one value.
func requestAttribute(t *testing.T, oid asn1.ObjectIdentifier, value any) attribute {
	t.Helper()
	return attribute{oid, asn1.RawValue{Tag: asn1.TagSet, IsCompound: true, Bytes: marshal(t, value)}}
}

func utf8(oid asn1.ObjectIdentifier, value string) attribute {
	return typed(oid, asn1.TagUTF8String, value)
}

func typed(oid asn1.ObjectIdentifier, tag int, value string) attribute {
	return attribute{oid, asn1.RawValue{Tag: tag, Bytes: []byte(value)}}
}

func generalName(tag int, value string) asn1.RawValue {
	return asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: tag, Bytes: []byte(value)}
}

func marshal(t *testing.T, value any) []byte {
	t.Helper()
	der, err := asn1.Marshal(value)
	require.NoError(t, err)
	return der
}
