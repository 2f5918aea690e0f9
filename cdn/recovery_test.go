package cdn_test

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/cdn"
	"github.com/cdncsr/cdncsr/cdn/cdntest"
	"github.com/cdncsr/cdncsr/csr"
	"github.com/cdncsr/cdncsr/signer"
)

// skewed signs for another time than it is given, as a machine does whose
// clock is wrong.
type skewed struct {
	signer.Signer
	by time.Duration
}

func (s skewed) Sign(ctx context.Context, endpoint *url.URL, call signer.Call, in signer.Input) (*http.Request, error) {
	in.Time = in.Time.Add(s.by)
	return s.Signer.Sign(ctx, endpoint, call, in)
}

// elsewhere returns a transport to a fake whose clock is ahead. The fake lives
// in the client's bubble, so its answers are shifted instead.
func elsewhere(api *cdntest.API, ahead time.Duration) http.RoundTripper {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		resp, err := api.RoundTrip(r)
		if err == nil {
			resp.Header.Set("Date", time.Now().Add(ahead).UTC().Format(http.TimeFormat))
		}
		return resp, err
	})
}

func TestClock_IsCorrectedOnceAndKept(t *testing.T) {
	for _, wrong := range []time.Duration{-3 * time.Hour, 5 * time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			api := &cdntest.API{Credentials: []signer.Credentials{testCreds}, Source: csr.P256}
			// To the fake the client's clock is wrong; to the client the service's is, the other way.
			transport := elsewhere(api, -wrong)
			f := newFixture(t, &cdn.Options{Signer: skewed{signer.RPC{}, wrong}, HTTPClient: &http.Client{Transport: transport}})
			for _, sent := range []int{2, 3, 4} { // the first call takes two attempts, later ones one each
				_, err := f.client.CreateCdnCertificateSigningRequest(t.Context(), request)
				require.NoError(t, err)
				require.Len(t, f.attempts, sent)
			}
			require.Equal(t, "InvalidTimeStamp.Expired", f.attempts[0].Code)
			require.Zero(t, f.attempts[0].Wait)
		})
	}
}

func TestClock_OfConcurrentCallersIsCorrected(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := &cdntest.API{Credentials: []signer.Credentials{testCreds}, Source: csr.P256}
		client, err := cdn.NewClient(cdn.StaticCredentials(testCreds), &cdn.Options{
			Signer: skewed{signer.ACS3{}, time.Hour}, HTTPClient: &http.Client{Transport: elsewhere(api, -time.Hour)},
		})
		require.NoError(t, err)
		var group sync.WaitGroup
		for range 16 {
			group.Go(func() {
				_, err := client.CreateCdnCertificateSigningRequest(t.Context(), request)
				require.NoError(t, err)
			})
		}
		group.Wait()
	})
}

func TestClock_IsNotCorrectedWithoutReason(t *testing.T) {
	near := time.Now().Add(50 * time.Second).UTC().Format(http.TimeFormat)
	for name, fault := range map[string]cdntest.Fault{
		"no Date":                {Code: "InvalidTimeStamp.Expired", Header: http.Header{"Date": nil}},
		"an invalid Date":        {Code: "InvalidTimeStamp.Expired", Header: http.Header{"Date": {"yesterday"}}},
		"less than a minute off": {Code: "InvalidTimeStamp.Expired", Header: http.Header{"Date": {near}}},
		"another code":           {Code: "InvalidTimeStamp.Format", Header: http.Header{"Date": {"Sat, 01 Jan 2050 00:00:00 GMT"}}},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, nil)
			f.api.Inject(fault)
			_, err := f.client.CreateCdnCertificateSigningRequest(t.Context(), request)
			requireKind(t, err, cdn.ErrDenied)
			require.Len(t, f.attempts, 1)
		})
	}
}

