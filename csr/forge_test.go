package csr

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"
)

// forgery is a CSR in the making, in which anything may be wrong.
type forgery struct {
	version    int
	rdns       [][]rawAttribute
	sans       []asn1.RawValue
	extensions []pkix.Extension
	attributes []asn1.RawValue // besides the extensions
	key        crypto.Signer
	pub        crypto.PublicKey // nil: that of key
	algorithm  pkix.AlgorithmIdentifier
	hash       crypto.Hash
	der        func(der []byte) []byte // nil: as it is
	label      string
	text       func(pem string) string // nil: as it is
}

var (
	oidECDSAWithSHA256 = asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 2}
	oidECDSAWithSHA1   = asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 1}
	oidSHA256WithRSA   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 11}
	oidMD5WithRSA      = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 4}
)

// forge returns a CSR in which nothing is wrong but for what change does.
func forge(t testing.TB, key crypto.Signer, change func(*forgery)) []byte {
	t.Helper()
	f := &forgery{
		rdns: [][]rawAttribute{
			{utf8Value(oidCountry, "CN")},
			{utf8Value(oidState, "Zhejiang")},
			{utf8Value(oidCity, "Hangzhou")},
			{utf8Value(oidOrganization, "Alibaba Inc")},
			{utf8Value(oidCommonName, "www.example.com")},
		},
		sans:      []asn1.RawValue{generalName(tagDNSName, "www.example.com")},
		key:       key,
		algorithm: pkix.AlgorithmIdentifier{Algorithm: oidECDSAWithSHA256},
		hash:      crypto.SHA256,
		label:     pemType,
	}
	f.rdns[0][0].Value.Tag = asn1.TagPrintableString
	change(f)
	der := f.encode(t)
	if f.der != nil {
		der = f.der(der)
	}
	text := string(pem.EncodeToMemory(&pem.Block{Type: f.label, Bytes: der}))
	if f.text != nil {
		text = f.text(text)
	}
	return []byte(text)
}

func (f *forgery) encode(t testing.TB) []byte {
	t.Helper()
	var rdns []asn1.RawValue
	for _, rdn := range f.rdns {
		var set []byte
		for _, a := range rdn {
			set = append(set, marshal(t, a)...)
		}
		rdns = append(rdns, asn1.RawValue{Tag: asn1.TagSet, IsCompound: true, Bytes: set})
	}
	if f.pub == nil {
		f.pub = f.key.Public()
	}
	spki, err := x509.MarshalPKIXPublicKey(f.pub)
	require.NoError(t, err)
	attributes := f.attributes
	if f.sans != nil {
		f.extensions = append(f.extensions, pkix.Extension{Id: oidSAN, Value: marshal(t, f.sans)})
	}
	if f.extensions != nil {
		attributes = append(attributes, attributeOf(t, oidExtensionRequest, f.extensions))
	}
	info := rawInfo{
		Version:    f.version,
		Subject:    asn1.RawValue{FullBytes: marshal(t, rdns)},
		PublicKey:  asn1.RawValue{FullBytes: spki},
		Attributes: append([]asn1.RawValue{}, attributes...),
	}
	tbs := marshal(t, info)
	signature, err := f.key.Sign(rand.Reader, f.digest(tbs), f.hash)
	require.NoError(t, err)
	info.Raw = tbs
	return marshal(t, rawRequest{info, f.algorithm, asn1.BitString{Bytes: signature, BitLength: 8 * len(signature)}})
}

func (f *forgery) digest(tbs []byte) []byte {
	if f.hash == crypto.SHA1 {
		sum := sha1.Sum(tbs)
		return sum[:]
	}
	sum := sha256.Sum256(tbs)
	return sum[:]
}

// rsa makes the CSR one of an RSA key, with the numbers of pub, if it is not nil, in the place of its own.
func (f *forgery) rsa(key crypto.Signer, pub *rsa.PublicKey) {
	f.key = key
	f.algorithm = pkix.AlgorithmIdentifier{Algorithm: oidSHA256WithRSA, Parameters: asn1.NullRawValue}
	if pub != nil {
		f.pub = pub
	}
}

// attribute puts an attribute in front of the common name.
func (f *forgery) attribute(a rawAttribute) {
	last := len(f.rdns) - 1
	f.rdns = append(f.rdns[:last:last], []rawAttribute{a}, f.rdns[last])
}

// names sets the domain names, and the common name to the first of them.
func (f *forgery) names(names ...string) {
	f.sans = nil
	for _, name := range names {
		f.sans = append(f.sans, generalName(tagDNSName, name))
	}
	f.rdns[len(f.rdns)-1][0] = utf8Value(oidCommonName, names[0])
}

func utf8Value(oid asn1.ObjectIdentifier, value string) rawAttribute {
	return stringValue(oid, asn1.TagUTF8String, value)
}

func stringValue(oid asn1.ObjectIdentifier, tag int, value string) rawAttribute {
	return rawAttribute{oid, asn1.RawValue{Tag: tag, Bytes: []byte(value)}}
}

func generalName(tag int, value string) asn1.RawValue {
	return asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: tag, Bytes: []byte(value)}
}

// attributeOf returns an attribute of a CSR with one value.
func attributeOf(t testing.TB, oid asn1.ObjectIdentifier, value any) asn1.RawValue {
	t.Helper()
	return asn1.RawValue{FullBytes: marshal(t, struct {
		Type   asn1.ObjectIdentifier
		Values []asn1.RawValue `asn1:"set"`
	}{oid, []asn1.RawValue{{FullBytes: marshal(t, value)}}})}
}

func marshal(t testing.TB, value any) []byte {
	t.Helper()
	der, err := asn1.Marshal(value)
	require.NoError(t, err)
	return der
}

// primes returns the product of two primes of so many bits, which are close together if near.
func primes(t testing.TB, bits int, near bool) *big.Int {
	t.Helper()
	p, err := rand.Prime(rand.Reader, bits)
	require.NoError(t, err)
	q, err := rand.Prime(rand.Reader, bits)
	require.NoError(t, err)
	if near {
		q = new(big.Int).Add(p, big.NewInt(2))
		for !q.ProbablyPrime(20) {
			q.Add(q, big.NewInt(2))
		}
	}
	return new(big.Int).Mul(p, q)
}
