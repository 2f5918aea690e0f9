package cdntest_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/cdn/cdntest"
	"github.com/cdncsr/cdncsr/signer"
)

// roundTrippers are the API without a socket and over loopback.
func roundTrippers(t *testing.T, api *cdntest.API) map[string]http.RoundTripper {
	t.Helper()
	srv := httptest.NewServer(api)
	t.Cleanup(srv.Close)
	return map[string]http.RoundTripper{
		"RoundTripper": api,
		"loopback": &http.Transport{
			DisableKeepAlives: true, // a cut connection that was kept is tried again by net/http itself
			Proxy:             func(*http.Request) (*url.URL, error) { return url.Parse(srv.URL) },
		},
	}
}

func TestInject_FaultsInTheirOrderThenAnswers(t *testing.T) {
	tests := map[string]struct {
		fault  cdntest.Fault
		status int
		body   string // part of it
	}{
		"code":            {cdntest.Fault{Code: "Throttling.User", Message: "Slow down."}, 400, `"Code":"Throttling.User"`},
		"code and status": {cdntest.Fault{Status: 503, Code: "ServiceUnavailable"}, 503, `"Code":"ServiceUnavailable"`},
		"status":          {cdntest.Fault{Status: 502}, 502, ""},
		"body":            {cdntest.Fault{Body: []byte("<html>")}, 200, "<html>"},
		"body and status": {cdntest.Fault{Status: 418, Body: []byte("tea")}, 418, "tea"},
		"lower case":      {cdntest.Fault{Body: []byte("ab"), Header: http.Header{"content-length": {"2"}}}, 200, "ab"},
		"header":          {cdntest.Fault{Header: http.Header{"Retry-After": {"7"}}}, 200, "BEGIN CERTIFICATE REQUEST"},
		"nothing":         {cdntest.Fault{}, 200, "BEGIN CERTIFICATE REQUEST"},
	}
	for name, test := range tests {
		api := newAPI()
		for way, transport := range roundTrippers(t, api) {
			t.Run(name+" "+way, func(t *testing.T) {
				api.Inject(test.fault)
				for i, want := range []int{test.status, 200} {
					params := rpcParams()
					params.Set("SignatureNonce", "nonce-"+way+string(rune('0'+i)))
					resp, err := transport.RoundTrip(rpcRequest(t, "POST", "form", params, secret))
					require.NoError(t, err)
					body, err := io.ReadAll(resp.Body)
					require.NoError(t, err)
					require.NoError(t, resp.Body.Close())
					assert.Equal(t, want, resp.StatusCode)
					if i == 0 {
						assert.Contains(t, string(body), test.body)
						assert.Equal(t, test.fault.Header["Retry-After"], resp.Header["Retry-After"])
					}
				}
			})
		}
	}
}

func TestInject_CutsTheConnection(t *testing.T) {
	api := newAPI()
	for way, transport := range roundTrippers(t, api) {
		t.Run(way, func(t *testing.T) {
			api.Inject(cdntest.Fault{Drop: cdntest.DropRequest}, cdntest.Fault{Drop: cdntest.DropBody})
			params := rpcParams()
			params.Set("SignatureNonce", way+"1")
			_, err := transport.RoundTrip(rpcRequest(t, "POST", "form", params, secret))
			require.Error(t, err)

			params = rpcParams()
			params.Set("SignatureNonce", way+"2")
			resp, err := transport.RoundTrip(rpcRequest(t, "POST", "form", params, secret))
			require.NoError(t, err)
			body, err := io.ReadAll(resp.Body)
			require.ErrorIs(t, err, io.ErrUnexpectedEOF)
			require.NotEmpty(t, body)
			require.NoError(t, resp.Body.Close())
		})
	}
}

func named(commonName string) func(map[string]string) bool {
	return func(params map[string]string) bool { return params["CommonName"] == commonName }
}

func TestInject_Match(t *testing.T) {
	api := newAPI()
	api.Inject(cdntest.Fault{Match: named("other.example.com"), Code: "X"},
		cdntest.Fault{Match: named("example.com"), Code: "Y"})
	_, e := ask(t, api, rpcRequest(t, "POST", "form", rpcParams(), secret))
	assert.Equal(t, "Y", e.Code)
}

func TestInject_InvalidContentLength(t *testing.T) {
	api := newAPI()
	api.Inject(cdntest.Fault{Header: http.Header{"Content-Length": {"many"}}})
	resp, err := api.RoundTrip(rpcRequest(t, "POST", "form", rpcParams(), secret))
	require.NoError(t, err)
	assert.EqualValues(t, -1, resp.ContentLength)
	assert.Contains(t, readAll(t, resp), "BEGIN CERTIFICATE REQUEST")
}

