package csr

import (
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// zlinter lints CSRs with zlint, which lints certificates only: each is wrapped in a throw-away one.
type zlinter struct {
	program string
	ca      *x509.Certificate
	key     any
}

func newZlinter(t *testing.T) *zlinter {
	t.Helper()
	key := newTestKey(t, P256)
	ca := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		Subject:      pkix.Name{Country: []string{"CN"}, Organization: []string{"Throw-away"}, CommonName: "Throw-away CA"},
		SubjectKeyId: []byte{1, 2, 3, 4},
	}
	return &zlinter{buildZlint(t), ca, key}
}

// buildZlint returns the path of the program internal/zlint, or ends the test as skipOrFail does. Nothing is downloaded for it.
func buildZlint(t *testing.T) string {
	t.Helper()
	folder, program := filepath.Join("..", "internal", "zlint"), filepath.Join(t.TempDir(), "zlint.exe")
	for _, file := range []string{"main.go", "go.mod", "go.sum"} { // read, so that go test runs this again after a change
		_, err := os.ReadFile(filepath.Join(folder, file))
		require.NoError(t, err)
	}
	build := exec.CommandContext(t.Context(), needProgram(t, "go"), "build", "-o", program, ".")
	build.Dir = folder
	build.Env = append(os.Environ(), "GOPROXY=off", "GOFLAGS=-mod=readonly", "GOWORK=off")
	out, err := build.CombinedOutput()
	if strings.Contains(string(out), "GOPROXY=off") {
		skipOrFail(t, "zlint is not downloaded; get it by go mod download in internal/zlint")
	}
	require.NoError(t, err, string(out))
	return program
}

// lint returns, for each CSR, the names of the lints that a certificate for it fails.
func (z *zlinter) lint(t *testing.T, csrs []string) [][]string {
	t.Helper()
	var certs strings.Builder
	for _, csr := range csrs {
		require.NoError(t, pem.Encode(&certs, &pem.Block{Type: "CERTIFICATE", Bytes: z.wrap(t, []byte(csr))}))
	}
	program := exec.CommandContext(t.Context(), z.program)
	program.Stdin, program.Stderr = strings.NewReader(certs.String()), os.Stderr
	out, err := program.Output()
	require.NoError(t, err)
	var failed [][]string
	for line := range strings.Lines(string(out)) {
		failed = append(failed, strings.Fields(line))
	}
	require.Len(t, failed, len(csrs))
	return failed
}

// wrap returns a certificate with the subject, the key and the names of the CSR, and all else as a public CA has it.
func (z *zlinter) wrap(t *testing.T, csr []byte) []byte {
	t.Helper()
	var l linter
	request, ok := l.readDER(l.readPEM(csr))
	require.True(t, ok)
	bare, err := bareRequest(request)
	require.NoError(t, err)
	policy := []uint64{2, 23, 140, 1, 2, 1} // domain validated
	attributes, _ := l.readSubject(request.Info.Subject)
	for _, a := range attributes {
		if a.name() != "CN" {
			policy[5] = 2 // organization validated
		}
	}
	oid, err := x509.OIDFromInts(policy)
	require.NoError(t, err)
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber:          new(big.Int).SetBytes([]byte("\x01throw-away cert")),
		RawSubject:            request.Info.Subject.FullBytes,
		NotBefore:             now,
		NotAfter:              now.Add(40 * 24 * time.Hour),
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
		AuthorityKeyId:        []byte{1, 2, 3, 4},
		IssuingCertificateURL: []string{"http://ca.example.com/ca.crt"},
		CRLDistributionPoints: []string{"http://ca.example.com/ca.crl"},
		Policies:              []x509.OID{oid},
		ExtraExtensions:       sansOf(t, request),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, z.ca, bare.PublicKey, z.key)
	require.NoError(t, err)
	return der
}

// sansOf returns the SAN extension that a CSR asks for.
func sansOf(t *testing.T, request *rawRequest) []pkix.Extension {
	t.Helper()
	for _, raw := range request.Info.Attributes {
		var a struct {
			Type   asn1.ObjectIdentifier
			Values [][]pkix.Extension `asn1:"set"`
		}
		if _, err := asn1.Unmarshal(raw.FullBytes, &a); err != nil || !a.Type.Equal(oidExtensionRequest) {
			continue
		}
		for _, extension := range slices.Concat(a.Values...) {
			if extension.Id.Equal(oidSAN) {
				return []pkix.Extension{extension}
			}
		}
	}
	return nil
}
