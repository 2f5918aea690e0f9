package errortexts

import (
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/csr"
)

// A sample is a CSR in which Lint must find something.
type sample struct {
	how, code, place string // of the finding; the place is its beginning
	make             func(t *testing.T, f *forgery)
}

// findingTexts are what Lint says of CSRs: no errors, but read by the same user.
func findingTexts(*testing.T) []provocation {
	var all []provocation
	for _, samples := range [][]sample{encodingSamples, keySamples, subjectSamples, nameSamples} {
		for _, s := range samples {
			all = append(all, provocation{s.how, s.finding})
		}
	}
	return all
}

// finding is the text of the finding.
func (s sample) finding(t *testing.T) error {
	f := newForgery(t)
	s.make(t, f)
	found := csr.Lint([]byte(f.encode(t)))
	for _, one := range found {
		if one.Code == s.code && strings.HasPrefix(one.Place, s.place) {
			return errors.New(one.String())
		}
	}
	require.Fail(t, "not found", "%s in %v", s.code, found)
	return nil
}

// text is a forgery whose text is changed.
func text(change func(pem string) string) func(*testing.T, *forgery) {
	return func(_ *testing.T, f *forgery) { f.text = change }
}

var encodingSamples = []sample{
	{"bare DER", "pem-missing", "", text(func(text string) string {
		block, _ := pem.Decode([]byte(text))
		return string(block.Bytes)
	})},
	{"no PEM", "pem-missing", "", text(func(string) string { return "www.example.com" })},
	{"another label", "pem-label", "", func(_ *testing.T, f *forgery) { f.label = "NEW CERTIFICATE REQUEST" }},
	{"two blocks", "pem-surroundings", "", text(func(text string) string { return text + text })},
	{"no CSR in the PEM", "der-malformed", "", text(func(string) string {
		return "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n"
	})},
	{"something behind the CSR", "der-trailing", "", text(func(text string) string {
		block, _ := pem.Decode([]byte(text))
		block.Bytes = append(block.Bytes, 0)
		return string(pem.EncodeToMemory(block))
	})},
	{"another version", "version", "", func(_ *testing.T, f *forgery) { f.version = 2 }},
	{"attributes out of order", "der-order", "", func(t *testing.T, f *forgery) {
		f.attributes = []any{requestAttribute(t, oidPassword, "password"), requestAttribute(t, oidEmail, "mail")}
	}},
	{"no attribute", "der-malformed", "attributes", func(_ *testing.T, f *forgery) { f.attributes = []any{1} }},
	{"no extensions", "der-malformed", "extensions", func(t *testing.T, f *forgery) {
		f.attributes = []any{requestAttribute(t, oidExtensions, "extensions")}
	}},
	{"a password", "attribute-password", "", func(t *testing.T, f *forgery) {
		f.attributes = []any{requestAttribute(t, oidPassword, "password")}
	}},
	{"another attribute", "attribute-ignored", "", func(t *testing.T, f *forgery) {
		f.attributes = []any{requestAttribute(t, oidName, "name")}
	}},
	{"OCSP must-staple", "extension-ignored", "", func(_ *testing.T, f *forgery) {
		f.extensions = append(f.extensions, pkix.Extension{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 1, 24}})
	}},
	{"an extension that is there twice", "extension-repeated", "", func(_ *testing.T, f *forgery) {
		f.extensions = append(f.extensions, f.extensions[0])
	}},
	{"no extension", "san-missing", "", func(_ *testing.T, f *forgery) { f.extensions = nil }},
}
