package issue

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

	"github.com/cdncsr/cdncsr/examples/renew/internal/due"
)

const (
	windowTimeout = 15 * time.Second // for a window
	windowsPause  = 10 * time.Minute // in which a CA that hung is not asked for windows again
)

// windows are those that the CA has told.
type windows struct {
	mu     sync.Mutex
	known  map[string]due.Window // by the ID of the certificate
	until  map[string]time.Time  // the CA asks not to be asked again before
	silent time.Time             // likewise, for any certificate
}

// Window returns when the CA suggests to renew leaf. It is zero if the CA has
// never said: due.Time goes by the certificate's life then.
func (c *CA) Window(ctx context.Context, leaf *x509.Certificate) due.Window {
	id, err := acme.ARIUniqueIdentifier(leaf)
	if err != nil || len(leaf.AuthorityKeyId) == 0 {
		return due.Window{}
	}
	w, now := &c.windows, time.Now()
	w.mu.Lock()
	known, isKnown := w.known[id], now.Before(w.silent) || now.Before(w.until[id])
	w.mu.Unlock()
	if isKnown {
		return known
	}
	ctx, cancel := context.WithTimeout(ctx, windowTimeout)
	defer cancel()
	asked, until, err := c.askWindow(ctx, id)
	w.mu.Lock()
	defer w.mu.Unlock()
	if err == nil {
		w.known[id], w.until[id] = asked, until
	} else if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		w.silent = time.Now().Add(windowsPause)
	}
	return w.known[id]
}

// askWindow asks the CA once. The ACME client would ask a CA that answers
// nonsense three times, and refuses a window of one second, which some have for
// a certificate that was revoked.
func (c *CA) askWindow(ctx context.Context, id string) (w due.Window, until time.Time, err error) {
	dir, err := c.client.GetDirectory(ctx)
	if err != nil {
		return w, until, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, dir.RenewalInfo+"/"+id, nil)
	if err != nil {
		return w, until, err
	}
	req.Header.Set("User-Agent", c.client.UserAgent) // RFC 8555 section 6.1
	resp, err := c.client.HTTPClient.Do(req)         // fails if the CA has no renewal information
	if err != nil {
		return w, until, err
	}
	defer func() { _ = resp.Body.Close() }() // it was read
	var info acme.RenewalInfo
	err = json.NewDecoder(io.LimitReader(resp.Body, 64<<10)).Decode(&info)
	start, end := info.SuggestedWindow.Start, info.SuggestedWindow.End
	if err != nil || resp.StatusCode != http.StatusOK || !end.After(start) {
		return w, until, errors.Join(err, fmt.Errorf("HTTP %d, window from %s to %s", resp.StatusCode, start, end))
	}
	again := min(time.Until(parseRetryAfter(resp.Header)), 24*time.Hour) // negative: at the next look
	return due.Window{ID: id, Start: start, End: end}, time.Now().Add(again), nil
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
	if at, ok := req.Context().Value(retryAfterKey{}).(*time.Time); ok && err == nil {
		*at = time.Time{} // an earlier one has been heeded
		if resp.StatusCode == http.StatusTooManyRequests || resp.StatusCode == http.StatusServiceUnavailable {
			*at = parseRetryAfter(resp.Header)
		}
	}
	return resp, err
}

// parseRetryAfter reads a Retry-After in seconds or as a date (RFC 9110 section
// 10.2.3). It returns zero if there is none.
func parseRetryAfter(header http.Header) time.Time {
	text := header.Get("Retry-After")
	if seconds, err := strconv.ParseUint(text, 10, 31); err == nil {
		return time.Now().Add(time.Duration(seconds) * time.Second)
	}
	date, _ := http.ParseTime(text) // zero if it is no date
	return date
}
