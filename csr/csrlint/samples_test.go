package csrlint

import (
	"crypto"
	"encoding/base64"
	"encoding/pem"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/internal/testkey"
)

// sample is a CSR with something wrong, and what Lint must find in it.
type sample struct {
	name    string
	change  func(*forgery)
	refused string // codes of findings with Refused, in alphabetical order with blanks between
	changed string // codes of the others
}

// forgedSample is a sample with its CSR in PEM.
type forgedSample struct {
	sample
	csr []byte
}

var (
	allSamples     []forgedSample
	allSamplesOnce sync.Once // RSA keys and primes take seconds
)

// samples returns every sample. Their names are different.
func samples(t testing.TB) []forgedSample {
	t.Helper()
	allSamplesOnce.Do(func() {
		all := slices.Concat(pemSamples(), signatureSamples(t), keySamples(t), rsaSamples(t), rsaEncodingSamples(t),
			contentSamples())
		for _, s := range all {
			allSamples = append(allSamples, forgedSample{s, forge(t, s.change)})
		}
	})
	require.NotEmpty(t, allSamples, "an earlier test failed to make them")
	return allSamples
}

// contentSamples are the samples that cost little to make: those with nothing
// wrong in the PEM, the key or the signature.
func contentSamples() []sample {
	return slices.Concat(encodingSamples(), attributeSamples(), subjectSamples(), textSamples(), sanSamples(),
		commonNameSamples(), domainSamples())
}

