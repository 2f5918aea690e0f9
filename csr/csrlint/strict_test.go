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
var strictSamples = []string{
	"more at the end of the request", "more at the end of the info", "more at the end of the key",
	"algorithm of three elements", "more at the end of an attribute of the subject",
	"not an attribute", "attribute of one element", "attribute of three elements", "attribute without a type",
	"attribute without a set", "attribute without a value", "unsorted attributes", "RDN not sorted",
	"extension of three elements", "critical extension of four elements",
	"SAN with more after it", "name of no kind", "name of another class", "constructed dNSName", "primitive directoryName",
}

// strictPEMSamples are such samples with a mistake in the PEM, which Boulder
// does not get.
var strictPEMSamples = []string{"bare DER", "another label", "a header"}

// laxSamples are samples that every program accepts, so that Lint does not
// refuse them.
var laxSamples = []string{
	"nothing", "old label", "text before", "text after", "two blocks", "key before",
	"version 2", "RDN empty", "equal attributes",
}

func TestLint_RefusesWhatOpenSSLOrGnuTLSCannotRead(t *testing.T) {
	openssl, certtool := testenv.Program(t, "openssl"), testenv.Program(t, "certtool")
	file := filepath.Join(t.TempDir(), "csr")
	unreadable := slices.Concat(strictSamples, strictPEMSamples)
	tested := 0
	for _, s := range samples(t) {
		strict, lax := slices.Contains(unreadable, s.name), slices.Contains(laxSamples, s.name)
		if !strict && !lax {
			continue
		}
		tested++
		require.NoError(t, os.WriteFile(file, s.csr, 0o600))
		byOpenSSL := shows(t, []string{"verify OK", "DNS:www.example.com"},
			openssl, "req", "-verify", "-noout", "-text", "-in", file)
		byGnuTLS := shows(t, []string{"Self signature: verified", "DNSname: www.example.com"},
			certtool, "--crq-info", "--infile", file)
		assert.Equal(t, lax, byOpenSSL && byGnuTLS, "%s: openssl %t, GnuTLS %t", s.name, byOpenSSL, byGnuTLS)
		assert.Equal(t, lax, s.refused == "", s.name)
	}
	assert.Equal(t, len(unreadable)+len(laxSamples), tested, "each is a sample")
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
