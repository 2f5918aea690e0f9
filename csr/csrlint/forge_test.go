package csrlint

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// forgery is a CSR in the making, in which anything may be wrong. What is said
// twice here, such as subject and common name, need not agree.
type forgery struct {
	version    []byte
	subject    []byte   // if nil, a Name of rdns
	rdns       [][]byte // encoded
	spki       []byte   // if nil, that of key
	names      [][]byte // GeneralNames; if nil, there is no SAN extension
	extensions [][]byte // besides the SAN extension
	attributes [][]byte // besides the extensions
	noAttr     bool     // the field of attributes is left out
	key        crypto.Signer
	algorithm  []byte
	options    crypto.SignerOpts
	infoEnd    []byte                      // stands after the attributes
	requestEnd []byte                      // stands after the signature
	change     func(der []byte) []byte     // of the whole, unless nil
	label      string                      // of the PEM block
	text       func(pem string) (s string) // of the PEM, unless nil
}

const (
	tagSet         = asn1.TagSet | 0x20
	tagSequence    = asn1.TagSequence | 0x20
	tagAttributes  = 0xa0 // [0]
	contextTag     = 0x80
	constructedBit = 0x20
)

var (
	ecdsaWithSHA256 = tlv(tagSequence, oid(1, 2, 840, 10045, 4, 3, 2))
	ecdsaWithSHA1   = tlv(tagSequence, oid(1, 2, 840, 10045, 4, 1))
	rsaWithSHA256   = tlv(tagSequence, oid(1, 2, 840, 113549, 1, 1, 11), null)
	rsaWithSHA1     = tlv(tagSequence, oid(1, 2, 840, 113549, 1, 1, 5), null)
	rsaWithMD5      = tlv(tagSequence, oid(1, 2, 840, 113549, 1, 1, 4), null)
	rsaWithMD2      = tlv(tagSequence, oid(1, 2, 840, 113549, 1, 1, 2), null)

	null = []byte{asn1.TagNull, 0}
)

// pss is rsassaPss with SHA-256 and a salt of 32 bytes (RFC 4055 section 3.1).
var pss = func() []byte {
	sha256 := tlv(tagSequence, oid(2, 16, 840, 1, 101, 3, 4, 2, 1), null)
	mgf1 := tlv(tagSequence, oid(1, 2, 840, 113549, 1, 1, 8), sha256)
	return tlv(tagSequence, oid(1, 2, 840, 113549, 1, 1, 10),
		tlv(tagSequence, tlv(0xa0, sha256), tlv(0xa1, mgf1), tlv(0xa2, []byte{asn1.TagInteger, 1, 32})))
}()

// The types of a subject's attributes.
var (
	commonName   = oid(2, 5, 4, 3)
	surname      = oid(2, 5, 4, 4)
	country      = oid(2, 5, 4, 6)
	city         = oid(2, 5, 4, 7)
	state        = oid(2, 5, 4, 8)
	street       = oid(2, 5, 4, 9)
	organization = oid(2, 5, 4, 10)
	unit         = oid(2, 5, 4, 11)
	title        = oid(2, 5, 4, 12)
	givenName    = oid(2, 5, 4, 42)
	email        = oid(1, 2, 840, 113549, 1, 9, 1)
	domainPart   = oid(0, 9, 2342, 19200300, 100, 1, 25)
)

// testKey is the key of every forgery that has no other.
var testKey = sync.OnceValue(func() crypto.Signer { return newECDSA(elliptic.P256()) })

// forge returns a CSR in PEM with nothing wrong but for what change does.
func forge(t testing.TB, change func(*forgery)) []byte {
	t.Helper()
	f := &forgery{
		version: []byte{asn1.TagInteger, 1, 0},
		rdns: [][]byte{
			rdn(attr(country, asn1.TagPrintableString, "CN")),
			rdn(attr(state, asn1.TagUTF8String, "Zhejiang")),
			rdn(attr(city, asn1.TagUTF8String, "Hangzhou")),
			rdn(attr(organization, asn1.TagUTF8String, "Alibaba Inc")),
			rdn(attr(commonName, asn1.TagUTF8String, "www.example.com")),
		},
		names:     [][]byte{dnsName("www.example.com")},
		key:       testKey(),
		algorithm: ecdsaWithSHA256,
		options:   crypto.SHA256,
		label:     pemType,
	}
	change(f)
	der := f.encode(t)
	if f.change != nil {
		der = f.change(der)
	}
	text := string(pem.EncodeToMemory(&pem.Block{Type: f.label, Bytes: der}))
	if f.text != nil {
		text = f.text(text)
	}
	return []byte(text)
}

