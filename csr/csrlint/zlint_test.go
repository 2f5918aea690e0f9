package csrlint

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/internal/testenv"
)

// TestLint_AgreesWithZlint checks that Lint finds what zlint finds in a
// certificate with the subject, the key and the names of a CSR.
func TestLint_AgreesWithZlint(t *testing.T) {
	program := testenv.Program(t, "cdncsr-zlint")
	var names []string
	var certs strings.Builder
	var refused []bool     // by CSR
	var allowed [][]string // by CSR, the codes that zlint may find as well
	add := func(name string, csr []byte) {
		cert := wrap(t, name, csr)
		if cert == nil {
			return
		}
		require.NoError(t, pem.Encode(&certs, &pem.Block{Type: "CERTIFICATE", Bytes: cert}))
		findings := Lint(csr)
		names = append(names, name)
		refused = append(refused, slices.ContainsFunc(findings, isRefused))
		allowed = append(allowed, strings.Fields(codes(findings, true)+" "+codes(findings, false)))
	}
	for _, s := range samples(t) {
		add(s.name, s.csr)
	}
	for _, pem := range ownCSRs(t) {
		add("own", []byte(pem))
	}
	hit := make(map[string]bool)
	answers := ask(t, program, certs.String())
	require.Len(t, answers, len(names))
	for i, answer := range answers {
		if answer == "unreadable" {
			assert.True(t, refused[i], "%s: zlint cannot read it, and Lint does not refuse it", names[i])
			continue
		}
		for lint := range strings.FieldsSeq(answer) {
			hit[lint] = true
			same := func(code string) bool { return slices.Contains(strings.Fields(zlintCodes[lint]), code) }
			if zlintAside[lint] == "" && !slices.ContainsFunc(allowed[i], same) {
				t.Errorf("%s: zlint finds %s, for which Lint should have one of %q; it has %q",
					names[i], lint, zlintCodes[lint], allowed[i])
			}
		}
	}
	for _, table := range []map[string]string{zlintCodes, zlintAside} {
		for lint := range table {
			assert.True(t, hit[lint], "no CSR fails %s", lint)
		}
	}
}

// wrap returns a certificate with the subject, the key and the names of the
// CSR, and everything else as a public CA has it. It returns nil if the CSR or
// its key can't be read, or if crypto/x509 makes no certificate for such a key.
func wrap(t *testing.T, name string, csr []byte) []byte {
	t.Helper()
	var l linter
	r, ok := l.parse(l.decodePEM(csr))
	if !ok {
		return nil
	}
	bare, err := bareRequest(r)
	if err != nil {
		return nil
	}
	switch bare.PublicKey.(type) {
	case *rsa.PublicKey, *ecdsa.PublicKey, ed25519.PublicKey:
	default:
		return nil
	}
	policy := []uint64{2, 23, 140, 1, 2, 1} // domain validated
	attributes, _ := l.readSubject(r.subject)
	for _, a := range attributes {
		if a.name != "CN" {
			policy[5] = 2 // organization validated
		}
	}
	oid, err := x509.OIDFromInts(policy)
	require.NoError(t, err)
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber:          new(big.Int).SetBytes([]byte("\x01throw-away cert")),
		RawSubject:            r.subject.FullBytes,
		NotBefore:             now,
		NotAfter:              now.Add(40 * 24 * time.Hour),
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
		AuthorityKeyId:        []byte{1, 2, 3, 4},
		IssuingCertificateURL: []string{"http://ca.example.com/ca.crt"},
		CRLDistributionPoints: []string{"http://ca.example.com/ca.crl"},
		Policies:              []x509.OID{oid},
	}
	if sans := l.extensions(l.attributes(r.attributes)); len(sans) > 0 {
		template.ExtraExtensions = sans[:1]
	}
	ca := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		Subject:      pkix.Name{Country: []string{"CN"}, Organization: []string{"Throw-away"}, CommonName: "Throw-away CA"},
		SubjectKeyId: []byte{1, 2, 3, 4},
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, ca, bare.PublicKey, testKey())
	require.NoError(t, err, name)
	return cert
}
