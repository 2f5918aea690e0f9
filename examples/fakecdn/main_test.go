package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/x509"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/cdn"
	"github.com/cdncsr/cdncsr/csr"
	"github.com/cdncsr/cdncsr/signer"
)

// asProgram makes the test binary be the program itself.
const asProgram = "FAKECDN_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
	}
	os.Exit(m.Run())
}

// readURL reads the program's first line.
func readURL(t *testing.T, stdout io.Reader) string {
	t.Helper()
	line, err := bufio.NewReader(stdout).ReadString('\n')
	require.NoError(t, err)
	url, ok := strings.CutPrefix(line, "listening on ")
	require.True(t, ok, line)
	require.Regexp(t, `^http://(127\.0\.0\.1|\[::1\]):[0-9]+\n$`, url)
	return strings.TrimSpace(url)
}

func call(t *testing.T, url string, creds signer.Credentials) (*csr.Response, error) {
	t.Helper()
	client, err := cdn.NewClient(cdn.StaticCredentials(creds), &cdn.Options{Endpoint: url})
	require.NoError(t, err)
	defer client.CloseIdleConnections()
	return client.CreateCdnCertificateSigningRequest(t.Context(),
		&csr.Request{CommonName: "example.com", SANs: []string{"www.example.com"}})
}

func TestFakecdn_ServesAndLogsWithoutSecrets(t *testing.T) {
	creds := signer.Credentials{AccessKeyID: "someid", AccessKeySecret: "somesecret", SecurityToken: "sometoken"}
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	stdout, w := io.Pipe()
	var stderr bytes.Buffer
	exited := make(chan int, 1)
	go func() {
		exited <- run(ctx, []string{
			"-access-key-id", "someid", "-access-key-secret", "somesecret", "-security-token", "sometoken", "-key-type", "p-256",
		}, w, &stderr)
	}()
	url := readURL(t, stdout)

	resp, err := call(t, url, creds)
	require.NoError(t, err)
	parsed, err := resp.CertificateRequest()
	require.NoError(t, err)
	assert.Equal(t, x509.ECDSA, parsed.PublicKeyAlgorithm)
	_, err = call(t, url,
		signer.Credentials{AccessKeyID: "someid", AccessKeySecret: "othersecret", SecurityToken: "sometoken"})
	require.ErrorIs(t, err, cdn.ErrDenied)

	interrupt()
	require.Zero(t, <-exited)
	lines := strings.Split(strings.TrimSpace(stderr.String()), "\n")
	require.Len(t, lines, 2)
	assert.Contains(t, lines[0], "common_name=example.com sans=www.example.com status=200")
	assert.Contains(t, lines[0], "request_id="+resp.RequestId)
	assert.Contains(t, lines[1], "code=SignatureDoesNotMatch")
	assert.NotRegexp(t, "some(id|secret|token)|othersecret|Signature=", stderr.String())
}

func TestFakecdn_EndsCleanlyOnSignals(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("one process can't interrupt another on Windows")
	}
	for _, sig := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
		program := exec.CommandContext(t.Context(), os.Args[0])
		program.Env = append(os.Environ(), asProgram+"=1")
		stdout, err := program.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, program.Start())
		_, err = call(t, readURL(t, stdout), signer.Credentials{AccessKeyID: "testid", AccessKeySecret: "testsecret"})
		require.NoError(t, err)
		require.NoError(t, program.Process.Signal(sig))
		require.NoError(t, program.Wait(), sig)
	}
}

func TestFakecdn_Refuses(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	for name, test := range map[string]struct {
		status int
		why    string
		args   []string
	}{
		"every interface":    {2, "other machines could reach", []string{"-addr", ":8080"}},
		"another interface":  {2, "other machines could reach", []string{"-addr", "192.0.2.1:8080"}},
		"a name":             {2, "other machines could reach", []string{"-addr", "example.com:8080"}},
		"no port":            {2, "want HOST:PORT", []string{"-addr", "127.0.0.1"}},
		"an argument":        {2, `"serve": takes flags only`, []string{"serve"}},
		"no ID":              {2, "AccessKeyID is empty", []string{"-access-key-id", ""}},
		"an unknown flag":    {2, "not defined: -port", []string{"-port", "1"}},
		"a port in use":      {1, "-addr: listen tcp ", []string{"-addr", taken.Addr().String()}},
		"edge's port in use": {1, "-edge: listen tcp ", []string{"-edge", taken.Addr().String()}},
		"edge for everyone":  {2, "-edge \":443\": other machines could reach", []string{"-edge", ":443"}},
		"HTTP for everyone":  {2, "-edge-http \":80\": other machines could reach", []string{"-edge-http", ":80"}},
		"a negative delay":   {2, "-edge-delay -1s", []string{"-edge-delay", "-1s"}},
		"an empty domain":    {2, "-domain", []string{"-domain", ""}},
		"an origin by name":  {2, "want http://HOST:PORT", []string{"-origin", "localhost:80"}},
		"no URL":             {2, "-origin", []string{"-origin", "http://[::1"}},
	} {
		t.Run(name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			assert.Equal(t, test.status, run(t.Context(), test.args, &stdout, &stderr))
			assert.Empty(t, stdout.String())
			assert.Regexp(t, `^fakecdn: [^\n]+\n$`, stderr.String())
			assert.Contains(t, stderr.String(), test.why)
		})
	}
}

func TestFakecdn_LocalhostAndIPv6AreLoopback(t *testing.T) {
	for _, addr := range []string{"127.0.0.1:0", "localhost:0", "[::1]:0", "127.1.2.3:80"} {
		assert.NoError(t, checkLoopback("addr", addr))
	}
}
