package cdn_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/cdn"
	"github.com/cdncsr/cdncsr/cdn/cdntest"
	"github.com/cdncsr/cdncsr/csr"
)

// A faultRow is a fault of the service, or of what stands before it, in
// well-formed HTTP.
type faultRow struct {
	name   string
	script []cdntest.Fault
	kind   error // nil if the call is answered
	status int   // of the error
	code   string
	sent   int          // requests
	waits  []waitBounds // between them; not checked if nil
	check  func(*testing.T, *cdn.Error)
}

type waitBounds struct{ least, most time.Duration }

func exactly(d time.Duration) waitBounds { return waitBounds{d, d} }

// backedOff are the waits before the second, third and fourth attempt: half to
// one and a half of 100, 200 and 400 ms.
var backedOff = []waitBounds{
	{50 * time.Millisecond, 150 * time.Millisecond},
	{100 * time.Millisecond, 300 * time.Millisecond},
	{200 * time.Millisecond, 600 * time.Millisecond},
}

// always returns a fault for each attempt of a call.
func always(f cdntest.Fault) []cdntest.Fault { return []cdntest.Fault{f, f, f, f} }

func body(status int, contentType, text string) cdntest.Fault {
	return cdntest.Fault{Status: status, Body: []byte(text), Header: http.Header{"Content-Type": {contentType}}}
}

const wholeJSON = `{"RequestId":"R1","CommonName":"example.com","Csr":"-----BEGIN CERTIFICATE REQUEST-----\n","PubMd5":"0"}`

// notThisAPI returns a row whose answers are not of this API, for ever.
func notThisAPI(name string, status int, fault cdntest.Fault) faultRow {
	return faultRow{name: name, script: always(fault), kind: cdn.ErrUnavailable, status: status, sent: 4, waits: backedOff}
}

// answered returns a row whose first answer is right, however odd it looks.
func answered(name string, fault cdntest.Fault) faultRow {
	return faultRow{name: name, script: []cdntest.Fault{fault}, sent: 1}
}

func faultRows() []faultRow {
	rows := []faultRow{
		{name: "500, then OK", script: []cdntest.Fault{{Status: 500, Code: "InternalError"}}, sent: 2, waits: backedOff[:1]},
		{
			name: "500 for ever", script: always(cdntest.Fault{Status: 500, Code: "InternalError"}),
			kind: cdn.ErrUnavailable, status: 500, code: "InternalError", sent: 4, waits: backedOff,
		},
		{name: "reset before the headers", script: []cdntest.Fault{{Drop: cdntest.DropConnection}}, sent: 2, waits: backedOff[:1]},
		{name: "reset in the body", script: []cdntest.Fault{{Drop: cdntest.DropBody}}, sent: 2, waits: backedOff[:1]},
		{name: "reset for ever", script: always(cdntest.Fault{Drop: cdntest.DropConnection}), kind: cdn.ErrUnavailable, sent: 4},
		{name: "cut body for ever", script: always(cdntest.Fault{Drop: cdntest.DropBody}), kind: cdn.ErrUnavailable, status: 200, sent: 4},
		notThisAPI("cut JSON", 200, body(200, "application/json", wholeJSON[:60])),
		notThisAPI("cut XML", 200, body(200, "text/xml", "<CreateCdnCertificateSigningRequestResponse><Csr>x</Csr>")),
		notThisAPI("nothing (200)", 200, body(200, "application/json", "")),
		notThisAPI("nothing (204)", 204, body(204, "application/json", "")),
		notThisAPI("null", 200, body(200, "application/json", "null")),
		notThisAPI("[1]", 200, body(200, "application/json", "[1]")),
		notThisAPI("an object without Csr and Code", 200, body(200, "application/json", `{"RequestId":"R1"}`)),
		notThisAPI("HTML 200 (captive portal)", 200, body(200, "text/html", "<html>Log in</html>")),
		notThisAPI("HTML 502", 502, body(502, "text/html", "<html>Bad gateway</html>")),
		notThisAPI("HTML 403", 403, body(403, "text/html", "<html>Blocked</html>")),
		notThisAPI("a Csr that is not a string", 200, body(200, "application/json", `{"Csr":false,"RequestId":"R1"}`)),
		notThisAPI("a blank Csr", 200, body(200, "text/xml", "<CreateCdnCertificateSigningRequestResponse><Csr>\n </Csr></CreateCdnCertificateSigningRequestResponse>")),
		notThisAPI("text after the XML", 400, body(400, "text/xml", "<Error><Code>Forbidden</Code></Error> and more")),
		notThisAPI("302", 302, redirect(302)),
		notThisAPI("302 with a Code", 302, body(302, "application/json", `{"Code":"Forbidden"}`)),
		{
			name: "a Code with blanks around, the last of two", kind: cdn.ErrDenied, status: 400, code: "Forbidden.RAM", sent: 1,
			script: []cdntest.Fault{body(400, "text/xml", "<Error><Code>Throttling</Code><Code>\n Forbidden.RAM\n</Code></Error>")},
		},
		notThisAPI("307", 307, redirect(307)),
		{
			name: "200 with a Code and no Csr", script: []cdntest.Fault{body(200, "application/json", `{"Code":"Forbidden.RAM","RequestId":"R1"}`)},
			kind: cdn.ErrDenied, status: 200, code: "Forbidden.RAM", sent: 1,
		},
		{
			name: "Code, Message and RequestId not strings, AccessDeniedDetail a string", kind: cdn.ErrDenied, status: 400, code: "7", sent: 1,
			script: []cdntest.Fault{body(400, "application/json", `{"Code":7,"Message":{"a":1},"RequestId":[1],"AccessDeniedDetail":"x"}`)},
			check: func(t *testing.T, e *cdn.Error) {
				require.Equal(t, `{"a":1}`, e.Message)
				require.Equal(t, "[1]", e.RequestId)
			},
		},
		{
			name: "lower-case error keys", kind: cdn.ErrInvalidRequest, status: 404, code: "InvalidAction.NotFound", sent: 1,
			script: []cdntest.Fault{body(404, "application/json", `{"code":"InvalidAction.NotFound","message":"m","requestId":"R7"}`)},
			check:  func(t *testing.T, e *cdn.Error) { require.Equal(t, "R7", e.RequestId) },
		},
		answered("XML though JSON was asked", body(200, "text/xml", `<?xml version="1.0"?><CreateCdnCertificateSigningRequestResesponse><Csr>x</Csr></CreateCdnCertificateSigningRequestResesponse>`)),
		answered("wrong Content-Type", body(200, "text/html", wholeJSON)),
		answered("BOM", body(200, "application/json", "\ufeff "+wholeJSON)),
	}
	return append(rows, throttledRows()...)
}