func TestInject_Action(t *testing.T) {
	api := newAPI()
	api.Inject(cdntest.Fault{Action: "DescribeDomainCertificateInfo", Code: "X"})
	status, _ := ask(t, api, rpcRequest(t, "POST", "form", rpcParams(), secret))
	assert.Equal(t, http.StatusOK, status)
	assert.Equal(t, "X", call(t, api, "DescribeDomainCertificateInfo", params{"DomainName": "example.com"}).Code)
	assert.Equal(t, "InvalidDomain.NotFound",
		call(t, api, "DescribeDomainCertificateInfo", params{"DomainName": "example.com"}).Code)
}

func TestInject_MatchSeesNoSecretAndChangesNothing(t *testing.T) {
	api := withDomains()
	text, key := newAuthority(t).issue(t, "example.com")
	api.Inject(cdntest.Fault{Code: "X", Match: func(p map[string]string) bool {
		assert.Equal(t, "[redacted]", p["SSLPri"])
		p["DomainName"] = "example.org"
		return false
	}})
	upload(t, api, "example.com", text, key)
	assert.NotNil(t, api.Certificate("example.com"))
}

// TestInject_BeforeOrAfterTheWork has the client give up from within OnRequest,
// which is called after the work and before the Wait.
func TestInject_BeforeOrAfterTheWork(t *testing.T) {
	text, key := newAuthority(t).issue(t, "example.com")
	tests := map[string]struct {
		fault      cdntest.Fault
		wantStored int
		wantStatus int // of Request
		wantCode   string
	}{
		"request lost":           {cdntest.Fault{Drop: cdntest.DropRequest}, 0, 0, ""},
		"request lost slowly":    {cdntest.Fault{Wait: time.Hour, Drop: cdntest.DropRequest}, 0, 0, ""},
		"answer lost":            {cdntest.Fault{Drop: cdntest.DropConnection}, 1, 200, ""},
		"answer cut":             {cdntest.Fault{Drop: cdntest.DropBody}, 1, 200, ""},
		"answer late":            {cdntest.Fault{Wait: time.Hour}, 1, 200, ""},
		"answer late, then lost": {cdntest.Fault{Wait: time.Hour, Drop: cdntest.DropConnection}, 1, 200, ""},
		"error instead":          {cdntest.Fault{Code: "ServiceBusy"}, 0, 400, "ServiceBusy"},
		"error instead, late": {
			cdntest.Fault{Code: "ServiceBusy", Status: 503, Wait: time.Hour}, 0, 503, "ServiceBusy",
		},
		"error instead, then lost":  {cdntest.Fault{Status: 502, Drop: cdntest.DropConnection}, 0, 502, ""},
		"page instead":              {cdntest.Fault{Body: []byte("<html>")}, 0, 200, ""},
		"a header and all is right": {cdntest.Fault{Header: http.Header{"X-A": {"b"}}}, 1, 200, ""},
	}
	for name, test := range tests {
		for _, way := range []string{"RoundTripper", "loopback"} {
			t.Run(name+" "+way, func(t *testing.T) {
				api := withDomains()
				api.Inject(test.fault)
				transport := roundTrippers(t, api)[way]
				ctx, giveUp := context.WithCancel(t.Context())
				defer giveUp()
				requests := make(chan cdntest.Request, 2)
				api.OnRequest = func(r cdntest.Request) {
					requests <- r
					if test.fault.Wait > 0 {
						giveUp()
					}
				}
				req := sign(t, signer.RPC{}, signer.Call{Action: "SetCdnDomainSSLCertificate", Params: params{
					"DomainName": "example.com", "SSLProtocol": "on", "SSLPub": text, "SSLPri": key,
				}})
				req.URL.Scheme = "http" // the proxy of roundTrippers knows no CONNECT
				resp, err := transport.RoundTrip(req.WithContext(ctx))
				if err == nil {
					_, err = io.ReadAll(resp.Body)
					require.NoError(t, resp.Body.Close())
				}
				assert.Equal(t, test.fault.Wait > 0 || test.fault.Drop != cdntest.DropNone, err != nil)
				assert.Equal(t, test.wantStored, api.Stored())
				require.Len(t, requests, 1)
				got := <-requests
				assert.Equal(t, test.wantStatus, got.StatusCode)
				assert.Equal(t, test.wantCode, got.Code)
			})
		}
	}
}

