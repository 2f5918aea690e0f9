package cdn

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"golang.org/x/time/rate"

	"github.com/cdncsr/cdncsr/signer"
)

// Options change what a [Client] does. The zero value of each field is its default.
type Options struct {
	// Endpoint is where the calls go: https:// and a host; http:// for loopback addresses and localhost only. Empty is
	// https://cdn.aliyuncs.com; see [EndpointForRegion].
	Endpoint string

	// Signer signs the calls. Nil is signer.RPC{}: an HTTPS POST with everything in the body, nothing in the URL.
	Signer signer.Signer

	// Format is what the service is asked to answer in, "JSON" or "XML". Empty is JSON. Either is understood whatever was asked.
	Format string

	// HTTPClient sends the requests. It is used as it is and never changed, but a redirect is not followed. Nil is one of the
	// client's own, with time-outs, HTTP/2, at most 64 connections a host, and the environment's proxies.
	HTTPClient *http.Client

	// AttemptTimeout is how long one attempt may take, from the dial to the last byte of the answer. Zero is 10 s. The
	// context's deadline bounds the whole call.
	AttemptTimeout time.Duration

	// MaxAttempts is how many requests a call may send. Zero is 4; 1 is no retry.
	MaxAttempts int

	// Limiter makes each attempt wait for its turn. Nil is 100 attempts a second for this client, evenly spaced, as the
	// service allows an account; share one among the clients of an account.
	Limiter Limiter

	// Logger gets a record at debug level for each attempt. Nil logs nothing.
	Logger *slog.Logger

	// OnAttempt is told of each attempt when it has ended, in the goroutine of the call: count it, time it, make a span of it.
	// Nil tells no one.
	OnAttempt func(ctx context.Context, attempt Attempt)

	// UserAgent is put before the library's own in the header User-Agent, such as "myservice/1.2".
	UserAgent string
}

// A Limiter makes calls wait for their turn: a *rate.Limiter of golang.org/x/time, or one that machines share. Its Wait
// returns early with an error when ctx ends, or when it can tell that ctx will have ended before the turn comes.
type Limiter interface {
	Wait(ctx context.Context) error
}

const (
	defaultAttemptTimeout = 10 * time.Second
	defaultMaxAttempts    = 4
	callsPerSecond        = 100 // for an account, from the operation's page

	// userAgent names the library; its version is that of CHANGELOG.
	userAgent = "cdncsr/0.1.0"
)

// check returns every option that can't be, in one line; o may be nil.
func (o *Options) check() error {
	if o == nil {
		return nil
	}
	var mistakes []string
	refuse := func(field, format string, args ...any) {
		mistakes = append(mistakes, "Options."+field+": "+fmt.Sprintf(format, args...))
	}
	if o.Endpoint != "" {
		if _, err := parseEndpoint(o.Endpoint); err != nil {
			refuse("Endpoint", "%v", err)
		}
	}
	if o.Format != "" && o.Format != "JSON" && o.Format != "XML" {
		refuse("Format", `%q: is neither "JSON" nor "XML": leave it empty for JSON`, o.Format)
	}
	if o.AttemptTimeout < 0 {
		refuse("AttemptTimeout", "%s: is negative: leave it 0 for the default", o.AttemptTimeout)
	}
	if o.MaxAttempts < 0 {
		refuse("MaxAttempts", "%d: is negative: leave it 0 for the default", o.MaxAttempts)
	}
	if strings.ContainsFunc(o.UserAgent, func(r rune) bool { return r < ' ' || r > '~' }) {
		refuse("UserAgent", "%q: holds a control character or one beyond ASCII: take it out", o.UserAgent)
	}
	if len(mistakes) > 0 {
		return errors.New("cdn: " + strings.Join(mistakes, "; "))
	}
	return nil
}

// withDefaults is o with each zero field set; o itself may be nil and is left alone.
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
	if set.Limiter == nil {
		set.Limiter = rate.NewLimiter(callsPerSecond, 1)
	}
	if set.Logger == nil {
		set.Logger = slog.New(slog.DiscardHandler)
	}
	set.UserAgent = strings.TrimSpace(set.UserAgent + " " + userAgent)
	return set
}