func redirect(status int) cdntest.Fault {
	f := body(status, "text/html", "<html>moved</html>")
	f.Header.Set("Location", "https://evil.example.com/")
	return f
}

// throttledRows returns those in which the service says how long to wait.
func throttledRows() []faultRow {
	throttled := func(status int, code string, header ...string) cdntest.Fault {
		f := cdntest.Fault{Status: status, Code: code, Header: http.Header{}}
		for i := 0; i < len(header); i += 2 {
			f.Header.Set(header[i], header[i+1])
		}
		return f
	}
	waited := func(name string, f cdntest.Fault, wait waitBounds) faultRow {
		return faultRow{name: name, script: []cdntest.Fault{f}, sent: 2, waits: []waitBounds{wait}}
	}
	return []faultRow{
		waited("503 Throttling, x-acs-retry-after", throttled(503, "Throttling", "x-acs-retry-after", "1234"), exactly(1234*time.Millisecond)),
		waited("400 Throttling.User, Retry-After in seconds", throttled(400, "Throttling.User", "Retry-After", "7"), exactly(7*time.Second)),
		waited("429 Throttling.Api, TimeLeft", throttled(429, "Throttling.Api", "x-ratelimit-user-api", "Limit:100,Remain:0,TimeLeft:500,Reset:1000"), exactly(500*time.Millisecond)),
		waited("Throttling for as long as is waited", throttled(429, "Throttling", "Retry-After", "20"), exactly(20*time.Second)),
		waited("Throttling, Retry-After a date", throttled(429, "Throttling", "Date", "Sat, 01 Jan 2000 00:00:00 GMT", "Retry-After", "Sat, 01 Jan 2000 00:00:09 GMT"), exactly(9*time.Second)),
		waited("Throttling, no wait asked for", throttled(400, "throttling.user"), backedOff[0]),
		waited("Throttling, a wait of nothing", throttled(400, "Throttling", "Retry-After", "0"), backedOff[0]),
		waited("503 with Retry-After", throttled(503, "ServiceUnavailable", "Retry-After", "2"), exactly(2*time.Second)),
		waited("500 with TimeLeft, which is not about it", throttled(500, "InternalError", "x-ratelimit-user-api", "TimeLeft:9000"), backedOff[0]),
		{
			name: "Throttling for ever", script: always(throttled(400, "Throttling", "Retry-After", "1")), kind: cdn.ErrThrottled,
			status: 400, code: "Throttling", sent: 4, waits: []waitBounds{exactly(time.Second), exactly(time.Second), exactly(time.Second)},
		},
		{
			name: "Throttling for over 20 s is not waited for", script: always(throttled(429, "Throttling", "Retry-After", "21")),
			kind: cdn.ErrThrottled, status: 429, code: "Throttling", sent: 1,
			check: func(t *testing.T, e *cdn.Error) {
				require.Equal(t, 21*time.Second, e.RetryAfter)
				require.ErrorContains(t, e, "not tried again")
			},
		},
		{
			name: "Throttling for longer than a number holds", script: always(throttled(429, "Throttling", "Retry-After", "99999999999999999999")),
			kind: cdn.ErrThrottled, status: 429, code: "Throttling", sent: 1,
		},
		{
			name: "Throttling for longer than a Duration holds", script: always(throttled(429, "Throttling", "Retry-After", "10000000000")),
			kind: cdn.ErrThrottled, status: 429, code: "Throttling", sent: 1,
		},
	}
}