// TestClock_IsLearntWithoutARetry has calls of one attempt each: the first is
// refused, and teaches the client what the others need.
func TestClock_IsLearntWithoutARetry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := &cdntest.API{Credentials: []signer.Credentials{testCreds}, Source: csr.P256}
		f := newFixture(t, &cdn.Options{
			Signer: skewed{signer.RPC{}, -3 * time.Hour}, HTTPClient: &http.Client{Transport: elsewhere(api, 3*time.Hour)}, MaxAttempts: 1,
		})
		_, err := f.client.CreateCdnCertificateSigningRequest(t.Context(), request)
		requireKind(t, err, cdn.ErrDenied)
		require.Equal(t, "InvalidTimeStamp.Expired", asError(t, err).Code)
		for range 3 {
			_, err := f.client.CreateCdnCertificateSigningRequest(t.Context(), request)
			require.NoError(t, err)
		}
		require.Len(t, f.attempts, 4)
	})
}

func TestClock_ThatStaysWrongIsDenied(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, nil)
		f.api.Inject(always(cdntest.Fault{Code: "InvalidTimeStamp.Expired", Header: http.Header{"Date": {"Sat, 01 Jan 2050 00:00:00 GMT"}}})...)
		_, err := f.client.CreateCdnCertificateSigningRequest(t.Context(), request)
		requireKind(t, err, cdn.ErrDenied)
		require.Len(t, f.attempts, 2)
		f.requireNoSecret(t, err)
	})
}

// rotating returns the next of its keys at each call, until it has none.
type rotating struct {
	mu   sync.Mutex
	next []signer.Credentials
}

func (r *rotating) Credentials(context.Context) (signer.Credentials, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.next) == 0 {
		return signer.Credentials{}, errors.New("no more")
	}
	given := r.next[0]
	r.next = r.next[1:]
	return given, nil
}

func TestToken_ExpiredIsRenewedOnce(t *testing.T) {
	other := signer.Credentials{AccessKeyID: "other", AccessKeySecret: "secret", SecurityToken: "token"}
	expired := cdntest.Fault{Code: "InvalidSecurityToken.Expired"}
	tests := map[string]struct {
		given  []signer.Credentials
		script []cdntest.Fault
		sent   int
		kinds  []error
	}{
		"others":           {[]signer.Credentials{testCreds, other}, []cdntest.Fault{expired}, 2, nil},
		"others, too late": {[]signer.Credentials{testCreds, other, testCreds}, []cdntest.Fault{expired, expired}, 2, []error{cdn.ErrDenied}},
		"the same":         {[]signer.Credentials{testCreds, testCreds}, []cdntest.Fault{expired}, 1, []error{cdn.ErrDenied}},
		"none":             {[]signer.Credentials{testCreds}, []cdntest.Fault{expired}, 1, []error{cdn.ErrDenied, cdn.ErrNoCredentials}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			api := &cdntest.API{Credentials: []signer.Credentials{testCreds, other}, Source: csr.P256}
			sent := 0
			api.OnRequest = func(cdntest.Request) { sent++ }
			api.Inject(test.script...)
			client, err := cdn.NewClient(&rotating{next: test.given}, &cdn.Options{HTTPClient: &http.Client{Transport: api}})
			require.NoError(t, err)
			_, err = client.CreateCdnCertificateSigningRequest(t.Context(), request)
			require.Equal(t, test.sent, sent)
			if test.kinds == nil {
				require.NoError(t, err)
			}
			for _, kind := range test.kinds {
				require.ErrorIs(t, err, kind)
			}
		})
	}
}

// caching is a source that returns the same credentials until the client says
// that they were refused.
type caching struct {
	mu        sync.Mutex
	cached    signer.Credentials
	fresh     signer.Credentials
	refreshes int
	err       error // of a refresh
}

func (c *caching) Credentials(context.Context) (signer.Credentials, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.cached, nil
}

func (c *caching) RefreshCredentials(_ context.Context, refused signer.Credentials) (signer.Credentials, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if refused == c.cached && c.err == nil {
		c.refreshes++
		c.cached = c.fresh
	}
	return c.cached, c.err
}

