package cdn_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/cdn"
	"github.com/cdncsr/cdncsr/cdn/cdntest"
	"github.com/cdncsr/cdncsr/signer"
)

// signFunc is a signer that makes no request.
type signFunc struct{ err error }

func (s signFunc) Sign(context.Context, *url.URL, signer.Call, signer.Input) (*http.Request, error) {
	return nil, s.err
}

func TestLogger_OneRecordAnAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, nil)
		f.api.Inject(cdntest.Fault{Status: 503, Code: "ServiceUnavailable", Header: http.Header{"Retry-After": {"3"}}})
		resp, err := f.client.CreateCdnCertificateSigningRequest(t.Context(), request)
		require.NoError(t, err)
		var records []map[string]any
		for line := range bytes.Lines(f.logged.Bytes()) {
			var record map[string]any
			require.NoError(t, json.Unmarshal(line, &record))
			require.Equal(t, "DEBUG", record["level"])
			delete(record, "time")
			delete(record, "error")
			records = append(records, record)
		}
		require.Equal(t, []map[string]any{
			{
				"level": "DEBUG", "msg": "cdn: attempt", "action": "CreateCdnCertificateSigningRequest", "host": "cdn.aliyuncs.com",
				"number": 1.0, "status": 503.0, "code": "ServiceUnavailable", "request_id": f.attempts[0].RequestId, "duration": 0.0, "wait": 3e9,
			},
			{
				"level": "DEBUG", "msg": "cdn: attempt", "action": "CreateCdnCertificateSigningRequest", "host": "cdn.aliyuncs.com",
				"number": 2.0, "status": 200.0, "code": "", "request_id": resp.RequestId, "duration": 0.0, "wait": 0.0,
			},
		}, records)
	})
}

func TestLogger_NothingAboveDebug(t *testing.T) {
	var logged bytes.Buffer
	api := &cdntest.API{Credentials: []signer.Credentials{testCreds}}
	client, err := cdn.NewClient(cdn.StaticCredentials(testCreds), &cdn.Options{
		HTTPClient: &http.Client{Transport: api}, Logger: slog.New(slog.NewTextHandler(&logged, nil)), MaxAttempts: 1,
	})
	require.NoError(t, err)
	api.Inject(cdntest.Fault{Status: 500})
	_, err = client.CreateCdnCertificateSigningRequest(t.Context(), request)
	require.Error(t, err)
	require.Empty(t, logged.String(), "an error is returned or logged, never both")
}

func TestOnAttempt_IsCalledWithTheCallsContext(t *testing.T) {
	type key struct{}
	api := &cdntest.API{Credentials: []signer.Credentials{testCreds}}
	var got []any
	client, err := cdn.NewClient(cdn.StaticCredentials(testCreds), &cdn.Options{
		HTTPClient: &http.Client{Transport: api},
		OnAttempt:  func(ctx context.Context, a cdn.Attempt) { got = append(got, ctx.Value(key{}), a.Number, a.Err) },
	})
	require.NoError(t, err)
	_, err = client.CreateCdnCertificateSigningRequest(context.WithValue(t.Context(), key{}, "span"), request)
	require.NoError(t, err)
	require.Equal(t, []any{"span", 1, nil}, got)
}

// TestAttempt_AsALogValue logs an attempt as a program would: as an attribute,
// whose group has every key once.
func TestAttempt_AsALogValue(t *testing.T) {
	var logged bytes.Buffer
	attempt := cdn.Attempt{Action: "A", Host: "h:1", Number: 2, Duration: time.Second, StatusCode: 503, Code: "C", RequestId: "R", Err: errors.New("e")}
	slog.New(slog.NewTextHandler(&logged, nil)).Info("x", "attempt", attempt)
	_, text, _ := strings.Cut(logged.String(), "msg=x ")
	require.Equal(t, "attempt.action=A attempt.host=h:1 attempt.number=2 attempt.status=503 attempt.code=C attempt.request_id=R "+
		"attempt.duration=1s attempt.wait=0s attempt.error=e\n", text)
}

// TestOnAttempt_MayKeepTheError reads an error after the call has gone on.
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