func (f *forgery) encode(t testing.TB) []byte {
	t.Helper()
	if f.subject == nil {
		f.subject = tlv(tagSequence, f.rdns...)
	}
	if f.spki == nil {
		f.spki = spkiOf(f.key.Public())
	}
	if f.names != nil {
		f.extensions = append(f.extensions, extension(oid(2, 5, 29, 17), tlv(tagSequence, f.names...)))
	}
	if f.extensions != nil {
		f.attributes = append(f.attributes, csrAttr(oid(1, 2, 840, 113549, 1, 9, 14), tlv(tagSequence, f.extensions...)))
	}
	fields := [][]byte{f.version, f.subject, f.spki, tlv(tagAttributes, f.attributes...), f.infoEnd}
	if f.noAttr {
		fields = fields[:3]
	}
	info := tlv(tagSequence, fields...)
	hash := f.options.HashFunc().New()
	_, _ = hash.Write(info) // never fails
	signature, err := f.key.Sign(rand.Reader, hash.Sum(nil), f.options)
	require.NoError(t, err)
	return tlv(tagSequence, info, f.algorithm, tlv(asn1.TagBitString, []byte{0}, signature), f.requestEnd)
}

// rsa gives the CSR an RSA key.
func (f *forgery) rsa(key crypto.Signer) { f.key, f.algorithm = key, rsaWithSHA256 }

// add puts an attribute in front of the common name.
func (f *forgery) add(attr []byte) { f.rdns = slices.Insert(f.rdns, len(f.rdns)-1, rdn(attr)) }

// called gives the CSR these domain names, the first of them as common name.
func (f *forgery) called(names ...string) {
	f.names = nil
	for _, name := range names {
		f.names = append(f.names, dnsName(name))
	}
	f.rdns[len(f.rdns)-1] = rdn(attr(commonName, asn1.TagUTF8String, names[0]))
}

// tlv returns one element of DER: tag, length and content.
func tlv(tag byte, content ...[]byte) []byte {
	all := slices.Concat(content...)
	n := len(all)
	switch {
	case n < 0x80:
		return slices.Concat([]byte{tag, byte(n)}, all)
	case n < 0x100:
		return slices.Concat([]byte{tag, 0x81, byte(n)}, all)
	default:
		return slices.Concat([]byte{tag, 0x82, byte(n >> 8), byte(n)}, all)
	}
}

func oid(numbers ...int) []byte {
	der, err := asn1.Marshal(asn1.ObjectIdentifier(numbers))
	if err != nil {
		panic(err) // the test's own mistake
	}
	return der
}

func rdn(attrs ...[]byte) []byte { return tlv(tagSet, attrs...) }

// attr returns an attribute of a subject with a value of an ASN.1 type.
func attr(oid []byte, tag byte, value string) []byte {
	return tlv(tagSequence, oid, tlv(tag, []byte(value)))
}

// csrAttr returns an attribute of a CSR.
func csrAttr(oid []byte, values ...[]byte) []byte {
	return tlv(tagSequence, oid, tlv(tagSet, values...))
}

func extension(oid, value []byte) []byte {
	return tlv(tagSequence, oid, tlv(asn1.TagOctetString, value))
}

func generalName(tag byte, value string) []byte { return tlv(contextTag|tag, []byte(value)) }

func dnsName(name string) []byte { return generalName(tagDNSName, name) }

func spkiOf(public crypto.PublicKey) []byte {
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		panic(err) // the test's own mistake
	}
	return der
}

func newECDSA(curve elliptic.Curve) crypto.Signer {
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		panic(err) // documented never to happen with rand.Reader
	}
	return key
}

// replace returns a change that puts one byte string in the place of another.
func replace(before, after string) func([]byte) []byte {
	return func(der []byte) []byte { return []byte(strings.Replace(string(der), before, after, 1)) }
}