func TestToken_OfASourceThatCachesIsRenewed(t *testing.T) {
	fresh := signer.Credentials{AccessKeyID: "fresh", AccessKeySecret: "secret", SecurityToken: "token"}
	source := &caching{cached: testCreds, fresh: fresh}
	api := &cdntest.API{Credentials: []signer.Credentials{testCreds, fresh}, Source: csr.P256}
	api.Inject(cdntest.Fault{Code: "InvalidSecurityToken.Expired"})
	client, err := cdn.NewClient(source, &cdn.Options{HTTPClient: &http.Client{Transport: api}})
	require.NoError(t, err)
	for range 2 {
		_, err = client.CreateCdnCertificateSigningRequest(t.Context(), request)
		require.NoError(t, err)
	}
	require.Equal(t, 1, source.refreshes)
}

func TestToken_RenewalThatFailsSaysWhy(t *testing.T) {
	source := &caching{cached: testCreds, err: errors.New("no role; " + testCreds.SecurityToken)}
	api := &cdntest.API{Credentials: []signer.Credentials{testCreds}}
	api.Inject(cdntest.Fault{Code: "InvalidSecurityToken.Expired"})
	client, err := cdn.NewClient(source, &cdn.Options{HTTPClient: &http.Client{Transport: api}})
	require.NoError(t, err)
	_, err = client.CreateCdnCertificateSigningRequest(t.Context(), request)
	require.ErrorIs(t, err, cdn.ErrDenied)
	require.ErrorContains(t, err, "no role")
	require.NotContains(t, printed(t, err), "hidden")
}

// A source that can't refresh has nothing new to say without another attempt.
func TestToken_PlainSourceIsNotAskedAgainWithoutAnAttemptLeft(t *testing.T) {
	asked := 0
	source := cdn.CredentialFunc(func(context.Context) (signer.Credentials, error) { asked++; return testCreds, nil })
	api := &cdntest.API{Credentials: []signer.Credentials{testCreds}}
	api.Inject(cdntest.Fault{Code: "InvalidSecurityToken.Expired"})
	client, err := cdn.NewClient(source, &cdn.Options{HTTPClient: &http.Client{Transport: api}, MaxAttempts: 1})
	require.NoError(t, err)
	_, err = client.CreateCdnCertificateSigningRequest(t.Context(), request)
	requireKind(t, err, cdn.ErrDenied)
	require.Equal(t, 1, asked)
}

func TestNonce_UsedIsSignedAnewAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, nil)
		f.api.Inject(cdntest.Fault{Code: "SignatureNonceUsed"})
		_, err := f.client.CreateCdnCertificateSigningRequest(t.Context(), request)
		require.NoError(t, err)
		require.Len(t, f.attempts, 2)
		require.Zero(t, f.attempts[0].Wait)
		require.NotEqual(t, f.signatures[0], f.signatures[1])

		f.api.Inject(always(cdntest.Fault{Code: "SignatureNonceUsed"})...)
		_, err = f.client.CreateCdnCertificateSigningRequest(t.Context(), request)
		requireKind(t, err, cdn.ErrDenied)
		require.Equal(t, 4, asError(t, err).Attempts)
	})
}

