package cdn

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/cdncsr/cdncsr/signer"
)

// Options change what a [Client] does. Each zero field means its default.
type Options struct {
	// Endpoint is where the calls go: https:// and a host, or http:// and a
	// loopback address or localhost. If empty, https://cdn.aliyuncs.com is
	// used; see [EndpointForRegion].
	Endpoint string

	// Signer signs the calls. If nil, signer.RPC{} is used: a POST with
	// everything in the body and nothing in the URL.
	Signer signer.Signer

	// Format is the format in which the service is asked to answer, "JSON" or
	// "XML". If empty, JSON is used. The client reads both, whichever the
	// service sends.
	Format string

	// HTTPClient sends the requests, except that redirects are not followed.
	// The client does not change it, and goes on using its connections if they
	// give no answer. If nil, the client has a transport of its own, with
	// time-outs, HTTP/2, the proxies of the environment, and at most 64
	// connections, which it leaves for new ones after an attempt without an
	// answer. A transport mocked by httpmock must be given here:
	// httpmock.Activate replaces http.DefaultTransport alone.
	HTTPClient *http.Client

	// AttemptTimeout bounds one attempt, from the dial to the last byte of the
	// answer; the time that it waits for a turn or a connection does not
	// count. The default is 10 s. The context's deadline bounds the whole call.
	AttemptTimeout time.Duration

	// MaxAttempts is the largest number of requests that a call sends. The
	// default is 4; 1 means no retry.
	MaxAttempts int

	// Limiter makes every attempt wait for its turn, unless Limiters has one
	// for the operation. If nil, the calls of each operation are evenly spaced
	// at the rate that the service allows an account, 100 or 30 a second.
	// Processes that use the same account can share a limiter of package
	// sharedlimit. At most 8 attempts ask a Limiter at a time, or one if it is
	// a *rate.Limiter; the others wait in line. A *rate.Limiter that several
	// clients share, or that is wrapped in another type, loses the turns of
	// callers who leave.
	Limiter Limiter

	// Limiters has the limiters of single operations, by the name of the
	// operation, such as "SetCdnDomainSSLCertificate".
	Limiters map[string]Limiter

	// Logger gets a record at debug level for each attempt. If nil, nothing is
	// logged.
	Logger *slog.Logger

	// OnAttempt, if non-nil, is called after each attempt, in the goroutine of
	// the call.
	OnAttempt func(ctx context.Context, attempt Attempt)

	// UserAgent is put before the library's name in the header User-Agent, as
	// in "myservice/1.2 cdncsr/1.0.0".
	UserAgent string
}

const (
	defaultAttemptTimeout = 10 * time.Second
	defaultMaxAttempts    = 4
)

// check returns an error that names every invalid option; o may be nil.
func (o *Options) check() error {
	if o == nil {
		return nil
	}
	var mistakes []string
	refuse := func(field, format string, args ...any) {
		mistakes = append(mistakes, "Options."+field+" "+fmt.Sprintf(format, args...))
	}
	if o.Endpoint != "" {
		if _, err := parseEndpoint(o.Endpoint); err != nil {
			refuse("Endpoint", "%v", err)
		}
	}
	if o.Signer != nil && isNil(o.Signer) {
		refuse("Signer", "holds a nil %T", o.Signer)
	}
	if o.Format != "" && o.Format != "JSON" && o.Format != "XML" {
		refuse("Format", `%q is neither "JSON" nor "XML"`, o.Format)
	}
	if o.AttemptTimeout < 0 {
		refuse("AttemptTimeout", "%s is negative", o.AttemptTimeout)
	}
	if o.MaxAttempts < 0 {
		refuse("MaxAttempts", "%d is negative", o.MaxAttempts)
	}
	if o.Limiter != nil && isNil(o.Limiter) {
		refuse("Limiter", "holds a nil %T", o.Limiter)
	}
	for _, action := range slices.Sorted(maps.Keys(o.Limiters)) {
		if isNil(o.Limiters[action]) {
			refuse(fmt.Sprintf("Limiters[%q]", action), "is nil")
		}
	}
	if strings.ContainsFunc(o.UserAgent, func(r rune) bool { return r < ' ' || r > '~' }) {
		refuse("UserAgent", "%q has a control character or one beyond ASCII", o.UserAgent)
	}
	if len(mistakes) > 0 {
		return errors.New("cdn: " + strings.Join(mistakes, "; "))
	}
	return nil
}

// withDefaults returns a copy of o with each field set that has a default; o
// may be nil.
func (o *Options) withDefaults() Options {
	var set Options
	if o != nil {
		set = *o
	}
	if set.Endpoint == "" {
		set.Endpoint = centralEndpoint
	}
	if set.Signer == nil {
		set.Signer = signer.RPC{}
	}
	if set.Format == "" {
		set.Format = "JSON"
	}
	if set.AttemptTimeout == 0 {
		set.AttemptTimeout = defaultAttemptTimeout
	}
	if set.MaxAttempts == 0 {
		set.MaxAttempts = defaultMaxAttempts
	}
	if set.Logger == nil {
		set.Logger = slog.New(slog.DiscardHandler)
	}
	set.Limiters = maps.Clone(set.Limiters)
	return set
}
