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
)

// batteryCSRs returns a CSR for each request of the battery that is right, and one of each key type.
func batteryCSRs(t *testing.T) []*Response {
	t.Helper()
	p256 := newTestKey(t, P256)
	var all []*Response
	for _, one := range battery() {
		if len(one.wrong) == 0 {
			resp, err := New(one.req, p256)
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

// TestOutside_Verify holds every CSR of the battery against two other implementations. OpenSSL accepts much that others
// refuse; GnuTLS reads DER strictly.
func TestOutside_Verify(t *testing.T) {
	openssl, certtool := needProgram(t, "openssl"), needProgram(t, "certtool")
	dir := t.TempDir()
	var wait sync.WaitGroup
	turns := make(chan struct{}, 4)
	for i, resp := range batteryCSRs(t) {
		file := filepath.Join(dir, fmt.Sprintf("%d.csr", i))
		require.NoError(t, os.WriteFile(file, []byte(resp.Csr), 0o600))
		turns <- struct{}{}
		wait.Go(func() {
			defer func() { <-turns }()
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

// TestOutside_EmailIsReadable holds that GnuTLS shows the e-mail address as text. It shows the UTF8String that x509
// makes of one as raw hex.
func TestOutside_EmailIsReadable(t *testing.T) {
	certtool := needProgram(t, "certtool")
	resp, err := New(&Request{CommonName: "example.com", Email: "admin@example.com"}, newTestKey(t, P256))
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "csr")
	require.NoError(t, os.WriteFile(file, []byte(resp.Csr), 0o600))
	out, err := exec.Command(certtool, "--crq-info", "--infile", file).CombinedOutput()
	require.NoError(t, err)
	assert.Contains(t, string(out), "EMAIL=admin@example.com")
}
