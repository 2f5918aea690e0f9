package cdn_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/cdn"
	"github.com/cdncsr/cdncsr/cdn/cdntest"
	"github.com/cdncsr/cdncsr/csr"
	"github.com/cdncsr/cdncsr/signer"
)

func TestFallback_OnlyIfTheServiceCouldNotServe(t *testing.T) {
	tests := map[string]struct {
		err  error
		want bool
	}{
		"unavailable":       {&cdn.Error{StatusCode: 500, Code: "InternalError"}, true},
		"no answer":         {&cdn.Error{}, true},
		"throttled":         {&cdn.Error{Code: "Throttling"}, true},
		"wrapped":           {fmt.Errorf("own: %w", cdn.ErrUnavailable), true},
		"denied":            {&cdn.Error{StatusCode: 403, Code: "Forbidden"}, false},
		"invalid":           {csr.FieldErrors{{Field: "CommonName"}}, false},
		"no credentials":    {cdn.ErrNoCredentials, false},
		"no way to get any": {errors.Join(cdn.ErrNoCredentials, cdn.ErrUnavailable), false},
		"unknown":           {errors.New("unknown"), false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var got []error
			f := cdn.Fallback{
				Primary: failing(test.err), Secondary: localCreator(),
				OnFallback: func(_ context.Context, err error) { got = append(got, err) },
			}
			resp, err := f.CreateCdnCertificateSigningRequest(t.Context(), request)
			if !test.want {
				require.Equal(t, test.err, err)
				require.Empty(t, got)
				return
			}
			require.NoError(t, err)
			require.Equal(t, csr.OriginLocal, resp.Origin)
			require.Equal(t, []error{test.err}, got)
		})
	}
}

func TestFallback_NotWhenPrimaryAnswers(t *testing.T) {
	s := newFixture(t, nil)
	f := cdn.Fallback{Primary: s.client, Secondary: failing(errors.New("called"))}
	resp, err := f.CreateCdnCertificateSigningRequest(t.Context(), request)
	require.NoError(t, err)
	require.Equal(t, csr.OriginCDN, resp.Origin)
}

func TestFallback_NotWhenTheCallersContextHasEnded(t *testing.T) {
	for name, when := range map[string]func(error) bool{"nil": nil, "always": func(error) bool { return true }} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			f := cdn.Fallback{
				Primary: creator(func(context.Context, *csr.Request) (*csr.Response, error) {
					cancel()
					return nil, cdn.ErrUnavailable
				}),
				Secondary: failing(errors.New("called")), When: when,
			}
			_, err := f.CreateCdnCertificateSigningRequest(ctx, request)
			require.Equal(t, cdn.ErrUnavailable, err)
		})
	}
}

func TestFallback_WhenDecides(t *testing.T) {
	own := errors.New("own")
	f := cdn.Fallback{Primary: failing(own), Secondary: localCreator(), When: func(err error) bool { return errors.Is(err, own) }}
	_, err := f.CreateCdnCertificateSigningRequest(t.Context(), request)
	require.NoError(t, err)
}

func TestFallback_PrimarysCauseIsKept(t *testing.T) {
	f := cdn.Fallback{Primary: failing(fmt.Errorf("%w: %w", cdn.ErrUnavailable, syscall.ECONNREFUSED)), Secondary: failing(errors.New("disk full"))}
	_, err := f.CreateCdnCertificateSigningRequest(t.Context(), request)
	requireKind(t, err, nil)
	require.ErrorIs(t, err, syscall.ECONNREFUSED)
}

func TestFallback_BothErrorsAreKept(t *testing.T) {
	second := errors.New("disk full")
	f := cdn.Fallback{Primary: failing(&cdn.Error{Code: "Throttling"}), Secondary: failing(second)}
	_, err := f.CreateCdnCertificateSigningRequest(t.Context(), request)
	require.ErrorIs(t, err, second)
	require.NotErrorIs(t, err, cdn.ErrThrottled, "Secondary decides the kind")
	requireKind(t, err, nil)
	require.Equal(t, "Throttling", asError(t, err).Code)
}

