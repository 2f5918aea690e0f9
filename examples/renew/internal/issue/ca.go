// Package issue gets certificates from an ACME CA (RFC 8555) and asks it when
// to renew them (RFC 9773). An order that a run has begun is continued by the
// next one, so that a run that is killed costs no certificate.
package issue

import (
	"context"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/mholt/acmez/v3/acme"

	"github.com/cdncsr/cdncsr/cdn"
	"github.com/cdncsr/cdncsr/examples/renew/internal/due"
	"github.com/cdncsr/cdncsr/examples/renew/internal/state"
)

// The longest that it waits for the CA.
const (
	RequestTimeout = 30 * time.Second // of one request to the CA
	OrderTimeout   = 15 * time.Minute // of one order, with its proofs
	cleanUpTimeout = 30 * time.Second // of the removal of all proofs of an order
)

// A CA orders certificates from an ACME server. It is safe for concurrent use,
// once its fields are set and Begin was called. All fields but EAB and Profile
// are required.
type CA struct {
	State     state.Folder // has the account's key
	EAB       *acme.EAB    // the external account; nil if the CA needs none
	Profile   string       // of the certificates; if empty, the CA chooses
	Challenge string       // the type that Solver solves: http-01 or dns-01
	Solver    Solver
	Creator   cdn.CSRCreator                   // asked once the names are validated, so that a failed order makes no key
	Logf      func(format string, args ...any) // prints what is not worth an error

	client  *acme.Client
	login   func() (acme.Account, error)
	windows windows
}

// New returns a CA, given the URL of its directory. If transport is nil,
// http.DefaultTransport is used.
func New(directory string, transport http.RoundTripper) *CA {
	if transport == nil {
		transport = http.DefaultTransport
	}
	return &CA{
		client:  newClient(directory, &http.Client{Timeout: RequestTimeout, Transport: retryAfter{transport}}),
		windows: windows{known: map[string]due.Window{}, until: map[string]time.Time{}},
	}
}

func newClient(directory string, hc *http.Client) *acme.Client {
	return &acme.Client{Directory: directory, HTTPClient: hc, UserAgent: "cdncsr-renew"}
}

// A Solver proves to the CA that a name is ours. It is acmez.Solver under
// another name, so that every implementation of that fits. It must be safe for
// concurrent use.
type Solver interface {
	Present(ctx context.Context, challenge acme.Challenge) error
	CleanUp(ctx context.Context, challenge acme.Challenge) error
}

// A Waiter is a Solver whose proofs take some time to be seen. It is
// acmez.Waiter.
type Waiter interface {
	Wait(ctx context.Context, challenge acme.Challenge) error
}

// Begin begins a pass over sites: its first order looks the account up, and all
// orders have that account, or its error.
func (c *CA) Begin(ctx context.Context) {
	c.client = newClient(c.client.Directory, c.client.HTTPClient) // the last one may keep half a directory
	c.login = sync.OnceValues(func() (acme.Account, error) {
		account, err := c.account(ctx)
		if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
			err = fmt.Errorf("%w; if the CA has a private root, set SSL_CERT_FILE to a file with it", err)
		}
		if err != nil {
			return acme.Account{}, fmt.Errorf("ACME account: %w", brief{err})
		}
		return account, nil
	})
}

// A brief is an error of a CA, whose answer may be a page of any length.
type brief struct{ error }

func (b brief) Unwrap() error { return b.error }

func (b brief) Error() string {
	const maxRunes = 500
	if text := []rune(b.error.Error()); len(text) > maxRunes {
		return string(text[:maxRunes]) + "…"
	}
	return b.error.Error()
}

// account returns the account that has the key of the state. The CA makes it if
// it does not know it.
func (c *CA) account(ctx context.Context) (account acme.Account, err error) {
	account.TermsOfServiceAgreed = true
	if account.PrivateKey, err = c.State.AccountKey(ctx); err != nil {
		return account, err
	}
	dir, err := c.client.GetDirectory(ctx)
	if err != nil {
		return account, err
	}
	var profiles map[string]string
	if dir.Meta != nil {
		profiles = dir.Meta.Profiles
	}
	if _, ok := profiles[c.Profile]; !ok && c.Profile != "" {
		return account, fmt.Errorf("the CA has no profile %q: want one of %q", c.Profile, slices.Sorted(maps.Keys(profiles)))
	}
	if c.EAB != nil {
		if err = account.SetExternalAccountBinding(ctx, c.client, *c.EAB); err != nil {
			return account, err
		}
	}
	return c.client.NewAccount(ctx, account)
}

// The directories of the CAs that have a name.
const (
	LetsEncrypt = "https://acme-v02.api.letsencrypt.org/directory"
	Staging     = "https://acme-staging-v02.api.letsencrypt.org/directory" // whose certificates no browser trusts
	ZeroSSL     = "https://acme.zerossl.com/v2/DV90"                       // which wants an external account
)

// IsStaging reports whether leaf says of itself that it is of Let's Encrypt's
// staging CA: the names of its issuers begin with (STAGING).
func IsStaging(leaf *x509.Certificate) bool {
	return slices.ContainsFunc(append(slices.Clip(leaf.Issuer.Organization), leaf.Issuer.CommonName), func(name string) bool {
		return strings.HasPrefix(name, "(STAGING)")
	})
}

// ParseCA returns the URL of the directory of a CA, which text names or is.
func ParseCA(text string) (directory string, err error) {
	switch text {
	case "letsencrypt":
		return LetsEncrypt, nil
	case "letsencrypt-staging":
		return Staging, nil
	case "zerossl":
		return ZeroSSL, nil
	}
	if u, err := url.Parse(text); err != nil || u.Scheme != "https" || u.Host == "" {
		return "", errors.New("want letsencrypt-staging, letsencrypt, zerossl, or an https:// URL")
	}
	return text, nil
}

// ReadEAB returns the external account with an ID, whose key in base64url is in
// a file. It returns nil without ID and file.
func ReadEAB(id, file string) (*acme.EAB, error) {
	if id == "" && file == "" {
		return nil, nil
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	text := strings.TrimRight(strings.TrimSpace(string(data)), "=")
	if key, err := base64.RawURLEncoding.DecodeString(text); err != nil || len(key) == 0 {
		return nil, fmt.Errorf("%s: want a key in base64url", file) // nothing of the key
	}
	return &acme.EAB{KeyID: id, MACKey: text}, nil
}
