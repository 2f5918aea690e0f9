package csr

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/internal/testenv"
)

// validCSRs returns a CSR for each valid request of requestCases, and one for
// each type of key.
func validCSRs(t *testing.T) []*Response {
	t.Helper()
	p256 := newTestKey(t, P256)
	var all []*Response
	for _, c := range requestCases() {
		if len(c.invalid) == 0 {
			resp, err := New(c.req, p256)
			require.NoError(t, err)
			all = append(all, resp)
		}
	}
	for _, keyType := range keyTypes {
		resp, err := New(&benchmarkRequest, newTestKey(t, keyType))
		require.NoError(t, err)
		all = append(all, resp)
	}
	return all
}

// TestNew_OthersVerifyEveryCSR has every CSR verified by OpenSSL, which accepts
// much that others refuse, and by GnuTLS, which parses DER strictly.
func TestNew_OthersVerifyEveryCSR(t *testing.T) {
	openssl, certtool := testenv.Program(t, "openssl"), testenv.Program(t, "certtool")
	dir := t.TempDir()
	var wait sync.WaitGroup
	running := make(chan struct{}, 4)
	for i, resp := range validCSRs(t) {
		file := filepath.Join(dir, fmt.Sprintf("%d.csr", i))
		require.NoError(t, os.WriteFile(file, []byte(resp.Csr), 0o600))
		running <- struct{}{}
		wait.Go(func() {
			defer func() { <-running }()
			out, err := exec.Command(openssl, "req", "-verify", "-noout", "-in", file).CombinedOutput()
			assert.NoError(t, err, "openssl: %s: %s", resp.CommonName, out)
			assert.Contains(t, string(out), "verify OK", resp.CommonName)
			out, err = exec.Command(certtool, "--crq-info", "--infile", file).CombinedOutput()
			assert.NoError(t, err, "certtool: %s: %s", resp.CommonName, out)
			assert.Contains(t, string(out), "Self signature: verified", resp.CommonName)
		})
	}
	wait.Wait()
}

// TestNew_GnuTLSReadsTheEmail proves that GnuTLS shows the email address as
// text. It shows a UTF8String, which crypto/x509 would make of it, as hex
// digits.
func TestNew_GnuTLSReadsTheEmail(t *testing.T) {
	certtool := testenv.Program(t, "certtool")
	resp, err := New(&Request{CommonName: "example.com", Email: "admin@example.com"}, newTestKey(t, P256))
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "csr")
	require.NoError(t, os.WriteFile(file, []byte(resp.Csr), 0o600))
	out, err := exec.Command(certtool, "--crq-info", "--infile", file).CombinedOutput()
	require.NoError(t, err)
	assert.Contains(t, string(out), "EMAIL=admin@example.com")
}