// TestFallback_SecondaryDecidesTheKind has both fail, in every combination.
func TestFallback_SecondaryDecidesTheKind(t *testing.T) {
	kinds := []error{cdn.ErrUnavailable, cdn.ErrThrottled, cdn.ErrDenied, cdn.ErrInvalidRequest, cdn.ErrNoCredentials}
	for _, primary := range []error{&cdn.Error{StatusCode: 503}, &cdn.Error{Code: "Throttling"}} {
		for _, secondary := range append(kinds, nil) {
			f := cdn.Fallback{Primary: failing(primary), Secondary: failing(errors.Join(fs.ErrPermission, secondary))}
			_, err := f.CreateCdnCertificateSigningRequest(t.Context(), request)
			requireKind(t, err, secondary)
			require.ErrorIs(t, err, fs.ErrPermission)
			require.ErrorContains(t, err, primary.Error())
			require.Equal(t, primary, error(asError(t, err)))
			require.NotErrorIs(t, err, fs.ErrExist)
		}
	}
}

func TestFallback_RefusesInvalidFields(t *testing.T) {
	for name, f := range map[string]*cdn.Fallback{
		"Primary":          {Secondary: localCreator()},
		"Primary is nil":   {Primary: (*cdn.Client)(nil), Secondary: localCreator()},
		"Secondary":        {Primary: localCreator()},
		"Secondary is nil": {Primary: localCreator(), Secondary: creator(nil)},
		"PrimaryTimeout":   {Primary: localCreator(), Secondary: localCreator(), PrimaryTimeout: -1},
	} {
		_, err := f.CreateCdnCertificateSigningRequest(t.Context(), request)
		require.ErrorContains(t, err, name)
	}
}

func TestFallback_PrimaryThatSwallowsPacketsGetsItsShare(t *testing.T) {
	tests := map[string]struct {
		deadline, timeout, share time.Duration
	}{
		"half of the deadline":     {8 * time.Second, 0, 4 * time.Second},
		"as set":                   {8 * time.Second, time.Second, time.Second},
		"as set, without deadline": {0, 3 * time.Second, 3 * time.Second},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newFixture(t, nil)
				s.api.Inject(always(cdntest.Fault{Wait: time.Hour})...)
				var got error
				f := cdn.Fallback{
					Primary: s.client, Secondary: localCreator(), PrimaryTimeout: test.timeout,
					OnFallback: func(_ context.Context, err error) { got = err },
				}
				ctx := t.Context()
				if test.deadline > 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, test.deadline)
					defer cancel()
				}
				start := time.Now()
				resp, err := f.CreateCdnCertificateSigningRequest(ctx, request)
				require.NoError(t, err)
				require.Equal(t, csr.OriginLocal, resp.Origin)
				require.Equal(t, test.share, time.Since(start))
				require.ErrorIs(t, got, cdn.ErrUnavailable)
			})
		})
	}
}

func TestFallback_PrimaryMayReturnTheCause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := cdn.Fallback{
			Primary: creator(func(ctx context.Context, _ *csr.Request) (*csr.Response, error) {
				<-ctx.Done()
				return nil, context.Cause(ctx) // as net/http does
			}),
			Secondary: localCreator(), PrimaryTimeout: time.Second,
		}
		resp, err := f.CreateCdnCertificateSigningRequest(t.Context(), request)
		require.NoError(t, err)
		require.Equal(t, csr.OriginLocal, resp.Origin)
	})
}

func TestFallback_NotWhenPrimaryRefusedAsItsTimeRanOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := &cdntest.API{Credentials: []signer.Credentials{testCreds}}
		api.Inject(cdntest.Fault{Status: 403, Code: "Forbidden.RAM"})
		client, err := cdn.NewClient(cdn.StaticCredentials(testCreds), &cdn.Options{
			HTTPClient: &http.Client{Transport: api},
			OnAttempt:  func(context.Context, cdn.Attempt) { time.Sleep(2 * time.Second) },
		})
		require.NoError(t, err)
		f := cdn.Fallback{Primary: client, Secondary: failing(errors.New("called")), PrimaryTimeout: time.Second}
		_, err = f.CreateCdnCertificateSigningRequest(t.Context(), request)
		requireKind(t, err, cdn.ErrDenied)
	})
}

