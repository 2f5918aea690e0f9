package errortexts

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/cdn"
	"github.com/cdncsr/cdncsr/cdn/cdntest"
	"github.com/cdncsr/cdncsr/csr"
	"github.com/cdncsr/cdncsr/signer"
)

// hiddenKey is the access key of every call. Each of its parts has the word that no text may hold.
var hiddenKey = signer.Credentials{AccessKeyID: "hidden-id", AccessKeySecret: "hidden-secret", SecurityToken: "hidden-token"}

// A transport is an http.RoundTripper of a function.
type transport func(r *http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// newClient returns a client of the fake CDN, which is called without a socket and knows hiddenKey. The options may be nil;
// what they leave out is one attempt, and hiddenKey.
func newClient(t *testing.T, opts *cdn.Options, faults ...cdntest.Fault) *cdn.Client {
	t.Helper()
	api := &cdntest.API{Credentials: []signer.Credentials{hiddenKey}, Source: csr.P256}
	api.Inject(faults...)
	own := cdn.Options{MaxAttempts: 1}
	if opts != nil {
		own = *opts
	}
	if own.HTTPClient == nil {
		own.HTTPClient = &http.Client{Transport: api}
	}
	client, err := cdn.NewClient(cdn.StaticCredentials(hiddenKey), &own)
	require.NoError(t, err)
	return client
}

// call asks creator for a CSR.
func call(ctx context.Context, creator cdn.CSRCreator) error {
	_, err := creator.CreateCdnCertificateSigningRequest(ctx, &csr.Request{CommonName: "example.com"})
	return err
}

// optionTexts are the errors of the constructors.
func optionTexts(t *testing.T) []provocation {
	all := []provocation{
		{"no credential source", func(*testing.T) error { return errorOf(cdn.NewClient(nil, nil)) }},
		{"no creator behind a breaker", func(*testing.T) error { return errorOf(cdn.NewBreaker(nil, nil)) }},
	}
	for _, wrong := range wrongOptions {
		all = append(all, provocation{wrong.how, func(*testing.T) error {
			return errorOf(cdn.NewClient(cdn.StaticCredentials(hiddenKey), &wrong.options))
		}})
	}
	client := newClient(t, nil)
	for _, wrong := range []struct {
		how     string
		options cdn.BreakerOptions
	}{
		{"a negative number of failures", cdn.BreakerOptions{Failures: -1}},
		{"a negative interval of probes", cdn.BreakerOptions{ProbeInterval: -time.Second}},
	} {
		all = append(all, provocation{wrong.how, func(*testing.T) error { return errorOf(cdn.NewBreaker(client, &wrong.options)) }})
	}
	return all
}

// wrongOptions are refused, each for one option: several at once are joined with line ends.
var wrongOptions = []struct {
	how     string
	options cdn.Options
}{
	{"an endpoint that is no URL", cdn.Options{Endpoint: "https://[::1"}},
	{"an endpoint with a password", cdn.Options{Endpoint: "https://user:hidden@cdn.aliyuncs.com"}},
	{"an endpoint with a query", cdn.Options{Endpoint: "https://cdn.aliyuncs.com?key=hidden"}},
	{"an endpoint without a scheme", cdn.Options{Endpoint: "cdn.aliyuncs.com"}},
	{"an endpoint without a host", cdn.Options{Endpoint: "https://:443"}},
	{"an endpoint with ! in its host", cdn.Options{Endpoint: "https://cdn!aliyuncs.com"}},
	{"an endpoint whose host is not ASCII", cdn.Options{Endpoint: "https://例え.example"}},
	{"an endpoint with a path", cdn.Options{Endpoint: "https://cdn.aliyuncs.com/v1"}},
	{"plain HTTP to another machine", cdn.Options{Endpoint: "http://cdn.aliyuncs.com"}},
	{"an unknown format", cdn.Options{Format: "json"}},
	{"a negative time-out", cdn.Options{AttemptTimeout: -time.Second}},
	{"a negative number of attempts", cdn.Options{MaxAttempts: -1}},
	{"a user agent with a line end", cdn.Options{UserAgent: "service\r\nX: y"}},
}

// parameterTexts are the mistakes in a request that package cdn finds before it sends anything.
func parameterTexts(*testing.T) []provocation {
	all := []provocation{{"no request", func(t *testing.T) error {
		return errorOf(newClient(t, nil).CreateCdnCertificateSigningRequest(t.Context(), nil))
	}}}
	for _, m := range []mistake{
		named("no name", ""),
		named("invalid UTF-8", "exa\xffmple.com"),
		{"a control character", func(req *csr.Request) { req.City = "Hang\tzhou" }},
		{"a country of three letters", func(req *csr.Request) { req.Country = "CHN" }},
		{"an empty name among the SANs", func(req *csr.Request) { req.SANs = []string{""} }},
		{"two names in one", func(req *csr.Request) { req.SANs = []string{"a.example.com,b.example.com"} }},
		{"a long value", func(req *csr.Request) { req.State = strings.Repeat("Zhejiang ", 9) + "\x00" }},
	} {
		all = append(all, provocation{m.how, func(t *testing.T) error {
			req := csr.Request{CommonName: "example.com"}
			m.make(&req)
			return errorOf(newClient(t, nil).CreateCdnCertificateSigningRequest(t.Context(), &req))
		}})
	}
	return all
}