func TestFaults(t *testing.T) {
	for name, s := range signers {
		for _, row := range faultRows() {
			t.Run(name+"/"+row.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { row.play(t, newFixture(t, &cdn.Options{Signer: s})) })
			})
		}
	}
}

// play makes one call and compares its outcome with the row.
func (row faultRow) play(t *testing.T, f *fixture) {
	f.api.Inject(row.script...)
	resp, err := f.client.CreateCdnCertificateSigningRequest(t.Context(), request)
	f.requireNoSecret(t, err)
	require.Len(t, f.attempts, row.sent)
	for i, want := range row.waits {
		wait := f.attempts[i].Wait
		require.GreaterOrEqual(t, wait, want.least, "wait %d", i)
		require.LessOrEqual(t, wait, want.most, "wait %d", i)
		require.Equal(t, wait, f.attempts[i+1].Start.Sub(f.attempts[i].Start), "wait %d", i)
	}
	if row.kind == nil {
		require.NoError(t, err)
		require.NotEmpty(t, resp.Csr)
		return
	}
	require.Nil(t, resp)
	requireKind(t, err, row.kind)
	e := asError(t, err)
	require.Equal(t, row.status, e.StatusCode)
	require.Equal(t, row.code, e.Code)
	require.Equal(t, row.sent, e.Attempts)
	if row.check != nil {
		row.check(t, e)
	}
}

func TestFaults_PageIsNamedByItsTypeAndNotShown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, &cdn.Options{MaxAttempts: 1})
		f.api.Inject(body(200, "text/html; charset=utf-8", "<html>Please log in</html>"))
		_, err := f.client.CreateCdnCertificateSigningRequest(t.Context(), request)
		require.ErrorContains(t, err, "text/html")
		require.NotContains(t, printed(t, err), "log in")
	})
}

func TestFaults_AnswerWithoutACsrSaysSo(t *testing.T) {
	f := newFixture(t, &cdn.Options{MaxAttempts: 1})
	f.api.Inject(body(200, "application/json", `{"RequestId":"R1","PubMd5":"0"}`))
	_, err := f.client.CreateCdnCertificateSigningRequest(t.Context(), request)
	requireKind(t, err, cdn.ErrUnavailable)
	require.ErrorContains(t, err, "the answer has no Csr")
	require.NotContains(t, err.Error(), "proxy")
	require.Equal(t, "R1", asError(t, err).RequestId)
}

// TestFaults_NothingOfAFailedAnswerIsKept has a first answer that is not whole.
func TestFaults_NothingOfAFailedAnswerIsKept(t *testing.T) {
	for _, first := range []string{
		`{"RequestId":"R1","CommonName":"evil.example.com","PubMd5":"1"}`,
		`{ "RequestId":"R1","CommonName":"evil.example.com","PubMd5":["1"]}`,
		`<CreateCdnCertificateSigningRequestResponse><CommonName>evil.example.com</CommonName></CreateCdnCertificateSigningRequestResponse>`,
	} {
		synctest.Test(t, func(t *testing.T) {
			f := newFixture(t, nil)
			f.api.Inject(body(200, "", first), body(200, "application/json", `{"Csr":"x"}`))
			got, err := f.client.CreateCdnCertificateSigningRequest(t.Context(), request)
			require.NoError(t, err)
			require.Equal(t, &csr.Response{RequestId: f.attempts[1].RequestId, Csr: "x", Origin: csr.OriginCDN}, got)
		})
	}
}

