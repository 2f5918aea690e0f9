package main

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/cdn"
	"github.com/cdncsr/cdncsr/cdn/cdntest"
	"github.com/cdncsr/cdncsr/csr"
)

// asProgram is set in the environment of a test binary that runs as the program
// itself, so that it can be killed.
const asProgram = "INSTALL_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
	}
	os.Exit(m.Run())
}

// fixture is a fake CDN with an edge, a key directory and a CA.
type fixture struct {
	srv  *cdntest.Server
	edge *cdntest.Edge
	dir  string
	keys csr.DirStore

	ca    *x509.Certificate
	caKey crypto.Signer
}

func newFixture(t *testing.T, domains ...string) *fixture {
	t.Helper()
	t.Setenv("ALIBABA_CLOUD_ACCESS_KEY_ID", "testid")
	t.Setenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "testsecret")
	t.Setenv("ALIBABA_CLOUD_SECURITY_TOKEN", "")
	srv := cdntest.NewServer(t)
	srv.API.Source = csr.P256
	for _, domain := range domains {
		srv.API.AddDomain(domain)
	}
	dir := t.TempDir()
	f := &fixture{srv: srv, edge: srv.StartEdge(t, nil), dir: dir, keys: csr.DirStore{Path: filepath.Join(dir, "keys")}}
	key, err := csr.P256.NewKey(t.Context())
	require.NoError(t, err)
	f.caKey = key
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true,
	}
	f.ca = f.sign(t, template, template, key.Public())
	return f
}

func (f *fixture) sign(t *testing.T, template, parent *x509.Certificate, pub crypto.PublicKey) *x509.Certificate {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, template, parent, pub, f.caKey)
	require.NoError(t, err)
	cert, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	return cert
}

// chainFile signs the CSR that a creator makes for a domain and writes the
// certificate to a file.
func (f *fixture) chainFile(t *testing.T, creator cdn.CSRCreator, domain string) string {
	t.Helper()
	resp, err := creator.CreateCdnCertificateSigningRequest(t.Context(), &csr.Request{CommonName: domain})
	require.NoError(t, err)
	parsed, err := resp.CertificateRequest()
	require.NoError(t, err)
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	require.NoError(t, err)
	cert := f.sign(t, &x509.Certificate{
		SerialNumber: serial, DNSNames: parsed.DNSNames, NotBefore: f.ca.NotBefore, NotAfter: f.ca.NotAfter,
	}, f.ca, parsed.PublicKey)
	file := filepath.Join(f.dir, resp.PubMd5+".chain.pem")
	require.NoError(t, os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw}), 0o600))
	return file
}

func (f *fixture) local() cdn.CSRCreator { return &csr.Generator{Keys: f.keys, Source: csr.P256} }

func (f *fixture) flags(args ...string) []string {
	return append([]string{"-endpoint", f.srv.URL, "-keys", f.keys.Path, "-edge", f.edge.TLSAddr, "-wait", "30s"}, args...)
}

func runWith(ctx context.Context, args ...string) (status int, stdout, stderr string) {
	var out, errs bytes.Buffer
	status = run(ctx, args, &out, &errs)
	return status, out.String(), errs.String()
}

func TestInstall_FindsWhoHasTheKey(t *testing.T) {
	f := newFixture(t, "local.example.com", "remote.example.com", ".example.com")
	for _, test := range []struct {
		domain, want string
		creator      cdn.CSRCreator
	}{
		{"local.example.com", "by SetCdnDomainSSLCertificate; the private key is " + f.keys.Path, f.local()},
		{"remote.example.com", "by SetCdnDomainCSRCertificate; the CDN has the private key", f.srv.NewClient(t, nil)},
		{"*.example.com", "installed on .example.com by SetCdnDomainSSLCertificate", f.local()},
	} {
		file := f.chainFile(t, test.creator, test.domain)
		status, stdout, stderr := runWith(t.Context(), f.flags(test.domain, file)...)
		require.Zero(t, status, stderr)
		assert.Contains(t, stdout, test.want)
		assert.True(t, strings.HasSuffix(stdout, "\nserved\n"), stdout)

		status, stdout, _ = runWith(t.Context(), f.flags(test.domain, file)...)
		require.Zero(t, status)
		assert.Contains(t, stdout, "has the certificate already")
	}
	require.Equal(t, 2, f.srv.API.Stored())
}

func TestInstall_SaysWhatIsWrong(t *testing.T) {
	f := newFixture(t, "example.com")
	file := f.chainFile(t, f.local(), "example.com")
	other := newFixture(t)
	lost := other.chainFile(t, other.local(), "example.com")
	for _, test := range []struct {
		args   []string
		status int
		want   string
	}{
		{nil, 2, "want DOMAIN and CHAIN.pem"},
		{[]string{"example.com"}, 2, "want DOMAIN and CHAIN.pem"},
		{[]string{"-edge", "example.com:443", "example.com", file}, 2, "192.0.2.1:443"},
		{[]string{"-wait", "-1s", "example.com", file}, 2, "negative"},
		{[]string{"-keys", "", "example.com", file}, 2, "-keys is empty"},
		{[]string{"example.com", filepath.Join(f.dir, "none.pem")}, 1, "no such file"},
		{f.flags("www.example.com", file), 1, "not for www.example.com"},
		{f.flags("example.com", lost), 1, "Certificate.NoPrivateKey"},
		{[]string{"-endpoint", "http://example.com", "example.com", file}, 1, "not HTTPS"},
	} {
		status, stdout, stderr := runWith(t.Context(), test.args...)
		assert.Equal(t, test.status, status, stderr)
		assert.Contains(t, stderr, test.want)
		assert.Empty(t, stdout)
	}
}

func TestInstall_WithoutWaiting(t *testing.T) {
	f := newFixture(t, "example.com")
	f.edge.Delay = time.Hour
	status, stdout, stderr := runWith(
		t.Context(),
		append(f.flags("-wait", "0"), "example.com", f.chainFile(t, f.local(), "example.com"))...)
	require.Zero(t, status, stderr)
	require.NotContains(t, stdout, "served")
}

func TestInstall_Help(t *testing.T) {
	status, stdout, stderr := runWith(t.Context(), "-h")
	require.Zero(t, status)
	require.Empty(t, stderr)
	for _, flag := range []string{"-keys", "-endpoint", "-wait", "-edge"} {
		require.Contains(t, stdout, flag)
	}
}

// program returns the program, ready to be started and killed.
func program(t *testing.T, stderr *bytes.Buffer, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], args...)
	cmd.Env = append(os.Environ(), asProgram+"=1")
	cmd.Stderr = stderr
	return cmd
}
