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
	API *API   // change it before the first call
}

// NewServer starts a server that knows one access key, with the ID "testid" and the secret "testsecret". It is closed when the
// test ends.
func NewServer(tb testing.TB) *Server {
	tb.Helper()
	api := &API{Credentials: []signer.Credentials{{AccessKeyID: "testid", AccessKeySecret: "testsecret"}}}
	srv := httptest.NewServer(api)
	tb.Cleanup(srv.Close)
	return &Server{URL: srv.URL, API: api}
}

// NewClient returns a client of the server, with the first of its credentials. Nil options are the defaults; their Endpoint
// is the server's URL in any case. The test fails at once if an option can't be.
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
