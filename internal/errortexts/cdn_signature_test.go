package errortexts

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/cdn"
	"github.com/cdncsr/cdncsr/cdn/cdntest"
	"github.com/cdncsr/cdncsr/csr"
	"github.com/cdncsr/cdncsr/signer"
)

// A brokenSigner fails, or gives no request without an error.
type brokenSigner struct{ err error }

func (s brokenSigner) Sign(context.Context, *url.URL, signer.Call, signer.Input) (*http.Request, error) {
	return nil, s.err
}

// signatureTexts are the errors of signing and of signatures that are refused; and those from which secrets were taken out.
func signatureTexts(*testing.T) []provocation {
	signedBy := func(err error) func(*testing.T) error {
		return func(t *testing.T) error {
			return call(t.Context(), newClient(t, &cdn.Options{MaxAttempts: 1, Signer: brokenSigner{err}}))
		}
	}
	answered := func(code, message string) func(*testing.T) error {
		return func(t *testing.T) error {
			return call(t.Context(), newClient(t, nil, cdntest.Fault{Code: code, Message: message}))
		}
	}
	tampered := func(s signer.Signer, change func(r *http.Request, params *string)) func(*testing.T) error {
		return func(t *testing.T) error { return callThroughProxy(t, s, hiddenKey, change) }
	}
	return []provocation{
		{"a signer that gives nothing", signedBy(nil)},
		{"a signer that fails", signedBy(errors.New("kms: hidden-secret is no key"))},
		{"a wrong secret", func(t *testing.T) error {
			other := hiddenKey
			other.AccessKeySecret = "hidden-other"
			return callThroughProxy(t, signer.RPC{}, other, func(*http.Request, *string) {})
		}},
		{"a signature refused without a reason", answered("SignatureDoesNotMatch", "Specified signature is not matched.")},
		{"a parameter changed on the way", tampered(signer.RPC{}, func(_ *http.Request, params *string) {
			*params = strings.Replace(*params, "example.com", "example.org", 1)
		})},
		{"a parameter added on the way", tampered(signer.RPC{}, func(_ *http.Request, params *string) { *params += "&utm=1" })},
		{"a call of a signer of one's own changed on the way", tampered(ownSigner{signer.RPC{}}, func(_ *http.Request, params *string) { *params += "&utm=1" })},
		{"a method changed on the way", tampered(signer.RPC{}, func(r *http.Request, _ *string) { r.Method = http.MethodGet })},
		{"a call with headers changed on the way", tampered(signer.ACS3{}, func(r *http.Request, params *string) {
			*params += "&utm=1"
		})},
		{"a message with a secret", answered("InternalError", "The key hidden-id has the secret hidden-secret.")},
		{"a message with a secret in disguise", answered("InternalError", "The secret is hidden%2Dsecret.")},
	}
}

// callThroughProxy calls a fake CDN that knows creds through something that changes requests: their parameters, which RPC
// sends in the body and ACS3 in the query.
func callThroughProxy(t *testing.T, s signer.Signer, creds signer.Credentials, change func(r *http.Request, params *string)) error {
	t.Helper()
	api := &cdntest.API{Credentials: []signer.Credentials{creds}, Source: csr.P256}
	proxy := transport(func(r *http.Request) (*http.Response, error) {
		r = r.Clone(r.Context())
		params := &r.URL.RawQuery
		if r.Body != nil {
			body, err := io.ReadAll(r.Body)
			require.NoError(t, err)
			text := string(body)
			params = &text
		}
		change(r, params)
		if r.Body != nil {
			r.Body = io.NopCloser(strings.NewReader(*params))
		}
		return api.RoundTrip(r)
	})
	return call(t.Context(), newClient(t, &cdn.Options{MaxAttempts: 1, Signer: s, HTTPClient: &http.Client{Transport: proxy}}))
}

// ownSigner is a signer that the library does not know.
type ownSigner struct{ signer.Signer }
