package cdntest_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/cdn/cdntest"
	"github.com/cdncsr/cdncsr/csr"
)

// edgeOrigin answers with what it was asked.
var edgeOrigin = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	_, _ = fmt.Fprintf(w, "%s %s tls=%t", r.Host, r.URL.Path, r.TLS != nil)
})

// newServer returns a server with the domains of withDomains.
func newServer(t *testing.T) *cdntest.Server {
	t.Helper()
	srv := cdntest.NewServer(t)
	srv.API.Source = csr.P256
	addDomains(srv.API)
	return srv
}

type dialFunc = func(ctx context.Context, network, address string) (net.Conn, error)

// presented returns the leaf that an edge presents, or nil if the handshake
// fails.
func presented(t *testing.T, dial dialFunc, addr, serverName string) *x509.Certificate {
	t.Helper()
	raw, err := dial(t.Context(), "tcp", addr)
	require.NoError(t, err)
	conn := tls.Client(raw, &tls.Config{ServerName: serverName, InsecureSkipVerify: true})
	defer func() { _ = conn.Close() }()
	if conn.HandshakeContext(t.Context()) != nil {
		return nil
	}
	return conn.ConnectionState().PeerCertificates[0]
}

// edges returns what an edge on loopback and one in process present.
func edges(t *testing.T, srv *cdntest.Server) map[string]func(serverName string) *x509.Certificate {
	t.Helper()
	loopback, inProcess := srv.StartEdge(t, edgeOrigin), srv.API.NewEdge(edgeOrigin)
	return map[string]func(string) *x509.Certificate{
		"loopback": func(name string) *x509.Certificate {
			return presented(t, new(net.Dialer).DialContext, loopback.TLSAddr, name)
		},
		"in process": func(name string) *x509.Certificate {
			return presented(t, inProcess.DialContext, "192.0.2.1:443", name)
		},
	}
}

func TestEdge_ServesByTheSNI(t *testing.T) {
	ca := newAuthority(t)
	srv := newServer(t)
	exact, exactKey := ca.issue(t, "example.com")
	wildcard := ca.answerCSR(t, srv.API, "*.example.com")
	upload(t, srv.API, "example.com", exact, exactKey)
	require.Empty(
		t,
		call(t, srv.API, "SetCdnDomainCSRCertificate",
			params{"DomainName": ".example.com", "ServerCertificate": base64Of(wildcard)}).Code,
	)
	srv.API.AddDomain("own.example.com") // without a certificate: the wildcard domain's is not its own
	for way, leaf := range edges(t, srv) {
		for name, want := range map[string]string{
			"example.com": exact, "EXAMPLE.com": exact,
			"www.example.com": wildcard,
			"a.b.example.com": "", "example.org": "", "own.example.com": "", "offline.example": "",
			"": "",
		} {
			got := leaf(name)
			if want == "" {
				assert.Nil(t, got, "%s %q", way, name)
				continue
			}
			if assert.NotNil(t, got, "%s %q", way, name) {
				assert.Equal(t, parseChain(t, want)[0].Raw, got.Raw, "%s %q", way, name)
			}
		}
	}
}

func TestEdge_ServesNoOfflineDomain(t *testing.T) {
	ca := newAuthority(t)
	srv := newServer(t)
	text, key := ca.issue(t, "example.com")
	upload(t, srv.API, "example.com", text, key)
	for way, leaf := range edges(t, srv) {
		require.NotNil(t, leaf("example.com"), way)
		srv.API.SetOnline("example.com", false)
		assert.Nil(t, leaf("example.com"), way)
		srv.API.SetOnline("example.com", true)
		assert.NotNil(t, leaf("example.com"), way)
	}
	require.Empty(t,
		call(t, srv.API, "SetCdnDomainSSLCertificate", params{"DomainName": "example.com", "SSLProtocol": "off"}).Code)
	for way, leaf := range edges(t, srv) {
		assert.Nil(t, leaf("example.com"), way)
	}
}

func TestEdge_ServesACertificateAfterTheDelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ca := newAuthority(t)
		api := withDomains()
		edge := api.NewEdge(nil)
		edge.Delay = time.Minute
		leaf := func() []byte {
			if got := presented(t, edge.DialContext, "192.0.2.1:443", "example.com"); got != nil {
				return got.Raw
			}
			return nil
		}
		first, firstKey := ca.issue(t, "example.com")
		second, secondKey := ca.issue(t, "example.com")
		upload(t, api, "example.com", first, firstKey)
		assert.Nil(t, leaf())
		time.Sleep(time.Minute - time.Nanosecond)
		assert.Nil(t, leaf())
		time.Sleep(time.Nanosecond)
		assert.Equal(t, parseChain(t, first)[0].Raw, leaf())

		upload(t, api, "example.com", second, secondKey)
		time.Sleep(time.Minute - time.Nanosecond)
		assert.Equal(t, parseChain(t, first)[0].Raw, leaf(), "the earlier certificate")
		time.Sleep(time.Nanosecond)
		assert.Equal(t, parseChain(t, second)[0].Raw, leaf())
		edge.Delay = 2 * time.Minute
		assert.Equal(t, parseChain(t, first)[0].Raw, leaf())
	})
}

func TestEdge_DelayMayChangeBetweenConnections(t *testing.T) {
	srv := newServer(t)
	text, key := newAuthority(t).issue(t, "example.com")
	upload(t, srv.API, "example.com", text, key)
	edge := srv.StartEdge(t, nil)
	for range 2 {
		edge.Delay = time.Hour
		assert.Nil(t, presented(t, new(net.Dialer).DialContext, edge.TLSAddr, "example.com"))
		edge.Delay = 0
		assert.NotNil(t, presented(t, new(net.Dialer).DialContext, edge.TLSAddr, "example.com"))
	}
}

func TestEdge_ForgetsOldInstallations(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := withDomains()
		edge := api.NewEdge(nil)
		edge.Delay = time.Hour
		first, firstKey := newAuthority(t).issue(t, "example.com")
		upload(t, api, "example.com", first, firstKey)
		time.Sleep(time.Hour)
		text, key := newAuthority(t).issue(t, "example.com")
		for range 15 {
			upload(t, api, "example.com", text, key)
		}
		require.NotNil(t, presented(t, edge.DialContext, ":443", "example.com"))
		upload(t, api, "example.com", text, key) // 17 in all
		require.Nil(t, presented(t, edge.DialContext, ":443", "example.com"))
	})
}

func TestEdge_PassesRequestsToTheOrigin(t *testing.T) {
	ca := newAuthority(t)
	srv := newServer(t)
	text, key := ca.issue(t, "example.com")
	upload(t, srv.API, "example.com", text, key)
	roots := x509.NewCertPool()
	roots.AddCert(ca.root)
	loopback, inProcess := srv.StartEdge(t, edgeOrigin), srv.API.NewEdge(edgeOrigin)
	toLoopback := func(ctx context.Context, network, address string) (net.Conn, error) {
		addr := loopback.TLSAddr
		if strings.HasSuffix(address, ":80") {
			addr = loopback.HTTPAddr
		}
		return new(net.Dialer).DialContext(ctx, network, addr)
	}
	for way, dial := range map[string]dialFunc{"loopback": toLoopback, "in process": inProcess.DialContext} {
		transport := &http.Transport{DialContext: dial, TLSClientConfig: &tls.Config{RootCAs: roots}}
		for url, want := range map[string]string{
			"http://example.com/.well-known/acme-challenge/x": "example.com /.well-known/acme-challenge/x tls=false",
			"http://unknown.example/":                         "unknown.example / tls=false",
			"https://example.com/":                            "example.com / tls=true",
		} {
			got, err := get(t, transport, url)
			require.NoError(t, err, way)
			assert.Equal(t, want, got, way)
		}
		_, err := get(t, transport, "https://www.example.com/")
		require.Error(t, err, way)
		transport.CloseIdleConnections()
	}
}

func TestEdge_WithoutAnOriginAnswersNotFound(t *testing.T) {
	transport := &http.Transport{DialContext: newAPI().NewEdge(nil).DialContext}
	defer transport.CloseIdleConnections()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://example.com/", nil)
	require.NoError(t, err)
	resp, err := transport.RoundTrip(req)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	assert.Equal(t, http.StatusNotFound, resp.StatusCode)
}

func TestEdge_DialContext_Refuses(t *testing.T) {
	edge := newAPI().NewEdge(nil)
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := edge.DialContext(canceled, "tcp", "192.0.2.1:443")
	require.ErrorIs(t, err, context.Canceled)
	_, err = edge.DialContext(t.Context(), "tcp", "192.0.2.1")
	require.Error(t, err)
}

func get(t *testing.T, transport http.RoundTripper, url string) (string, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	require.NoError(t, err)
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return "", err
	}
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return string(body), resp.Body.Close()
}