func TestSignature_RefusedIsDiagnosed(t *testing.T) {
	change := func(how func(*http.Request)) http.RoundTripper {
		api := &cdntest.API{Credentials: []signer.Credentials{testCreds}, Source: csr.P256}
		return roundTripper(func(r *http.Request) (*http.Response, error) {
			r = r.Clone(r.Context())
			how(r)
			return api.RoundTrip(r)
		})
	}
	query := func(name, value string) func(*http.Request) {
		return func(r *http.Request) {
			q := r.URL.Query()
			q.Set(name, value)
			r.URL.RawQuery = q.Encode()
		}
	}
	tests := map[string]struct {
		signer    signer.Signer
		transport http.RoundTripper
		says      []string
	}{
		"a parameter":       {signer.RPC{Method: "GET"}, change(query("CommonName", "evil.example.com")), []string{"differs", "in CommonName"}},
		"a parameter added": {signer.RPC{Method: "GET"}, change(query("City", "x")), []string{"differs", "a parameter that was added"}},
		"by a pointer":      {&signer.RPC{Method: "GET"}, change(query("CommonName", "evil.example.com")), []string{"differs", "in CommonName"}},
		"two more":          {signer.RPC{Method: "GET"}, change(func(r *http.Request) { r.URL.RawQuery += "&Zone=x&Zzz=y" }), []string{"in a parameter that was added ("}},
		"a last parameter":  {signer.RPC{Method: "GET"}, change(query("Zone", "x")), []string{"differs", "a parameter that was added"}},
		"the method":        {signer.RPC{Method: "GET"}, change(func(r *http.Request) { r.Method = "POST" }), []string{"differs", "the method"}},
		"a header":          {signer.ACS3{}, change(func(r *http.Request) { r.Host = "proxy" }), []string{"differs from what was signed ("}},
		"one that embeds":   {regional{}, change(func(*http.Request) {}), []string{"another signature"}},
		"a caller's signer": {skewed{signer.RPC{}, 0}, change(func(r *http.Request) { r.Method = "GET" }), []string{"another signature"}},
	}
	for name, s := range signers { // to a fake that knows another secret
		api := &cdntest.API{Credentials: []signer.Credentials{{AccessKeyID: testCreds.AccessKeyID, AccessKeySecret: "other", SecurityToken: testCreds.SecurityToken}}}
		tests["wrong secret, "+name] = struct {
			signer    signer.Signer
			transport http.RoundTripper
			says      []string
		}{s, api, []string{"not of this AccessKeySecret", "check the AccessKeySecret"}}
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, &cdn.Options{Signer: test.signer, HTTPClient: &http.Client{Transport: test.transport}})
			_, err := f.client.CreateCdnCertificateSigningRequest(t.Context(), request)
			requireKind(t, err, cdn.ErrDenied)
			for _, text := range test.says {
				require.ErrorContains(t, err, text)
			}
			require.NotContains(t, printed(t, err), "evil", "a value")
			require.NotContains(t, printed(t, err), "string to sign", "the echo")
			f.requireNoSecret(t, err)
		})
	}
}

// TestSignature_RefusedWithoutAnEcho has messages that say nothing about the
// string that was signed, or what can't be read.
func TestSignature_RefusedWithoutAnEcho(t *testing.T) {
	for message, want := range map[string]string{
		"The signature is wrong.":                                 "SignatureDoesNotMatch: The signature is wrong. (",
		"server string to sign is:":                               "what the service received differs from what was signed (",
		"server string to sign is:POST&%2F":                       "what the service received differs from what was signed (",
		"server string to sign is:POST&%2F&%zz":                   "what the service received differs from what was signed (",
		"server string to sign is:POST&%2F&A%3D%25zz":             "what the service received differs from what was signed (",
		"server string to sign is:POST&%2F&" + "Action%3DEvil%26": "differs from what was signed in ",
	} {
		f := newFixture(t, nil)
		f.api.Inject(cdntest.Fault{Status: 400, Code: "SignatureDoesNotMatch", Message: message})
		_, err := f.client.CreateCdnCertificateSigningRequest(t.Context(), request)
		requireKind(t, err, cdn.ErrDenied)
		require.ErrorContains(t, err, want)
		require.NotContains(t, err.Error(), "Evil")
	}
}

// regional is a caller's signer that signs more than what it embeds shows, with
// another secret than the fake's.
type regional struct{ signer.RPC }

// SignedString returns nothing, since that of RPC is not what regional signs.
func (regional) SignedString(*url.URL, signer.Call, signer.Input) string { return "" }

func (regional) Sign(ctx context.Context, endpoint *url.URL, call signer.Call, in signer.Input) (*http.Request, error) {
	call.Params = maps.Clone(call.Params)
	call.Params["RegionId"] = "cn-hangzhou"
	in.Credentials.AccessKeySecret = "other"
	return signer.RPC{}.Sign(ctx, endpoint, call, in)
}
