package cdn_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/cdn"
	"github.com/cdncsr/cdncsr/cdn/cdntest"
	"github.com/cdncsr/cdncsr/csr"
	"github.com/cdncsr/cdncsr/signer"
)

// TestSecrets_ThatArePartOfACodeDoNotChangeItsKind has an AccessKeyID that stands in many codes.
func TestSecrets_ThatArePartOfACodeDoNotChangeItsKind(t *testing.T) {
	short := signer.Credentials{AccessKeyID: "id", AccessKeySecret: "secret"}
	for code, kind := range map[string]error{
		"InvalidAccessKeyId.NotFound": cdn.ErrDenied, "InvalidParameter": cdn.ErrInvalidRequest, "Forbidden.RAM": cdn.ErrDenied,
	} {
		api := &cdntest.API{Credentials: []signer.Credentials{short}}
		api.Inject(cdntest.Fault{Status: 500, Code: code})
		client, err := cdn.NewClient(cdn.StaticCredentials(short), &cdn.Options{HTTPClient: &http.Client{Transport: api}})
		require.NoError(t, err)
		_, err = client.CreateCdnCertificateSigningRequest(t.Context(), request)
		requireKind(t, err, kind)
	}
	synctest.Test(t, func(t *testing.T) {
		api := &cdntest.API{Credentials: []signer.Credentials{short}, Source: csr.P256}
		client, err := cdn.NewClient(cdn.StaticCredentials(short), &cdn.Options{
			Signer: skewed{signer.RPC{}, time.Hour}, HTTPClient: &http.Client{Transport: elsewhere(api, -time.Hour)},
		})
		require.NoError(t, err)
		_, err = client.CreateCdnCertificateSigningRequest(t.Context(), request)
		require.NoError(t, err, "the clock is corrected")
	})
}

// leaky is an error whose text holds nothing, and whose field does.
type leaky struct{ URL *url.URL }

func (leaky) Error() string { return "boom" }

func TestSecrets_InTheFieldsOfAForeignError(t *testing.T) {
	s := newFixture(t, &cdn.Options{
		Signer: signer.RPC{Method: "GET"}, MaxAttempts: 1,
		HTTPClient: &http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) { return nil, leaky{r.URL} })},
	})
	_, err := s.client.CreateCdnCertificateSigningRequest(t.Context(), request)
	require.ErrorContains(t, err, "boom")
	s.requireNoSecret(t, err)
}

func TestSecrets_OfBeforeARenewal(t *testing.T) {
	other := signer.Credentials{AccessKeyID: "other", AccessKeySecret: "other-secret", SecurityToken: "other-token"}
	api := &cdntest.API{Credentials: []signer.Credentials{testCreds, other}}
	api.Inject(cdntest.Fault{Code: "InvalidSecurityToken.Expired"}, cdntest.Fault{Code: "Forbidden", Message: "was " + testCreds.SecurityToken})
	client, err := cdn.NewClient(&rotating{next: []signer.Credentials{testCreds, other}}, &cdn.Options{HTTPClient: &http.Client{Transport: api}})
	require.NoError(t, err)
	_, err = client.CreateCdnCertificateSigningRequest(t.Context(), request)
	require.ErrorIs(t, err, cdn.ErrDenied)
	require.NotContains(t, printed(t, err), "hidden")
}

func TestSecrets_EchoedWithASuccess(t *testing.T) {
	s := newFixture(t, nil)
	s.api.Inject(body(200, "application/json", `{"Csr":"x","RequestId":"`+testCreds.SecurityToken+`"}`))
	_, err := s.client.CreateCdnCertificateSigningRequest(t.Context(), request)
	require.NoError(t, err)
	s.requireNoSecret(t, nil)
}

func TestSecrets_KeysOfTheFakeAreNotPrinted(t *testing.T) {
	api := &cdntest.API{Source: csr.Ed25519}
	key, err := csr.Ed25519.NewKey(t.Context())
	require.NoError(t, err)
	name, err := csr.PubMD5(key.Public())
	require.NoError(t, err)
	require.NoError(t, api.Keys.Put(t.Context(), name, key))
	private := fmt.Sprintf("%d", key)
	for _, verb := range []string{"%v", "%+v", "%d"} {
		require.NotContains(t, fmt.Sprintf(verb, api), private[1:len(private)-1])
	}
}

// TestOnAttempt_MayKeepTheError lets a goroutine of the observer's read an error after the call has gone on.
func TestOnAttempt_MayKeepTheError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := &cdntest.API{Credentials: []signer.Credentials{testCreds}}
		api.Inject(cdntest.Fault{Status: 500, Code: "InternalError"}, cdntest.Fault{Wait: time.Minute})
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		seen := make(chan int)
		client, err := cdn.NewClient(cdn.StaticCredentials(testCreds), &cdn.Options{
			HTTPClient: &http.Client{Transport: api},
			OnAttempt: func(_ context.Context, a cdn.Attempt) {
				var failed *cdn.Error
				if !errors.As(a.Err, &failed) {
					return
				}
				go func() {
					time.Sleep(10 * time.Second)
					seen <- failed.Attempts
				}()
			},
		})
		require.NoError(t, err)
		_, err = client.CreateCdnCertificateSigningRequest(ctx, request)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, 2, asError(t, err).Attempts)
		require.Equal(t, 1, <-seen, "it was changed after it was shown")
	})
}
