package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/csr"
	"github.com/cdncsr/cdncsr/internal/testenv"
	"github.com/cdncsr/cdncsr/signer"
)

// start runs the program with three addresses and returns what its lines say.
func start(t *testing.T, stderr io.Writer, args ...string) (api, edge, edgeHTTP string) {
	t.Helper()
	ctx, interrupt := context.WithCancel(t.Context())
	stdout, w := io.Pipe()
	exited := make(chan int, 1)
	args = append(args, "-key-type", "p-256", "-edge", "127.0.0.1:0", "-edge-http", "127.0.0.1:0")
	go func() { exited <- run(ctx, args, w, stderr) }()
	t.Cleanup(func() {
		interrupt()
		assert.Zero(t, <-exited)
	})
	lines := bufio.NewScanner(stdout)
	for _, line := range []struct {
		prefix string
		value  *string
	}{{"listening on ", &api}, {"edge on ", &edge}, {"edge HTTP on ", &edgeHTTP}} {
		require.True(t, lines.Scan())
		require.True(t, strings.HasPrefix(lines.Text(), line.prefix), lines.Text())
		*line.value = strings.TrimPrefix(lines.Text(), line.prefix)
	}
	return api, edge, edgeHTTP
}

// send calls an operation of the API and decodes the answer.
func send(t *testing.T, api string, s signer.Signer, action string, params map[string]string, answer any) {
	t.Helper()
	endpoint, err := url.Parse(api)
	require.NoError(t, err)
	in := signer.Input{Credentials: signer.Credentials{AccessKeyID: "testid", AccessKeySecret: "testsecret"}}
	req, err := s.Sign(t.Context(), endpoint, signer.Call{Action: action, Version: "2018-05-10", Params: params}, in)
	require.NoError(t, err)
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }()
	require.NoError(t, json.NewDecoder(resp.Body).Decode(answer))
}

// selfSigned returns a certificate for a public key, signed by a CA of its own,
// and the CA's certificate, both in PEM.
func selfSigned(t *testing.T, pub any, name string) (cert, ca string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	sign := func(template, parent *x509.Certificate, pub any) string {
		der, err := x509.CreateCertificate(rand.Reader, template, parent, pub, key)
		require.NoError(t, err)
		return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	}
	root := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Root"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(2),
		DNSNames:     []string{name},
		NotBefore:    root.NotBefore,
		NotAfter:     root.NotAfter,
	}
	return sign(leaf, root, pub), sign(root, root, key.Public())
}

// installed has the program make a key for www.example.org and installs a
// certificate for it. It returns the certificate of the CA.
func installed(t *testing.T, api string) (ca string) {
	t.Helper()
	var made csr.Response
	send(t, api, signer.RPC{}, "CreateCdnCertificateSigningRequest", map[string]string{"CommonName": "*.example.org"},
		&made)
	parsed, err := made.CertificateRequest()
	require.NoError(t, err)
	cert, ca := selfSigned(t, parsed.PublicKey, "*.example.org")
	var answer struct{ RequestId, Code string }
	send(t, api, signer.RPC{}, "SetCdnDomainCSRCertificate", map[string]string{
		"DomainName": ".example.org", "ServerCertificate": base64.StdEncoding.EncodeToString([]byte(cert)),
	}, &answer)
	require.Empty(t, answer.Code)
	return ca
}

func originServer(t *testing.T) string {
	t.Helper()
	origin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = fmt.Fprintf(w, "origin of %s%s for %s", r.Host, r.URL.Path, r.Header.Get("X-Forwarded-Proto"))
	}))
	t.Cleanup(origin.Close)
	return origin.URL
}

func TestFakecdn_EdgeServesWhatIsInstalled(t *testing.T) {
	api, edge, edgeHTTP := start(t, io.Discard, "-domain", "www.example.com", "-domain", ".example.org", "-origin",
		originServer(t))
	roots := x509.NewCertPool()
	require.True(t, roots.AppendCertsFromPEM([]byte(installed(t, api))))
	transport := &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: roots},
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			if strings.HasSuffix(address, ":80") {
				return new(net.Dialer).DialContext(ctx, network, edgeHTTP)
			}
			return new(net.Dialer).DialContext(ctx, network, edge)
		},
	}
	defer transport.CloseIdleConnections()
	for url, want := range map[string]string{
		"https://www.example.org/a": "origin of www.example.org/a for https",
		"http://www.example.org/b":  "origin of www.example.org/b for http",
	} {
		resp, err := (&http.Client{Transport: transport}).Get(url)
		require.NoError(t, err)
		got, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		assert.Equal(t, want, string(got))
	}
	_, err := (&http.Client{Transport: transport}).Get("https://www.example.com/") // a domain without a certificate
	require.Error(t, err)
}

func TestFakecdn_EdgeServesAfterTheDelay(t *testing.T) {
	api, edge, _ := start(t, io.Discard, "-domain", "*.example.org", "-edge-delay", "1000h")
	installed(t, api)
	_, err := tls.Dial("tcp", edge, &tls.Config{ServerName: "www.example.org"})
	require.Error(t, err)
	var presented *tls.CertificateVerificationError
	assert.False(t, errors.As(err, &presented), "it presents a certificate")
}

// runProgram returns the output of an outside program, which must succeed.
func runProgram(t *testing.T, name string, args ...string) string {
	t.Helper()
	output, err := exec.CommandContext(t.Context(), testenv.Program(t, name), args...).CombinedOutput()
	require.NoError(t, err, string(output))
	return string(output)
}

func TestFakecdn_EdgeServesOtherClients(t *testing.T) {
	api, edge, edgeHTTP := start(t, io.Discard, "-domain", ".example.org", "-origin", originServer(t))
	ca := filepath.Join(t.TempDir(), "ca.pem")
	require.NoError(t, os.WriteFile(ca, []byte(installed(t, api)), 0o600))

	output := runProgram(t, "openssl", "s_client", "-connect", edge, "-servername", "www.example.org",
		"-CAfile", ca, "-verify_hostname", "www.example.org", "-verify_return_error")
	assert.Contains(t, output, "Verify return code: 0 (ok)")

	_, port, err := net.SplitHostPort(edge)
	require.NoError(t, err)
	output = runProgram(t, "curl", "-sS", "--cacert", ca, "--noproxy", "*",
		"--resolve", "www.example.org:"+port+":127.0.0.1", "https://www.example.org:"+port+"/c")
	assert.Equal(t, "origin of www.example.org:"+port+"/c for https", output)

	output = runProgram(t, "curl", "-sS", "--noproxy", "*", "-H", "Host: www.example.org", "http://"+edgeHTTP+"/d")
	assert.Equal(t, "origin of www.example.org/d for http", output)
}

func TestFakecdn_WarnsOfAKeyInTheURLAndDoesNotLogIt(t *testing.T) {
	var stderr bytes.Buffer
	t.Run("program", func(t *testing.T) {
		api, _, _ := start(t, &stderr, "-domain", "www.example.com")
		var answer struct{ Code string }
		send(t, api, signer.ACS3{}, "SetCdnDomainSSLCertificate", map[string]string{
			"DomainName": "www.example.com", "SSLProtocol": "on", "SSLPub": "x", "SSLPri": "somekey",
		}, &answer)
		assert.Equal(t, "InvalidSSLPri", answer.Code)
	})
	assert.Contains(t, stderr.String(), "domain=www.example.com status=400 code=InvalidSSLPri")
	assert.Contains(t, stderr.String(), "a private key came in the URL")
	assert.NotContains(t, stderr.String(), "somekey")
}
