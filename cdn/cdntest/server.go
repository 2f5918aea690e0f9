package cdntest

import (
	"net/http/httptest"
	"testing"

	"github.com/cdncsr/cdncsr/cdn"
	"github.com/cdncsr/cdncsr/signer"
)

// Server is an [API] on loopback.
type Server struct {
	URL string // http://127.0.0.1:PORT, without a slash at its end
	API *API   // its fields may be changed before the first call
}

// NewServer starts a server that accepts one access key, with the ID "testid"
// and the secret "testsecret". It is closed when the test ends.
func NewServer(tb testing.TB) *Server {
	tb.Helper()
	api := &API{Credentials: []signer.Credentials{{AccessKeyID: "testid", AccessKeySecret: "testsecret"}}}
	srv := httptest.NewServer(api)
	tb.Cleanup(srv.Close)
	return &Server{URL: srv.URL, API: api}
}

// NewClient returns a client of the server, with the first of its credentials.
// If opts is nil, the defaults are used; the Endpoint is always the server's
// URL. An invalid option fails the test at once.
func (s *Server) NewClient(tb testing.TB, opts *cdn.Options) *cdn.Client {
	tb.Helper()
	var own cdn.Options
	if opts != nil {
		own = *opts
	}
	own.Endpoint = s.URL
	var creds signer.Credentials
	if len(s.API.Credentials) > 0 {
		creds = s.API.Credentials[0]
	}
	client, err := cdn.NewClient(cdn.StaticCredentials(creds), &own)
	if err != nil {
		tb.Fatalf("cdntest: %v", err)
	}
	tb.Cleanup(client.CloseIdleConnections)
	return client
}
