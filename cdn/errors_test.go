package cdn_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"golang.org/x/time/rate"

	"github.com/cdncsr/cdncsr/cdn"
	"github.com/cdncsr/cdncsr/cdn/cdntest"
	"github.com/cdncsr/cdncsr/csr"
	"github.com/cdncsr/cdncsr/signer"
)

func TestError_IsOneLineThatSaysWhatToDo(t *testing.T) {
	err := &cdn.Error{
		Action: "SetCdnDomainSSLCertificate", StatusCode: 403, Code: "Forbidden.RAM",
		Message: "User not\n authorized\x1b[31m to operate.", RequestId: "R1", HostId: "h", Attempts: 2,
		RetryAfter: 1500 * time.Millisecond,
	}
	require.Equal(t, "cdn: denied: Forbidden.RAM: User not authorized [31m to operate. (SetCdnDomainSSLCertificate, HTTP 403, request ID R1, "+
		"2 attempts, retry after 1.5s); allow cdn:SetCdnDomainSSLCertificate to this access key in RAM", err.Error())
	require.Equal(t, "&cdn.Error{"+err.Error()+"}", fmt.Sprintf("%#v", err))
	require.Equal(t, "cdn: unavailable; try again later", (&cdn.Error{}).Error())
}

func TestErrInvalidRequest_IsThatOfCSR(t *testing.T) {
	require.Equal(t, csr.ErrInvalidRequest, cdn.ErrInvalidRequest)
	require.ErrorIs(t, new(csr.Request).Validate(), cdn.ErrInvalidRequest)
}

func TestSigner_ThatFailsOrGivesNothing(t *testing.T) {
	own := errors.New("the HSM is away; " + testCreds.AccessKeySecret)
	for name, s := range map[string]signFunc{"fails": {err: own}, "gives nothing": {}} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, &cdn.Options{Signer: s})
			_, err := f.client.CreateCdnCertificateSigningRequest(t.Context(), request)
			require.ErrorContains(t, err, "cdn: sign")
			require.Empty(t, f.attempts)
			f.requireNoSecret(t, err)
		})
	}
}

var update = flag.Bool("update", false, "write testdata/errors.txt anew")

// texts collects lines of testdata/errors.txt: what was done, and the error.
type texts struct{ lines []string }

func (c *texts) add(t *testing.T, what string, err error) {
	t.Helper()
	require.Error(t, err, what)
	require.NotContains(t, err.Error(), "\n", what)
	c.lines = append(c.lines, what+": "+err.Error())
}

// TestErrors_Texts compares the texts of this package's errors with those in
// testdata/errors.txt. Run it with -update after a change, and read what
// changed.
func TestErrors_Texts(t *testing.T) {
	var got texts
	got.options(t)
	got.requests(t)
	got.answers(t)
	got.calls(t)
	got.combinations(t)
	file := filepath.Join("testdata", "errors.txt")
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(strings.Join(got.lines, "\n")+"\n"), 0o644))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, strings.Split(strings.TrimSuffix(string(want), "\n"), "\n"), got.lines)
}

func (c *texts) options(t *testing.T) {
	source := cdn.StaticCredentials(testCreds)
	_, err := cdn.NewClient(nil, nil)
	c.add(t, "NewClient without a source", err)
	for _, opts := range []*cdn.Options{
		{Format: "json"},
		{AttemptTimeout: -time.Second},
		{MaxAttempts: -1},
		{UserAgent: "a\r\nb"},
		{Signer: (*signer.RPC)(nil)},
		{Limiter: (*rate.Limiter)(nil)},
		{Limiters: map[string]cdn.Limiter{"DescribeDomains": nil}},
		{Endpoint: "http://cdn.aliyuncs.com", Format: "YAML", MaxAttempts: -2},
	} {
		_, err = cdn.NewClient(source, opts)
		c.add(t, "NewClient", err)
	}
	for _, endpoint := range []string{
		"cdn.aliyuncs.com", "127.0.0.1:8080", "http://cdn.aliyuncs.com", "https://", "https://host:", "https://u:p@host", "https://host/path",
		"https://host?a=b", "ftp://host", "https://例え.jp", "https://foo!bar",
		"https://127.0.0.1:99999", " https://cdn.aliyuncs.com", "::1",
	} {
		_, err = cdn.NewClient(source, &cdn.Options{Endpoint: endpoint})
		c.add(t, "NewClient", err)
	}
	_, err = cdn.NewBreaker(nil, nil)
	c.add(t, "NewBreaker", err)
	_, err = cdn.NewBreaker(localCreator(), &cdn.BreakerOptions{Failures: -1})
	c.add(t, "NewBreaker", err)
	_, err = cdn.NewBreaker(localCreator(), &cdn.BreakerOptions{ProbeInterval: -time.Second})
	c.add(t, "NewBreaker", err)
	for _, f := range []cdn.Fallback{
		{Secondary: localCreator()}, {Primary: localCreator()}, {Primary: localCreator(), Secondary: localCreator(), PrimaryTimeout: -time.Second},
	} {
		_, err := f.CreateCdnCertificateSigningRequest(t.Context(), request)
		c.add(t, "Fallback", err)
	}
}

