package csrlint

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/internal/testenv"
)

// strictSamples are samples that Lint refuses although crypto/x509, and so
// Boulder, reads them: openssl or GnuTLS can't read the CSR, verify it, or find
// its names.
var strictSamples = slices.Concat([]string{
	"more at the end of the request", "more at the end of the info", "more at the end of the key",
	"more at the end of the key's algorithm", "more at the end of the RSA key's algorithm",
	"broken at the end of the RSA key's algorithm", "broken at the end of the RSA key",
	"broken at the end of the algorithm", "broken at the end of an extension",
	"constructed string of something malformed", "more at the end of the RSA key", "more after the RSA key",
	"algorithm of three elements", "RSA with an OID without content", "more at the end of an attribute of the subject",
	"VisibleString", "GeneralString", "GeneralString as common name", "OCTET STRING", "NULL as common name", "time",
	"time in an unknown attribute", "number", "empty list", "primitive list in an unknown attribute",
	"high tag", "first high tag",
	"empty constructed string", "empty city", "empty title", "empty common name", "string of another class",
	"half a character in a UniversalString", "UniversalString beyond Unicode",
	"not an attribute", "attribute of one element", "attribute of three elements", "attribute without a type",
	"attribute without a set", "attribute without a value", "unsorted attributes", "RDN not sorted",
	"two lists of extensions, unsorted", "two passwords, unsorted",
	"extension of three elements", "critical extension of four elements",
	"SAN with more after it", "name of no kind", "name of another class", "constructed dNSName", "primitive directoryName",
	"directoryName empty", "directoryName not a SEQUENCE", "directoryName with more after it",
	"directoryName with an empty RDN", "directoryName without an RDN", "directoryName without an attribute",
	"directoryName with a GeneralString", "directoryName with half a character",
	"directoryName with an empty attribute", "directoryName with a type not an OID",
	"directoryName with invalid UTF-8",
	"directoryName with three in an attribute",
	"otherName empty", "otherName without a value", "otherName with more at its end", "otherName without a type",
	"otherName with an empty type", "otherName with a value without [0]", "otherName with a value [1]",
	"otherName with an empty [0]", "otherName with two values", "otherName with a malformed value",
	"x400Address", "ediPartyName", "ediPartyName empty",
	"registeredID empty", "registeredID cut short", "registeredID with a leading zero",
}, samplesOf(malformedValues))

// samplesOf returns the names of the samples with the values.
func samplesOf(values []anyValue) []string {
	var names []string
	for _, v := range values {
		names = append(names, "parameters: "+v.name, "attribute: "+v.name)
	}
	return names
}

// strictPEMSamples are such samples with a mistake in the PEM, which Boulder
// does not get.
var strictPEMSamples = []string{
	"bare DER", "another label", "a header", "blank line in the base64", "blank line at the end of the base64",
	"blank line before lines of 76", "blank line before lines of 60", "blank line of spaces and CR",
	"two blank lines at the beginning",
}

// TestLint_RefusesWhatOpenSSLOrGnuTLSCannotRead checks that Lint refuses the
// samples above, which at least one of the programs can't read, and every other
// sample that one of them can't read.
func TestLint_RefusesWhatOpenSSLOrGnuTLSCannotRead(t *testing.T) {
	openssl, certtool := testenv.Program(t, "openssl"), testenv.Program(t, "certtool")
	file := filepath.Join(t.TempDir(), "csr")
	unreadable := slices.Concat(strictSamples, strictPEMSamples)
	tested := 0
	for _, s := range samples(t) {
		strict := slices.Contains(unreadable, s.name)
		if !strict && s.refused != "" {
			continue // for another reason
		}
		require.NoError(t, os.WriteFile(file, s.csr, 0o600))
		inOpenSSL, inGnuTLS := []string{"verify OK", "Subject:"}, []string{"Self signature: verified", "Subject:"}
		if strict || !strings.Contains(s.changed, "san-missing") {
			inOpenSSL, inGnuTLS = append(inOpenSSL, "DNS:"), append(inGnuTLS, "DNSname: ")
		}
		byOpenSSL := shows(t, inOpenSSL, openssl, "req", "-verify", "-noout", "-text", "-in", file)
		byGnuTLS := shows(t, inGnuTLS, certtool, "--crq-info", "--infile", file)
		assert.Equal(t, strict, !byOpenSSL || !byGnuTLS, "%s: openssl %t, GnuTLS %t", s.name, byOpenSSL, byGnuTLS)
		if strict {
			tested++
			assert.NotEmpty(t, codes(Lint(s.csr), true), s.name)
		}
	}
	assert.Equal(t, len(unreadable), tested, "each is a sample")
}

// shows reports whether the program succeeds and its output has all texts.
func shows(t *testing.T, texts []string, program string, args ...string) bool {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), program, args...).CombinedOutput()
	for _, text := range texts {
		if !strings.Contains(string(out), text) {
			return false
		}
	}
	return err == nil
}
