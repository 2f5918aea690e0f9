package csr

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// sample is a CSR with something wrong, and the codes of what Lint must find in it.
type sample struct {
	what   string
	change func(*forgery)
	codes  string // with blanks between
}

// encodingSamples are wrong in what no certificate has of a CSR, so zlint can't see it.
func encodingSamples(t testing.TB) []sample {
	return []sample{
		{"bare DER", func(f *forgery) { f.text = func(s string) string { return string(pemBytes(s)) } }, "pem-missing"},
		{"old label", func(f *forgery) { f.label = "NEW CERTIFICATE REQUEST" }, "pem-label"},
		{"text before", func(f *forgery) { f.text = func(s string) string { return "my CSR\n" + s } }, "pem-surroundings"},
		{"text after", func(f *forgery) { f.text = func(s string) string { return s + "the end" } }, "pem-surroundings"},
		{"two blocks", func(f *forgery) { f.text = func(s string) string { return s + s } }, "pem-surroundings"},
		{"trailing DER", func(f *forgery) { f.der = func(der []byte) []byte { return append(der, 0, 0) } }, "der-trailing"},
		{"cut DER", func(f *forgery) { f.der = func(der []byte) []byte { return der[:50] } }, "der-malformed"},
		{"version", func(f *forgery) { f.version = 2 }, "version"},
		{"signature of another", func(f *forgery) { f.pub = newTestKey(t, P256).Public() }, "signature-wrong"},
		{"SHA-1", func(f *forgery) { f.hash, f.algorithm.Algorithm = crypto.SHA1, oidECDSAWithSHA1 }, "signature-hash"},
		{"MD5", func(f *forgery) {
			f.rsa(newTestKey(t, RSA2048), nil)
			f.algorithm.Algorithm = oidMD5WithRSA
		}, "signature-hash"},
		{"attribute", func(f *forgery) {
			f.attributes = []asn1.RawValue{attributeOf(t, asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 311, 13, 2, 3}, "10.0")}
		}, "attribute-ignored"},
		{"password", func(f *forgery) {
			f.attributes = []asn1.RawValue{attributeOf(t, oidChallengePassword, "secret")}
		}, "attribute-password"},
		{"unsorted attributes", func(f *forgery) { // step's, which GnuTLS can't verify
			f.attributes = []asn1.RawValue{
				attributeOf(t, oidChallengePassword, "secret"), attributeOf(t, oidExtensionMicrosoft, []pkix.Extension{}),
			}
		}, "attribute-password der-order"},
		{"extensions no list", func(f *forgery) {
			f.attributes = []asn1.RawValue{attributeOf(t, oidExtensionRequest, "x")}
		}, "der-malformed"},
		{"no attribute", func(f *forgery) {
			f.attributes = []asn1.RawValue{{Tag: asn1.TagInteger, Bytes: []byte{1}}}
		}, "der-malformed"},
		{"key usage", func(f *forgery) {
			f.extensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 15}, Critical: true, Value: []byte{3, 2, 5, 0xa0}}}
		}, "extension-ignored"},
		{"two SAN extensions", func(f *forgery) {
			f.extensions = []pkix.Extension{{Id: oidSAN, Value: marshal(t, f.sans)}}
		}, "extension-repeated"},
		{"SAN no list", func(f *forgery) { f.sans, f.extensions = nil, []pkix.Extension{{Id: oidSAN, Value: []byte("x")}} }, "san-malformed"},
		{"SAN of no kind", func(f *forgery) { f.sans = append(f.sans, generalName(9, "x")) }, "san-malformed"},
		{"IP address of 3 bytes", func(f *forgery) { f.sans = append(f.sans, generalName(tagIPAddress, "abc")) }, "san-malformed"},
		{"RDN no set", func(f *forgery) { f.rdns = append(f.rdns, nil) }, "subject-malformed"},
		{"attribute no string", func(f *forgery) {
			f.rdns[1][0].Value = asn1.RawValue{FullBytes: marshal(t, []string{"Zhejiang"})}
		}, "subject-type"},
	}
}