func TestInject_RefusedCallUsesNoFault(t *testing.T) {
	api := newAPI()
	api.Inject(cdntest.Fault{Code: "X"})
	_, e := ask(t, api, rpcRequest(t, "POST", "form", rpcParams(), "other"))
	assert.Equal(t, "SignatureDoesNotMatch", e.Code)
	params := rpcParams()
	params.Set("Country", "CHN")
	params.Set("SignatureNonce", "nonce-2")
	_, e = ask(t, api, rpcRequest(t, "POST", "form", params, secret))
	assert.Equal(t, "InvalidValue.Malformed", e.Code)
	_, e = ask(t, api, rpcRequest(t, "PUT", "form", rpcParams(), secret))
	assert.Equal(t, "UnsupportedHTTPMethod", e.Code)
	_, e = ask(t, api, rpcRequest(t, "POST", "form", rpcParams(), secret))
	assert.Equal(t, "X", e.Code)
}

func TestAPI_DoesNothingAfterACancel(t *testing.T) {
	canceled, cancel := context.WithCancelCause(t.Context())
	cause := errors.New("test over")
	cancel(cause)
	api := newAPI()
	api.OnRequest = func(cdntest.Request) { t.Error("the request came") }
	_, err := api.RoundTrip(rpcRequest(t, "POST", "form", rpcParams(), secret).WithContext(canceled))
	require.ErrorIs(t, err, cause)
}

// TestAPI_NoAnswerForACallerWhoGaveUp: if the context ends during the work
// there is no answer, also without a Wait. Were it left to chance, 64 calls
// would tell.
func TestAPI_NoAnswerForACallerWhoGaveUp(t *testing.T) {
	api := newAPI()
	for i := range 64 {
		ctx, giveUp := context.WithCancel(t.Context())
		api.OnRequest = func(cdntest.Request) { giveUp() }
		params := rpcParams()
		params.Set("SignatureNonce", strconv.Itoa(i))
		_, err := api.RoundTrip(rpcRequest(t, "POST", "form", params, secret).WithContext(ctx))
		require.ErrorIs(t, err, context.Canceled)
	}
}

func TestInject_WaitsUntilTheContextEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := newAPI()
		api.Inject(cdntest.Fault{Wait: time.Hour}, cdntest.Fault{Wait: time.Hour})
		start := time.Now()
		req := rpcRequest(t, "POST", "form", rpcParams(), secret)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		_, err := api.RoundTrip(req.WithContext(ctx))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, time.Minute, time.Since(start))

		params := rpcParams()
		params.Set("SignatureNonce", "nonce-2")
		status, _ := ask(t, api, rpcRequest(t, "POST", "form", params, secret))
		require.Equal(t, http.StatusOK, status)
		require.Equal(t, time.Minute+time.Hour, time.Since(start))
	})
}

func TestOnRequest_GetsEachRequestWithoutSecrets(t *testing.T) {
	api := newAPI()
	var got []cdntest.Request
	api.OnRequest = func(r cdntest.Request) { got = append(got, r) }
	common := rpcParams()
	common.Set("RegionId", "cn-hangzhou")
	common.Set("SignatureType", "")
	_, _ = ask(t, api, rpcRequest(t, "POST", "form", common, secret))
	_, e := ask(t, api, rpcRequest(t, "POST", "form", rpcParams(), secret))
	require.Len(t, got, 2)
	assert.NotEmpty(t, got[0].RequestId)
	got[0].RequestId = ""
	assert.Equal(t, cdntest.Request{
		Method: "POST", Signature: "RPC", Action: "CreateCdnCertificateSigningRequest", StatusCode: 200,
		Params: map[string]string{
			"CommonName":   "example.com",
			"SANs":         "a.example.com,*.example.com",
			"Organization": "a+b *~ c/&=%",
		},
	}, got[0])
	assert.Equal(t, "SignatureNonceUsed", got[1].Code)
	assert.Equal(t, e.RequestId, got[1].RequestId)
}

func TestInject_PanicsOnAnUnknownAction(t *testing.T) {
	var api cdntest.API
	require.PanicsWithValue(t, `cdntest: Fault.Action "SetSSL": not an operation of the API`, func() {
		api.Inject(cdntest.Fault{Action: "SetSSL", Code: "X"})
	})
}

func TestInject_PanicsOnAnInvalidStatus(t *testing.T) {
	var api cdntest.API
	for _, status := range []int{-1, 42, 101, 199, 600} {
		want := fmt.Sprintf("cdntest: Fault.Status %d: want 200 to 599, or 0 for the default", status)
		require.PanicsWithValue(t, want, func() {
			api.Inject(cdntest.Fault{Code: "X"}, cdntest.Fault{Status: status})
		})
	}
	require.NotPanics(t, func() { api.Inject(cdntest.Fault{Status: 599}, cdntest.Fault{Status: 200}) })
}