// TestFallback_BothGetTheSameRequest has a request that the two places would
// read in different ways.
func TestFallback_BothGetTheSameRequest(t *testing.T) {
	odd := &csr.Request{CommonName: "Bücher.EXAMPLE", SANs: []string{"bücher.example", "WWW.example.com"}}
	var got []*csr.Request
	keep := func(err error) creator {
		return func(_ context.Context, req *csr.Request) (*csr.Response, error) {
			got = append(got, req)
			return &csr.Response{}, err
		}
	}
	f := cdn.Fallback{Primary: keep(cdn.ErrUnavailable), Secondary: keep(nil)}
	_, err := f.CreateCdnCertificateSigningRequest(t.Context(), odd)
	require.NoError(t, err)
	want, err := odd.Normalize()
	require.NoError(t, err)
	require.Equal(t, []*csr.Request{want, want}, got)
	require.Equal(t, "Bücher.EXAMPLE", odd.CommonName, "the caller's request is not changed")

	_, err = f.CreateCdnCertificateSigningRequest(t.Context(), &csr.Request{CommonName: "not a name"})
	requireKind(t, err, cdn.ErrInvalidRequest)
	require.Len(t, got, 2, "neither is asked")
}

// TestFallback_ForCredentialsThatCannotBeFetched has a source whose
// cache has run out while the network is down.
func TestFallback_ForCredentialsThatCannotBeFetched(t *testing.T) {
	for name, test := range map[string]struct {
		err  error
		want bool
	}{
		"unreachable": {&url.Error{Op: "Get", URL: "http://100.100.100.200/", Err: syscall.ENETUNREACH}, true},
		"missing":     {errors.New("no role"), false},
	} {
		t.Run(name, func(t *testing.T) {
			source := cdn.CredentialFunc(func(context.Context) (signer.Credentials, error) { return signer.Credentials{}, test.err })
			client, err := cdn.NewClient(source, &cdn.Options{HTTPClient: &http.Client{Transport: noTransport(t)}})
			require.NoError(t, err)
			f := cdn.Fallback{Primary: client, Secondary: localCreator()}
			resp, err := f.CreateCdnCertificateSigningRequest(t.Context(), request)
			if !test.want {
				requireKind(t, err, cdn.ErrNoCredentials)
				return
			}
			require.NoError(t, err)
			require.Equal(t, csr.OriginLocal, resp.Origin)
		})
	}
}

// TestFallback_NotForADeadlineOfPrimarysOwn has a Primary whose time is not up.
func TestFallback_NotForADeadlineOfPrimarysOwn(t *testing.T) {
	f := cdn.Fallback{Primary: failing(context.DeadlineExceeded), Secondary: failing(errors.New("called"))}
	_, err := f.CreateCdnCertificateSigningRequest(t.Context(), request)
	require.Equal(t, context.DeadlineExceeded, err)
}

// TestFallback_TakesALateAnswer has a Primary that answers after its time.
func TestFallback_TakesALateAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		late := creator(func(context.Context, *csr.Request) (*csr.Response, error) {
			time.Sleep(time.Minute)
			return &csr.Response{Csr: "late"}, nil
		})
		f := cdn.Fallback{Primary: late, Secondary: failing(errors.New("called")), PrimaryTimeout: time.Second}
		resp, err := f.CreateCdnCertificateSigningRequest(t.Context(), request)
		require.NoError(t, err)
		require.Equal(t, "late", resp.Csr)
	})
}

func TestFallback_WithoutADeadlinePrimaryHas15Seconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newFixture(t, nil)
		s.api.Inject(always(cdntest.Fault{Wait: time.Hour})...)
		f := cdn.Fallback{Primary: s.client, Secondary: localCreator()}
		start := time.Now()
		resp, err := f.CreateCdnCertificateSigningRequest(t.Context(), request)
		require.NoError(t, err)
		require.Equal(t, csr.OriginLocal, resp.Origin)
		require.Equal(t, 15*time.Second, time.Since(start))
	})
}

func TestFallback_ForACredentialSourceThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, err := cdn.NewClient(cdn.CredentialFunc(func(ctx context.Context) (signer.Credentials, error) {
			<-ctx.Done()
			return signer.Credentials{}, ctx.Err()
		}), nil)
		require.NoError(t, err)
		f := cdn.Fallback{Primary: client, Secondary: localCreator(), PrimaryTimeout: time.Second}
		resp, err := f.CreateCdnCertificateSigningRequest(t.Context(), request)
		require.NoError(t, err)
		require.Equal(t, csr.OriginLocal, resp.Origin)
	})
}