// keySamples are wrong in their keys. Where no one can sign with the key, the signature is wrong too.
func keySamples(t testing.TB) []sample {
	rsa2048 := newTestKey(t, RSA2048)
	n := rsa2048.Public().(*rsa.PublicKey).N
	rsaOf := func(bits int) crypto.Signer {
		key, err := rsa.GenerateKey(rand.Reader, bits)
		require.NoError(t, err)
		return key
	}
	curve := func(c elliptic.Curve) crypto.Signer {
		key, err := ecdsa.GenerateKey(c, rand.Reader)
		require.NoError(t, err)
		return key
	}
	numbers := func(n *big.Int, e int) func(*forgery) {
		return func(f *forgery) { f.rsa(rsa2048, &rsa.PublicKey{N: n, E: e}) }
	}
	return []sample{
		{"RSA-2048", func(f *forgery) { f.rsa(rsa2048, nil) }, ""},
		{"RSA-1024", func(f *forgery) { f.rsa(rsaOf(1024), nil) }, "key-size"},
		{"RSA-2052", func(f *forgery) { f.rsa(rsaOf(2052), nil) }, "key-size"},
		{"RSA-2304", func(f *forgery) { f.rsa(rsaOf(2304), nil) }, "key-size"},
		{"RSA-512", numbers(primes(t, 256, false), 65537), "key-size"},
		{"RSA too large", numbers(new(big.Int).SetBit(n, 16383, 1), 65537), "key-size"},
		{"exponent 3", numbers(n, 3), "key-exponent signature-wrong"},
		{"exponent even", numbers(n, 65538), "key-exponent signature-wrong"},
		{"modulus even", numbers(new(big.Int).Sub(n, big.NewInt(1)), 65537), "key-modulus signature-wrong"},
		{"small factor", numbers(withFactor(n, 751), 65537), "key-modulus signature-wrong"},
		{"close primes", numbers(primes(t, 1024, true), 65537), "key-modulus signature-wrong"},
		{"far primes", numbers(primes(t, 1024, false), 65537), "signature-wrong"},
		{"P-384", func(f *forgery) { f.key = curve(elliptic.P384()) }, ""},
		{"P-521", func(f *forgery) { f.key = curve(elliptic.P521()) }, "key-curve"},
		{"P-224", func(f *forgery) { f.key = curve(elliptic.P224()) }, "key-curve"},
		{"Ed25519", func(f *forgery) { f.pub = newTestKey(t, Ed25519).Public() }, "key-type signature-wrong"},
		{"X25519", func(f *forgery) {
			f.der = func(der []byte) []byte { // the curve's OID in the key becomes an unknown one
				return []byte(strings.Replace(string(der), "\x2a\x86\x48\xce\x3d\x03\x01\x07", "\x2a\x86\x48\xce\x3d\x03\x01\x7f", 1))
			}
		}, "key-unreadable"},
		{"unknown key", func(f *forgery) {
			f.der = func(der []byte) []byte {
				return []byte(strings.Replace(string(der), "\x2a\x86\x48\xce\x3d\x02\x01", "\x2a\x86\x48\xce\x3d\x02\x7f", 1))
			}
		}, "key-type"},
	}
}

// withFactor returns a number near n that is odd, of the same length, and has the factor p.
func withFactor(n *big.Int, p int64) *big.Int {
	m := new(big.Int).Div(n, big.NewInt(p))
	m.SetBit(m, 0, 1)
	return m.Mul(m, big.NewInt(p))
}