func TestFaults_LargerOfTwoWaitsCounts(t *testing.T) {
	for _, order := range [][]string{{"300", "700"}, {"700", "300"}} {
		synctest.Test(t, func(t *testing.T) {
			f := newFixture(t, nil)
			f.api.Inject(cdntest.Fault{Status: 429, Header: http.Header{
				"X-Ratelimit-User-Api": {"Limit:100,Remain:0,TimeLeft:" + order[0]}, "X-Ratelimit-User": {"Limit:500,TimeLeft:" + order[1] + ",Remain:0"},
			}, Code: "Throttling"})
			_, err := f.client.CreateCdnCertificateSigningRequest(t.Context(), request)
			require.NoError(t, err)
			require.Equal(t, 700*time.Millisecond, f.attempts[0].Wait)
		})
	}
}

func TestFaults_429WithoutACodeIsThrottling(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, nil)
		page := body(429, "text/html", "<html>slow down</html>")
		page.Header.Set("Retry-After", "3")
		f.api.Inject(page)
		_, err := f.client.CreateCdnCertificateSigningRequest(t.Context(), request)
		require.NoError(t, err)
		require.ErrorIs(t, f.attempts[0].Err, cdn.ErrThrottled)
		require.Equal(t, 3*time.Second, f.attempts[0].Wait)
	})
}

func TestFaults_WaitPastTheDeadlineIsNotBegun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, nil)
		f.api.Inject(cdntest.Fault{Code: "Throttling", Header: http.Header{"Retry-After": {"5"}}})
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		start := time.Now()
		_, err := f.client.CreateCdnCertificateSigningRequest(ctx, request)
		require.Equal(t, start, time.Now(), "it waited")
		requireKind(t, err, cdn.ErrThrottled)
		require.Equal(t, 5*time.Second, asError(t, err).RetryAfter)
		require.ErrorContains(t, err, "deadline")
	})
}

func TestFaults_EchoedSecretsAreRedacted(t *testing.T) {
	echo := testCreds.AccessKeyID + " CAIS%2Fhidden%2Btoken%3D%3D CAIS%252Fhidden%252Btoken%253D%253D CAIS%25252Fhidden%25252Btoken%25253D%25253D " + testCreds.AccessKeySecret
	for name, s := range signers {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFixture(t, &cdn.Options{Signer: s, MaxAttempts: 1})
				f.api.Inject(body(403, "application/json", `{"Code":"Forbidden `+echo+`","Message":"`+echo+`","RequestId":"`+echo+`","HostId":"`+echo+`","Recommend":"https://x/?`+echo+`"}`))
				_, err := f.client.CreateCdnCertificateSigningRequest(t.Context(), request)
				require.ErrorIs(t, err, cdn.ErrDenied)
				f.requireNoSecret(t, err)
			})
		})
	}
}

// printsTheRequest is an error of a careless transport.
type printsTheRequest struct{ req *http.Request }

func (e printsTheRequest) Error() string {
	form := ""
	if e.req.GetBody != nil {
		body, _ := e.req.GetBody() // in memory
		text := make([]byte, e.req.ContentLength)
		_, _ = body.Read(text) // whole
		form = string(text)
	}
	return "can't send " + e.req.URL.String() + " " + form + " " + e.req.Header.Get("Authorization") + e.req.Header.Get("x-acs-security-token")
}

func TestFaults_ForeignErrorThatPrintsTheRequest(t *testing.T) {
	for name, s := range signers {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				careless := roundTripper(func(r *http.Request) (*http.Response, error) { return nil, printsTheRequest{r} })
				f := newFixture(t, &cdn.Options{Signer: s, HTTPClient: &http.Client{Transport: careless}})
				_, err := f.client.CreateCdnCertificateSigningRequest(t.Context(), request)
				requireKind(t, err, cdn.ErrUnavailable)
				require.ErrorContains(t, err, "can't send")
				f.requireNoSecret(t, err)
				var foreign printsTheRequest
				require.False(t, errors.As(err, &foreign), "the foreign error itself would print it")
			})
		})
	}
}