func (c *texts) requests(t *testing.T) {
	f := newFixture(t, &cdn.Options{HTTPClient: &http.Client{Transport: noTransport(t)}, Signer: signer.ACS3{}})
	for _, call := range []calling{
		createCSR(nil),
		createCSR(&csr.Request{Country: "CHN", SANs: []string{"", "a,b"}, City: "a\nb", Email: "\xff"}),
		setCSR(&csrRequest{ServerCertificate: "\x00"}),
		setSSL(&sslRequest{}),
		setSSL(&sslRequest{
			DomainName: "a", SSLProtocol: "ON", CertType: "free", CertName: "\x00", CertId: -1, CertRegion: "mars",
			SSLPub: "\x00", SSLPri: "\x00",
		}),
		setSSL(&sslRequest{DomainName: "a", SSLProtocol: "on"}),
		setSSL(&sslRequest{DomainName: "a", SSLProtocol: "on", CertType: "cas", CertName: strings.Repeat("a", 129)}),
		setSSL(&sslRequest{DomainName: "a", SSLProtocol: "on", SSLPub: "x", SSLPri: hiddenKey}),
		describe(&infoRequest{}),
		list(&listRequest{PageNumber: -1, PageSize: 1001}),
	} {
		_, err := call(t.Context(), f.client)
		c.add(t, "request", err)
	}
	c.add(t, "Do", f.client.Do(t.Context(), signer.Call{Action: "DescribeDomains"}, struct{}{}))
}

func createCSR(req *csr.Request) calling {
	return func(ctx context.Context, c *cdn.Client) (string, error) {
		_, err := c.CreateCdnCertificateSigningRequest(ctx, req)
		return "", err
	}
}

// answers has what the service answers, to one attempt.
func (c *texts) answers(t *testing.T) {
	for _, code := range []string{
		"InvalidParameter", "Throttling.User", "ServiceBusy", "InternalError", "Forbidden.RAM", "Forbidden.NotVerified", "Forbidden.RiskControl",
		"InvalidAccessKeyId.NotFound", "InvalidSecurityToken.Expired", "InvalidTimeStamp.Expired", "SignatureNonceUsed", "AccountBlacklist",
		"CdnServiceNotFound", "QuotaExceeded", "InvalidDomain.NotFound", "InvalidDomain.Offline", "DomainInSafeMode", "Certificate.MissMatch",
		"Certificate.NoPrivateKey", "Certificate.Duplicated", "Certificate.Expired", "Internal.ForbidError", "New.Code",
		"DomainLimitExceeded", "OperationDeniedNew", "Gateway.Timeout",
	} {
		f := newFixture(t, &cdn.Options{MaxAttempts: 1, HTTPClient: &http.Client{
			Transport: answering(400, nil, []byte(`{"Code":"`+code+`","Message":"No.","RequestId":"R"}`)),
		}})
		_, err := setSSL(&sslRequest{DomainName: "a", SSLProtocol: "off"})(t.Context(), f.client)
		c.add(t, "answer", err)
	}
	html := http.Header{"Content-Type": {"text/html"}}
	for _, transport := range []http.RoundTripper{
		answering(409, nil, []byte(`{"Code":"New.Code","Message":"No.","RequestId":"R","Recommend":"https://api.alibabacloud.com/troubleshoot"}`)),
		answering(200, nil, []byte(`{"RequestId":"R"}`)),
		answering(200, html, []byte(`<html></html>`)),
		answering(204, nil, nil),
		answering(302, html, []byte(`<html></html>`)),
		answering(200, nil, make([]byte, 1<<20+1)),
		roundTripper(func(*http.Request) (*http.Response, error) { return nil, errors.New("connection refused") }),
		roundTripper(func(*http.Request) (*http.Response, error) {
			return nil, &net.DNSError{Err: "no such host", IsNotFound: true}
		}),
	} {
		f := newFixture(t, &cdn.Options{MaxAttempts: 1, HTTPClient: &http.Client{Transport: transport}})
		_, err := createCSR(request)(t.Context(), f.client)
		c.add(t, "answer", err)
	}
}