// subjectSamples are wrong in their subjects.
func subjectSamples() []sample {
	set := func(i int, a rawAttribute) func(*forgery) { return func(f *forgery) { f.rdns[i][0] = a } }
	add := func(a rawAttribute) func(*forgery) { return func(f *forgery) { f.attribute(a) } }
	return []sample{
		{"nothing", func(*forgery) {}, ""},
		{"no subject", func(f *forgery) { f.rdns = [][]rawAttribute{} }, ""},
		{"unit", add(utf8Value(oidOrganizationUnit, "Aliyun CDN")), "subject-ou"},
		{"e-mail address", func(f *forgery) {
			f.rdns = append(f.rdns, []rawAttribute{stringValue(oidEmail, asn1.TagIA5String, "admin@example.com")})
		}, "subject-email"},
		{"e-mail address as UTF8String", func(f *forgery) { // cfssl, x509
			f.rdns = append(f.rdns, []rawAttribute{utf8Value(oidEmail, "admin@example.com")})
		}, "subject-email subject-type"},
		{"unknown attribute", add(utf8Value(asn1.ObjectIdentifier{2, 5, 4, 12}, "Dr.")), "subject-attribute"},
		{"two organizations", add(utf8Value(oidOrganization, "Aliyun")), "subject-repeated"},
		{"other order", func(f *forgery) { f.rdns[0], f.rdns[3] = f.rdns[3], f.rdns[0] }, "subject-order"},
		{"two in one RDN", func(f *forgery) {
			f.rdns = [][]rawAttribute{f.rdns[0], {f.rdns[2][0], f.rdns[1][0]}, f.rdns[3], f.rdns[4]}
		}, "subject-multivalue subject-order"},
		{"RDN not sorted", func(f *forgery) {
			f.rdns = [][]rawAttribute{f.rdns[0], {f.rdns[1][0], f.rdns[2][0]}, f.rdns[3], f.rdns[4]}
		}, "subject-multivalue der-order"},
		{"country as UTF8String", set(0, utf8Value(oidCountry, "CN")), "subject-type"},
		{"country in lower case", set(0, stringValue(oidCountry, asn1.TagPrintableString, "cn")), "subject-country"},
		{"country of three letters", set(0, stringValue(oidCountry, asn1.TagPrintableString, "CHN")), "subject-country subject-length"},
		{"TeletexString", set(3, stringValue(oidOrganization, asn1.TagT61String, "Alibaba Inc")), "subject-type"},
		{"BMPString", set(3, stringValue(oidOrganization, asn1.TagBMPString, "\x00A\x00l")), "subject-type"},
		{"PrintableString with @", set(3, stringValue(oidOrganization, asn1.TagPrintableString, "a@b")), "subject-characters"},
		{"IA5String with é", func(f *forgery) {
			f.rdns = append(f.rdns, []rawAttribute{stringValue(oidEmail, asn1.TagIA5String, "é@example.com")})
		}, "subject-email subject-characters"},
		{"control character", set(3, utf8Value(oidOrganization, "Ali\x00baba")), "subject-characters"},
		{"invalid UTF-8", set(3, utf8Value(oidOrganization, "Ali\xffbaba")), "subject-characters"},
		{"blank at the end", set(3, utf8Value(oidOrganization, "Alibaba ")), "subject-blank"},
		{"blank at the beginning", set(3, utf8Value(oidOrganization, " Alibaba")), "subject-blank"},
		{"long organization", set(3, utf8Value(oidOrganization, strings.Repeat("a", 65))), "subject-length"},
		{"long state", set(1, utf8Value(oidState, strings.Repeat("a", 129))), "subject-length"},
		{"long city", set(2, utf8Value(oidCity, strings.Repeat("a", 129))), "subject-length"},
		{"surname that just fits", add(utf8Value(asn1.ObjectIdentifier{2, 5, 4, 4}, strings.Repeat("a", 64))), ""},
		{"long surname", add(utf8Value(asn1.ObjectIdentifier{2, 5, 4, 4}, strings.Repeat("a", 65))), "subject-length"},
		{"given name that just fits", add(utf8Value(asn1.ObjectIdentifier{2, 5, 4, 42}, strings.Repeat("a", 64))), ""},
		{"long given name", add(utf8Value(asn1.ObjectIdentifier{2, 5, 4, 42}, strings.Repeat("a", 65))), "subject-length"},
		{"long common name", func(f *forgery) { f.names(longName(65)) }, "subject-length"},
		{"empty city", set(2, utf8Value(oidCity, "")), "subject-empty"},
		{"placeholder", set(2, utf8Value(oidCity, "-")), "subject-placeholder"},
		{"what openssl proposes", set(3, utf8Value(oidOrganization, "Internet Widgits Pty Ltd")), "subject-placeholder"},
		{"common name not among the names", set(4, utf8Value(oidCommonName, "example.org")), "cn-not-in-san"},
	}
}

