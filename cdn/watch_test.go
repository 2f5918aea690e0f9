package cdn_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/url"
	"testing"
	"testing/synctest"

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
		s := newFixture(t, nil)
		s.api.Inject(cdntest.Fault{Status: 503, Code: "ServiceUnavailable", Header: http.Header{"Retry-After": {"3"}}})
		resp, err := s.client.CreateCdnCertificateSigningRequest(t.Context(), request)
		require.NoError(t, err)
		var records []map[string]any
		for line := range bytes.Lines(s.logged.Bytes()) {
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
				"number": 1.0, "status": 503.0, "code": "ServiceUnavailable", "request_id": s.attempts[0].RequestId, "duration": 0.0, "wait": 3e9,
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

func TestOnAttempt_IsToldInTheCallsGoroutineAndContext(t *testing.T) {
	type key struct{}
	api := &cdntest.API{Credentials: []signer.Credentials{testCreds}}
	var told []any
	client, err := cdn.NewClient(cdn.StaticCredentials(testCreds), &cdn.Options{
		HTTPClient: &http.Client{Transport: api},
		OnAttempt:  func(ctx context.Context, a cdn.Attempt) { told = append(told, ctx.Value(key{}), a.Number, a.Err) },
	})
	require.NoError(t, err)
	_, err = client.CreateCdnCertificateSigningRequest(context.WithValue(t.Context(), key{}, "span"), request)
	require.NoError(t, err)
	require.Equal(t, []any{"span", 1, nil}, told)
}
