package main

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/mholt/acmez/v3/acme"

	"github.com/cdncsr/cdncsr/cdn"
)

const (
	requestTimeout = 30 * time.Second // of one request to the CA
	windowTimeout  = 15 * time.Second // for a window
	orderTimeout   = 15 * time.Minute // of one order, with its proofs
	windowsPause   = 10 * time.Minute // in which a CA that hung is not asked for windows again
)

// A ca orders certificates from an ACME server.
type ca struct {
	client    *acme.Client
	state     state
	eab       *acme.EAB // nil if the CA needs none
	profile   string
	challenge string // the type: http-01 or dns-01
	solver    solver
	creator   cdn.CSRCreator // asked once the names are validated, so that a failed order makes no key
	warn      func(error)

	accountMu sync.Mutex
	account   acme.Account // without a Location: not looked up yet

	windowsMu sync.Mutex
	windows   map[string]knownWindow // by the ID of the certificate
	silent    time.Time              // until then the CA is not asked for windows
}

// A knownWindow is a window and how long the CA asks not to be asked again.
type knownWindow struct {
	window *window
	until  time.Time
}

// login returns the account. The CA knows it by its key.
func (c *ca) login(ctx context.Context) (acme.Account, error) {
	c.accountMu.Lock()
	defer c.accountMu.Unlock()
	if c.account.Location != "" {
		return c.account, nil
	}
	key, err := c.state.accountKey(c.client.Directory)
	if err != nil {
		return acme.Account{}, err
	}
	account := acme.Account{TermsOfServiceAgreed: true, PrivateKey: key}
	if c.eab != nil {
		if err = account.SetExternalAccountBinding(ctx, c.client, *c.eab); err != nil {
			return acme.Account{}, err
		}
	}
	account, err = c.client.NewAccount(ctx, account)
	if err == nil {
		c.account = account
	}
	return account, err
}

// window returns when the CA suggests to renew leaf; nil if it does not say.
func (c *ca) window(ctx context.Context, leaf *x509.Certificate) *window {
	id, err := acme.ARIUniqueIdentifier(leaf)
	if err != nil || len(leaf.AuthorityKeyId) == 0 {
		return nil
	}
	c.windowsMu.Lock()
	known, silent := c.windows[id], time.Now().Before(c.silent)
	c.windowsMu.Unlock()
	if silent || time.Now().Before(known.until) {
		return known.window
	}
	ctx, cancel := context.WithTimeout(ctx, windowTimeout)
	defer cancel()
	asked, err := c.askWindow(ctx, id)
	c.windowsMu.Lock()
	defer c.windowsMu.Unlock()
	if err != nil {
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			c.silent = time.Now().Add(windowsPause)
		}
		return nil // dueTime goes by the certificate's life then
	}
	if c.windows == nil {
		c.windows = map[string]knownWindow{}
	}
	c.windows[id] = asked
	return asked.window
}

// askWindow asks the CA once. The ACME client would ask a CA that answers
// nonsense three times, and refuses a window of one second, which some have for
// a certificate that was revoked.
func (c *ca) askWindow(ctx context.Context, id string) (knownWindow, error) {
	dir, err := c.client.GetDirectory(ctx)
	if err != nil || dir.RenewalInfo == "" {
		return knownWindow{}, errors.Join(err, errors.New("no renewal information"))
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, dir.RenewalInfo+"/"+id, nil)
	if err != nil {
		return knownWindow{}, err
	}
	req.Header.Set("User-Agent", c.client.UserAgent) // RFC 8555 section 6.1
	resp, err := c.client.HTTPClient.Do(req)
	if err != nil {
		return knownWindow{}, err
	}
	defer func() { _ = resp.Body.Close() }() // it was read
	var info acme.RenewalInfo
	err = json.NewDecoder(io.LimitReader(resp.Body, 64<<10)).Decode(&info)
	start, end := info.SuggestedWindow.Start, info.SuggestedWindow.End
	if err != nil || resp.StatusCode != http.StatusOK || !end.After(start) {
		return knownWindow{}, errors.Join(err, fmt.Errorf("HTTP %d, window from %s to %s", resp.StatusCode, start, end))
	}
	again, _ := parseRetryAfter(resp.Header) // zero: at the next look
	return knownWindow{&window{id, start, end}, earlier(again, time.Now().Add(24*time.Hour))}, nil
}

// newHTTPClient returns base, or a usual client if that is nil, with a time-out
// and with retryAfter.
func newHTTPClient(base *http.Client) *http.Client {
	transport := http.DefaultTransport
	if base != nil && base.Transport != nil {
		transport = base.Transport
	}
	return &http.Client{Timeout: requestTimeout, Transport: retryAfter{transport}}
}

// retryAfter notes the Retry-After of a CA that refuses to be asked more often
// (RFC 8555 section 6.6), which the ACME client does not return.
type retryAfter struct{ http.RoundTripper }

type retryAfterKey struct{}

// withRetryAfter returns a context for requests one after the other, and where
// the last Retry-After of theirs will be.
func withRetryAfter(ctx context.Context) (context.Context, *time.Time) {
	at := new(time.Time)
	return context.WithValue(ctx, retryAfterKey{}, at), at
}

// RoundTrip implements http.RoundTripper.
func (t retryAfter) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := t.RoundTripper.RoundTrip(req)
	at, ok := req.Context().Value(retryAfterKey{}).(*time.Time)
	if err != nil || !ok {
		return resp, err
	}
	*at = time.Time{} // an earlier one has been heeded
	if resp.StatusCode != http.StatusTooManyRequests && resp.StatusCode != http.StatusServiceUnavailable {
		return resp, nil
	}
	if again, ok := parseRetryAfter(resp.Header); ok {
		*at = again
	}
	return resp, nil
}

// parseRetryAfter reads a Retry-After in seconds or as a date (RFC 9110 section
// 10.2.3).
func parseRetryAfter(header http.Header) (time.Time, bool) {
	text := header.Get("Retry-After")
	if seconds, err := strconv.ParseUint(text, 10, 31); err == nil {
		return time.Now().Add(time.Duration(seconds) * time.Second), true
	}
	date, err := http.ParseTime(text)
	return date, err == nil
}