// pemSamples are wrong in what surrounds their DER.
func pemSamples() []sample {
	text := func(change func(string) string) func(*forgery) { return func(f *forgery) { f.text = change } }
	return []sample{
		{"nothing", func(*forgery) {}, "", ""},
		{"blank lines around", text(func(s string) string { return "\n\n" + s + "\n\n" }), "", ""},
		{"bare DER", text(func(s string) string { return string(derOf(s)) }), "pem-missing", ""},
		{"old label", func(f *forgery) { f.label = "NEW CERTIFICATE REQUEST" }, "", "pem-label"},
		{"another label", func(f *forgery) { f.label = "CSR" }, "pem-label", ""},
		{"key before", text(func(s string) string {
			return string(pem.EncodeToMemory(&pem.Block{Type: "EC PARAMETERS", Bytes: []byte("x")})) + s
		}), "", "pem-surroundings"},
		{"text before", text(func(s string) string { return "my CSR\n" + s }), "", "pem-surroundings"},
		{"text after", text(func(s string) string { return s + "the end" }), "", "pem-surroundings"},
		{"two blocks", text(func(s string) string { return s + s }), "", "pem-surroundings"},
		{"a header", text(func(s string) string {
			return string(pem.EncodeToMemory(&pem.Block{Type: pemType, Headers: map[string]string{"a": "b"}, Bytes: derOf(s)}))
		}), "pem-surroundings", ""},
		{"blank line at the beginning of the base64", base64Lines(0, 64), "", ""},
		{"blank line in the base64", base64Lines(1, 64), "pem-blank-line", ""},
		{"blank line at the end of the base64", base64Lines(-1, 64), "pem-blank-line", ""},
		{"blank line before lines of 76", base64Lines(0, 76), "pem-blank-line", ""},
		{"blank line before lines of 60", base64Lines(0, 60), "pem-blank-line", ""},
		{"blank line of spaces and CR", text(func(s string) string {
			return strings.Replace(s, "\n-----END", "\n \t\r\n-----END", 1)
		}), "pem-blank-line", ""},
		{"two blank lines at the beginning", text(func(s string) string {
			return strings.Replace(s, "-----\n", "-----\n\n\n", 1)
		}), "pem-blank-line", ""},
		{"lines of 76", text(func(s string) string { return wrapBase64(s, 76) }), "", ""},
		{"lines with CRLF", text(func(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") }), "", ""},
		{"empty PEM block", func(f *forgery) { f.change = func([]byte) []byte { return nil } }, "der-malformed", ""},
	}
}

// base64Lines makes the base64 of a CSR lines of a width, and puts a blank line
// before the line at the index. The index -1 is the end.
func base64Lines(at, width int) func(*forgery) {
	return func(f *forgery) {
		f.text = func(s string) string {
			lines := strings.SplitAfter(wrapBase64(s, width), "\n")
			first, end := 1, len(lines)-2 // after BEGIN, before END and the empty text after it
			if at < 0 {
				return strings.Join(slices.Insert(lines, end, "\n"), "")
			}
			return strings.Join(slices.Insert(lines, first+at, "\n"), "")
		}
	}
}

// wrapBase64 returns the CSR with lines of a width.
func wrapBase64(s string, width int) string {
	var text strings.Builder
	text.WriteString("-----BEGIN " + pemType + "-----\n")
	for line := range slices.Chunk([]byte(base64.StdEncoding.EncodeToString(derOf(s))), width) {
		text.WriteString(string(line) + "\n")
	}
	text.WriteString("-----END " + pemType + "-----\n")
	return text.String()
}

func derOf(text string) []byte {
	block, _ := pem.Decode([]byte(text))
	return block.Bytes
}

// encodingSamples are not DER, or not the DER of a CSR.
func encodingSamples() []sample {
	der := func(change func([]byte) []byte) func(*forgery) { return func(f *forgery) { f.change = change } }
	return []sample{
		{"trailing bytes", der(func(der []byte) []byte { return append(der, 0, 0) }), "der-trailing", ""},
		{"cut short", der(func(der []byte) []byte { return der[:50] }), "der-malformed", ""},
		{"not a SEQUENCE", der(func(der []byte) []byte { der[0] = tagSet; return der }), "der-malformed", ""},
		{"two elements", der(func([]byte) []byte { return tlv(tagSequence, null, null) }), "der-malformed", ""},
		{"info alone", der(func([]byte) []byte {
			return tlv(tagSequence, tlv(tagSequence, null, null, null, null))
		}), "der-malformed", ""},
		{"info of two elements", der(func([]byte) []byte {
			return tlv(tagSequence, tlv(tagSequence, null, null), ecdsaWithSHA256, null)
		}), "der-malformed", ""},
		{"info not a SEQUENCE", der(func([]byte) []byte {
			return tlv(tagSequence, tlv(tagSet, null, null, null, null), ecdsaWithSHA256, null)
		}), "der-malformed", ""},
		{"more at the end of the request", func(f *forgery) { f.requestEnd = null }, "der-malformed", ""},
		{"more at the end of the info", func(f *forgery) { f.infoEnd = null }, "der-malformed", ""},
		{"version 2", func(f *forgery) { f.version[2] = 2 }, "", "version"},
		{"version not a number", func(f *forgery) { f.version = null }, "version", ""},
		{"no field of attributes", func(f *forgery) { f.noAttr = true }, "der-malformed", "san-missing"},
		{
			"attributes not [0]", func(f *forgery) { f.noAttr, f.spki = true, append(spkiOf(f.key.Public()), tlv(tagSet)...) },
			"der-malformed", "san-missing",
		},
		{
			"attributes [1]", func(f *forgery) { f.noAttr, f.spki = true, append(spkiOf(f.key.Public()), 0xa1, 0) },
			"der-malformed", "san-missing",
		},
		{
			"attributes primitive", func(f *forgery) { f.noAttr, f.spki = true, append(spkiOf(f.key.Public()), 0x80, 0) },
			"der-malformed", "san-missing",
		},
		{
			"attributes broken", func(f *forgery) { f.noAttr, f.spki = true, append(spkiOf(f.key.Public()), 0xa0, 1, 0x30) },
			"der-malformed", "san-missing",
		},
	}
}

// signatureSamples are wrong in their signatures.
func signatureSamples(t testing.TB) []sample {
	rsa2048 := testkey.RSA(2048)
	with := func(algorithm []byte, options crypto.SignerOpts) func(*forgery) {
		return func(f *forgery) { f.key, f.algorithm, f.options = rsa2048, algorithm, options }
	}
	parameters := func(value []byte) func(*forgery) {
		return func(f *forgery) { f.algorithm = tlv(tagSequence, oid(1, 2, 840, 10045, 4, 3, 2), value) }
	}
	all := []sample{
		{"signature of another key", func(f *forgery) { f.spki = spkiOf(otherKey.Public()) }, "signature-wrong", ""},
		{"algorithm of another key type", func(f *forgery) { f.algorithm = rsaWithSHA256 }, "signature-wrong", ""},
		{
			"ECDSA with SHA-1", func(f *forgery) { f.algorithm, f.options = ecdsaWithSHA1, crypto.SHA1 },
			"signature-hash", "",
		},
		{"RSA with SHA-1", with(rsaWithSHA1, crypto.SHA1), "signature-hash", ""},
		{"RSA with MD5", with(rsaWithMD5, crypto.MD5), "signature-hash", ""},
		{"RSA with MD2", with(rsaWithMD2, crypto.SHA256), "signature-algorithm", ""},
		{"RSA-PSS", with(pss, pssOptions), "signature-algorithm", ""},
		{"unknown algorithm", func(f *forgery) { f.algorithm = tlv(tagSequence, oid(1, 2, 3)) }, "signature-algorithm", ""},
		{"algorithm not a SEQUENCE", func(f *forgery) { f.algorithm = null }, "der-malformed", ""},
		{
			"algorithm of three elements", with(tlv(tagSequence, oid(1, 2, 840, 113549, 1, 1, 11), null, null), crypto.SHA256),
			"der-malformed", "",
		},
		{
			"broken at the end of the algorithm", with(tlv(tagSequence, oid(1, 2, 840, 113549, 1, 1, 11), null, []byte{1}),
				crypto.SHA256), "der-malformed", "",
		},
		{"signature not a BIT STRING", func(f *forgery) {
			f.change = func(der []byte) []byte { return bitStringToOctets(der) }
		}, "der-malformed", ""},
		{"RSA without parameters", with(tlv(tagSequence, oid(1, 2, 840, 113549, 1, 1, 11)), crypto.SHA256), "", ""},
		{
			"RSA with an OID without content",
			with(tlv(tagSequence, oid(1, 2, 840, 113549, 1, 1, 11), []byte{6, 0}), crypto.SHA256),
			"der-malformed", "",
		},
	}
	for _, v := range readableValues {
		all = append(all, sample{"parameters: " + v.name, parameters(v.der), "", ""})
	}
	for _, v := range malformedValues {
		all = append(all, sample{"parameters: " + v.name, parameters(v.der), "der-malformed", ""})
	}
	return all
}

// attributeSamples are wrong in the CSR's attributes or in the extensions among
// them.
func attributeSamples() []sample {
	password, extensions := oid(1, 2, 840, 113549, 1, 9, 7), oid(1, 2, 840, 113549, 1, 9, 14)
	microsoft, osVersion := oid(1, 3, 6, 1, 4, 1, 311, 2, 1, 14), oid(1, 3, 6, 1, 4, 1, 311, 13, 2, 3)
	san, keyUsage := oid(2, 5, 29, 17), oid(2, 5, 29, 15)
	secret := csrAttr(password, tlv(0x13, []byte("secret")))
	names := extension(san, tlv(tagSequence, dnsName("www.example.com")))
	attributes := func(all ...[]byte) func(*forgery) { return func(f *forgery) { f.attributes = all } }
	instead := func(all ...[]byte) func(*forgery) { return func(f *forgery) { f.names, f.attributes = nil, all } }
	more := func(all ...[]byte) func(*forgery) { return func(f *forgery) { f.extensions = all } }
	all := []sample{
		{"another attribute", attributes(csrAttr(osVersion, tlv(0x16, []byte("10.0")))), "", "attribute-ignored"},
		{"password", attributes(secret), "", "attribute-password"},
		{"unsorted attributes", attributes(secret, csrAttr(microsoft, tlv(tagSequence))), "der-order", // step's
			"attribute-ignored attribute-password"},
		{"equal attributes", attributes(secret, secret), "", "attribute-password"},
		{
			"names in Microsoft's attribute", instead(csrAttr(microsoft, tlv(tagSequence, names))), "",
			"attribute-ignored san-missing",
		},
		{"not an attribute", attributes([]byte{2, 1, 1}), "der-malformed", ""},
		{"attribute of one element", attributes(tlv(tagSequence, password)), "der-malformed", ""},
		{
			"attribute of three elements", attributes(tlv(tagSequence, password, tlv(tagSet, null), null)), "der-malformed",
			"attribute-password",
		},
		{"attribute without a type", attributes(tlv(tagSequence, null, tlv(tagSet, null))), "der-malformed", ""},
		{"attribute without a set", attributes(tlv(tagSequence, password, null)), "der-malformed", ""},
		{"attribute without a value", attributes(csrAttr(password)), "der-malformed", ""},
		{
			"two lists of extensions", instead(csrAttr(extensions, tlv(tagSequence, names), tlv(tagSet, null))), "",
			"attribute-ignored",
		},
		{
			"two lists of extensions, unsorted",
			instead(csrAttr(extensions, tlv(tagSequence, names), tlv(tagSequence))), "der-order",
			"attribute-ignored",
		},
		{
			"two passwords, unsorted",
			attributes(csrAttr(password, tlv(0x13, []byte("b")), tlv(0x13, []byte("a")))), "der-order",
			"attribute-password",
		},
		{"extensions not a list", instead(csrAttr(extensions, null)), "der-malformed", "san-missing"},
		{"not an extension", more(null), "der-malformed", ""},
		{
			"extension of three elements", more(tlv(tagSequence, keyUsage, tlv(4), null)),
			"der-malformed", "extension-ignored",
		},
		{"broken at the end of an extension", more(tlv(tagSequence, keyUsage, tlv(4), []byte{1})), "der-malformed", ""},
		{"critical extension", more(tlv(tagSequence, keyUsage, []byte{1, 1, 0xff}, tlv(4))), "", "extension-ignored"},
		{
			"critical extension of four elements", more(tlv(tagSequence, keyUsage, []byte{1, 1, 0xff}, tlv(4), null)),
			"der-malformed", "extension-ignored",
		},
		{"must-staple", more(extension(oid(1, 3, 6, 1, 5, 5, 7, 1, 24), []byte{0x30, 3, 2, 1, 5})), "extension-staple", ""},
		{
			"another TLS feature", more(extension(oid(1, 3, 6, 1, 5, 5, 7, 1, 24), []byte{0x30, 3, 2, 1, 17})), "",
			"extension-ignored",
		},
		{"two SAN extensions", more(names), "extension-repeated", ""},
	}
	for _, v := range readableValues {
		all = append(all, sample{"attribute: " + v.name, attributes(csrAttr(osVersion, v.der)), "", "attribute-ignored"})
	}
	for _, v := range malformedValues {
		all = append(all, sample{
			"attribute: " + v.name, attributes(csrAttr(osVersion, v.der)), "der-malformed", "attribute-ignored",
		})
	}
	return all
}
