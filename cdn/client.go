package cdn

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"github.com/cdncsr/cdncsr/csr"
	"github.com/cdncsr/cdncsr/signer"
)

// The operation, from its page.
const (
	action  = "CreateCdnCertificateSigningRequest"
	version = "2018-05-10"
)

// Client sends calls to the CDN. It may be used by many goroutines, and should be: what it learns of the clock and of
// outages, its connections and its limiter serve all calls. Make it with [NewClient]; the zero value can't be used.
type Client struct {
	options     Options // each field set
	credentials CredentialFunc
	endpoint    *url.URL
	send        func(*http.Request) (*http.Response, error) // follows no redirect
	own         *http.Transport                             // nil if it is the caller's client that sends
	userAgent   []string                                    // the header's values
	bodies      bodies
	clock       clock
	budget      budget
}

// NewClient returns a client that signs with what creds gives. Nil options are the defaults; they are copied. It is an
// error if creds is nil or an option can't be: every such option is named.
func NewClient(creds CredentialSource, opts *Options) (*Client, error) {
	if f, ok := creds.(CredentialFunc); creds == nil || ok && f == nil {
		return nil, errors.New("cdn: credentials: are nil: give a CredentialSource, such as EnvCredentials()")
	}
	if err := opts.check(); err != nil {
		return nil, err
	}
	options := opts.withDefaults()
	endpoint, err := parseEndpoint(options.Endpoint)
	if err != nil {
		return nil, err
	}
	c := &Client{
		options: options, credentials: creds.Credentials, endpoint: endpoint, userAgent: []string{options.UserAgent},
	}
	if options.HTTPClient != nil {
		c.send = withoutRedirects(options.HTTPClient).Do
		return c, nil
	}
	c.own = newTransport()
	c.send = c.own.RoundTrip // what an http.Client adds, redirects and cookies, is not wanted
	return c, nil
}

// CreateCdnCertificateSigningRequest lets the CDN make a key pair and a CSR; it keeps the private key. Only what req sets
// is sent. Each call makes a new key pair, so a call that failed may have left an unused key at the service, and can be
// repeated.
//
// Before anything is sent it refuses, with [csr.FieldErrors], what the service documents as wrong; [csr.Request.Validate]
// checks more. Any other failure is an [*Error], but for that of the Signer, which is wrapped. When ctx ends, its error is
// wrapped, and the last answer's beside it. The answer is taken as it comes: [csr.Response.CertificateRequest] checks the CSR.
//
// The operation's page: https://www.alibabacloud.com/help/en/cdn/developer-reference/api-cdn-2018-05-10-createcdncertificatesigningrequest
func (c *Client) CreateCdnCertificateSigningRequest(ctx context.Context, req *csr.Request) (*csr.Response, error) {
	params, err := parameters(req)
	if err != nil {
		return nil, err
	}
	run := call{
		client: c,
		signed: signer.Call{Action: action, Version: version, Format: c.options.Format, Params: params},
	}
	return run.do(ctx)
}

// CloseIdleConnections closes the connections that wait for a call. Those of a caller's own HTTPClient are left alone.
func (c *Client) CloseIdleConnections() {
	if c.own != nil {
		c.own.CloseIdleConnections()
	}
}