// calls has what ends a call of several attempts.
func (c *texts) calls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		call := func(what string, patience time.Duration, opts *cdn.Options, faults ...cdntest.Fault) {
			f := newFixture(t, opts)
			f.api.Inject(faults...)
			ctx, cancel := context.WithTimeoutCause(t.Context(), patience, errors.New("the service stops"))
			defer cancel()
			_, err := createCSR(request)(ctx, f.client)
			// The fake's request IDs and the waits differ each time.
			for _, a := range f.attempts {
				if a.RequestId != "" {
					err = fmt.Errorf("%s", strings.ReplaceAll(err.Error(), a.RequestId, "R"))
				}
			}
			c.add(t, what, err)
		}
		busy := func(after string) cdntest.Fault {
			return cdntest.Fault{Status: 503, Code: "ServiceBusy", Message: "No.", Header: http.Header{"Retry-After": {after}}}
		}
		silent := cdntest.Fault{Wait: time.Hour}
		call("silent service", time.Hour, &cdn.Options{MaxAttempts: 2}, silent, silent)
		call("silent service and a deadline", 5*time.Second, nil, silent)
		call("busy, then silent, and a deadline", 5*time.Second, nil, busy("1"), silent)
		call("busy for longer than is waited for", time.Hour, nil, busy("21"))
		call("busy for longer than the deadline", 5*time.Second, nil, busy("6"))
		call("busy, and a limiter without another turn", 5*time.Second, &cdn.Options{Limiter: new(oneTurn)}, busy("1"))
		call("busy for ever", time.Hour, nil, busy("1"), busy("1"), busy("1"), busy("1"))
		call("a signer that fails", time.Hour, &cdn.Options{Signer: signFunc{errors.New("no HSM")}})
		call("a signer without a request", time.Hour, &cdn.Options{Signer: signFunc{}})
	})
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("the service stops"))
	_, err := createCSR(request)(ctx, newFixture(t, nil).client)
	c.add(t, "a context that has ended", err)
	for _, source := range []cdn.CredentialSource{
		cdn.CredentialFunc(func(context.Context) (signer.Credentials, error) { return signer.Credentials{}, errors.New("no role") }),
		cdn.CredentialFunc(func(context.Context) (signer.Credentials, error) {
			refused := &url.Error{Op: "Get", URL: "http://metadata/?token=hidden", Err: errors.New("refused")}
			return signer.Credentials{}, fmt.Errorf("role: %w", refused)
		}),
	} {
		client, err := cdn.NewClient(source, nil)
		require.NoError(t, err)
		_, err = createCSR(request)(t.Context(), client)
		c.add(t, "credentials", err)
	}
	c.add(t, "Do", answeredClient(t, `{"DomainQuota":"many"}`).Do(t.Context(), signer.Call{Action: "DescribeCdnUserQuota"}, new(strict)))
}

// oneTurn is a limiter that has one turn.
type oneTurn struct{ taken bool }

func (o *oneTurn) Wait(context.Context) error {
	if o.taken {
		return errors.New("no turn before the deadline")
	}
	o.taken = true
	return nil
}

// strict decodes nothing.
type strict struct{}

func (*strict) UnmarshalJSON([]byte) error { return errors.New("an unknown quota") }

func (c *texts) combinations(t *testing.T) {
	away := failing(&cdn.Error{StatusCode: 503, Code: "ServiceBusy", Message: "No."})
	breaker := newBreaker(t, away, &cdn.BreakerOptions{Failures: 1})
	_, err := breaker.CreateCdnCertificateSigningRequest(t.Context(), request)
	c.add(t, "Breaker, closed", err)
	_, err = breaker.CreateCdnCertificateSigningRequest(t.Context(), request)
	c.add(t, "Breaker, open", err)
	full := failing(errors.New("csr: keep the key: no space left on device"))
	_, err = (&cdn.Fallback{Primary: away, Secondary: full}).CreateCdnCertificateSigningRequest(t.Context(), request)
	c.add(t, "Fallback, both fail", err)
	hangs := creator(func(ctx context.Context, _ *csr.Request) (*csr.Response, error) { <-ctx.Done(); return nil, ctx.Err() })
	fallback := &cdn.Fallback{Primary: hangs, Secondary: full, PrimaryTimeout: time.Millisecond}
	_, err = fallback.CreateCdnCertificateSigningRequest(t.Context(), request)
	c.add(t, "Fallback, Primary hangs", err)
}