// nameSamples are wrong in their names.
func nameSamples() []sample {
	names := func(names ...string) func(*forgery) { return func(f *forgery) { f.names(names...) } }
	also := func(tag int, value string) func(*forgery) {
		return func(f *forgery) { f.sans = append(f.sans, generalName(tag, value)) }
	}
	return []sample{
		{"no SAN extension", func(f *forgery) { f.sans = nil }, "san-missing"},
		{"no SAN, no CN", func(f *forgery) { f.sans, f.rdns = nil, f.rdns[:4] }, "san-missing"},
		{"empty SAN extension", func(f *forgery) { f.sans, f.rdns = []asn1.RawValue{}, f.rdns[:4] }, "san-missing"},
		{"e-mail address", also(1, "admin@example.com"), "san-kind"},
		{"URI", also(6, "https://example.com/"), "san-kind"},
		{"IP address", also(tagIPAddress, "\x08\x08\x08\x08"), "san-ip"},
		{"private IP address", also(tagIPAddress, "\x0a\x00\x00\x01"), "san-ip"},
		{"private IPv6 address", also(tagIPAddress, "\xfd"+strings.Repeat("\x00", 15)), "san-ip"},
		{"100 names", names(numbered(0, 100)...), ""},
		{"101 names", names(numbered(0, 101)...), "san-count"},
		{"double", names("www.example.com", "www.example.com"), "san-repeated"},
		{"double in another case", names("www.example.com", "WWW.example.com"), "san-repeated name-case"},
		{"under a wildcard", names("www.example.com", "*.example.com"), "san-redundant"},
		{"beside a wildcard", names("example.com", "*.example.com", "a.b.example.com"), ""},
		{"upper case", names("WWW.example.com"), "name-case"},
		{"underscore", names("a_b.example.com"), "name-underscore"},
		{"dot at the end", names("www.example.com."), "name-dot"},
		{"IP address as a name", names("8.8.8.8"), "name-ip"},
		{"not ASCII", names("bücher.com"), "name-malformed"},
		{"not ASCII until it is in lower case", names("\u212aelvin.com"), "name-malformed"},
		{"two of each", names("www.example.com", "a.example.org", "www.example.com", "a.example.org"), "san-repeated"},
		{"blank", names("www example.com"), "name-malformed"},
		{"empty", names(""), "name-malformed subject-empty"},
		{"dot at the beginning", names(".example.com"), "name-malformed"},
		{"NUL", names("www.example.com\x00.evil.com"), "name-malformed subject-characters"},
		{"hyphen", names("-a.example.com"), "name-malformed"},
		{"long label", also(tagDNSName, label63+"a.com"), "name-malformed"},
		{"long name", also(tagDNSName, strings.Repeat("abcdefghi.", 25)+"com.com"), "name-malformed"},
		{"number at the end", names("example.1"), "name-malformed"},
		{"star in the middle", names("www.*.example.com"), "name-malformed"},
		{"punycode of nothing", names("xn--a.com"), "name-idna"},
		{"wildcard", names("*.example.com"), ""},
		{"wildcard under a public suffix", names("*.co.uk"), "name-wildcard"},
		{"public suffix", names("co.uk"), "name-suffix"},
		{"private suffix", names("*.github.io"), ""},
		{"one label", names("localhost"), "name-internal"},
		{"reserved", names("www.local"), "name-internal"},
	}
}
