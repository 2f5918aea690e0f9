package cdn

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"reflect"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cdncsr/cdncsr/signer"
)

// Client sends calls to the CDN. A Client is safe for concurrent use and should
// be shared: all its calls use the same connections, limiters, clock correction
// and retry budget. Make one with [NewClient]; the zero value is not usable.
//
// Every method checks its request, as the service documents it, before anything
// is sent, and returns [csr.FieldErrors] with every mistake. Other failures are
// an [*Error], with two exceptions: an error of the Signer is wrapped as it is,
// and after ctx has ended, the error wraps ctx.Err(), its cause, and the *Error
// of the last attempt that failed before.
type Client struct {
	options     Options        // each field set
	credentials CredentialFunc // functions, since fmt would print the fields of a source
	refresh     refreshFunc    // nil if the source has no RefreshCredentials
	endpoint    *url.URL
	connections atomic.Pointer[connections]
	left        sync.Map // the keys are *http.Transport that only old attempts use
	slots       slots
	limiters    limiters
	userAgent   []string // the header's values
	buffers     bufferPool
	clock       clock
	budget      budget
}

// NewClient returns a client that signs with the credentials of creds. It
// copies opts; if opts is nil, the defaults are used. The error names every
// invalid option.
func NewClient(creds CredentialSource, opts *Options) (*Client, error) {
	if isNil(creds) {
		return nil, errors.New("cdn: credentials: nil CredentialSource")
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
		options: options, credentials: creds.Credentials, endpoint: endpoint,
		userAgent: []string{strings.TrimSpace(options.UserAgent + " " + libraryAgent())},
	}
	c.limiters.use(options)
	if refresher, ok := creds.(CredentialRefresher); ok {
		c.refresh = refresher.RefreshCredentials
	}
	if options.HTTPClient != nil {
		c.connections.Store(&connections{send: withoutRedirects(options.HTTPClient).Do})
		return c, nil
	}
	c.connections.Store(newConnections(newTransport(), time.Time{}))
	c.slots = make(slots, maxConnections)
	return c, nil
}

// Do sends any call of an RPC-style API, with the client's signer, retries,
// limiter and errors. If call.Version is empty, the CDN's, 2018-05-10, is used;
// if call.Format is empty, that of the client's Options. Another service, such
// as Alibaba Cloud DNS, needs a client whose Options.Endpoint is that
// service's.
//
// The answer is decoded into resp, a pointer, as encoding/json or encoding/xml
// would; a nil resp discards it. An answer with HTTP status 2xx is an error if
// it has a Code other than "OK" or "200". The root element of an answer in XML
// must have a name that begins with the action.
//
// A parameter that holds a private key in PEM is treated as a [Secret]. Like
// the other methods, Do repeats a call that failed, although the service may
// have done its work and only the answer was lost. A call that creates
// something should therefore have a client token, if its API knows one.
func (c *Client) Do(ctx context.Context, call signer.Call, resp any) error {
	if v := reflect.ValueOf(resp); resp != nil && (v.Kind() != reflect.Pointer || v.IsNil()) {
		return errors.New("cdn: " + call.Action + ": resp is not a pointer to where the answer goes")
	}
	if call.Version == "" {
		call.Version = apiVersion
	}
	op := operation{Call: call}
	for name, value := range call.Params {
		if holdsPrivateKey(value) {
			op.secrets = append(op.secrets, name)
		}
	}
	return c.call(ctx, op, response{value: resp})
}

// CloseIdleConnections closes the connections that no call uses. It leaves
// those of Options.HTTPClient open.
func (c *Client) CloseIdleConnections() {
	if own := c.connections.Load().transport; own != nil {
		own.CloseIdleConnections()
		c.left.Range(func(transport, _ any) bool {
			transport.(*http.Transport).CloseIdleConnections()
			return true
		})
	}
}

// libraryAgent names the library and its version in the header User-Agent.
var libraryAgent = sync.OnceValue(func() string {
	const module = "github.com/cdncsr/cdncsr"
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "cdncsr/dev"
	}
	for _, m := range append(info.Deps, &info.Main) {
		if m.Path == module && strings.HasPrefix(m.Version, "v") {
			return "cdncsr/" + strings.TrimPrefix(m.Version, "v")
		}
	}
	return "cdncsr/dev"
})

// isNil reports whether v is nil or holds a nil pointer or function.
func isNil(v any) bool {
	switch r := reflect.ValueOf(v); r.Kind() {
	case reflect.Invalid:
		return true
	case reflect.Pointer, reflect.Func, reflect.Map, reflect.Interface:
		return r.IsNil()
	}
	return false
}
