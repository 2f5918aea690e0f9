package cdn_test

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/cdn"
	"github.com/cdncsr/cdncsr/cdn/cdntest"
	"github.com/cdncsr/cdncsr/csr"
	"github.com/cdncsr/cdncsr/internal/testkey"
	"github.com/cdncsr/cdncsr/signer"
)

// clientAnswering returns a client whose every request is answered by answer with
// that status and body.
func clientAnswering(t *testing.T, creds cdn.CredentialSource, o cdn.Options, answer func(r *http.Request) (int, string)) *cdn.Client {
	t.Helper()
	o.HTTPClient = &http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
		status, body := answer(r)
		return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
	})}
	if creds == nil {
		creds = cdn.StaticCredentials(testCreds)
	}
	c, err := cdn.NewClient(creds, &o)
	require.NoError(t, err)
	return c
}

func describeDomain(ctx context.Context, c *cdn.Client) error {
	_, err := c.DescribeDomainCertificateInfo(ctx, &cdn.DescribeDomainCertificateInfoRequest{DomainName: "example.com"})
	return err
}

func newGenerator() *csr.Generator { return &csr.Generator{Keys: &csr.MemStore{}, Source: csr.P256} }

// The typed calls put a private key into the URL, and into errors.
func TestPrivateKey_InAnotherParameterIsRefused(t *testing.T) {
	s := newFixture(t, &cdn.Options{Signer: signer.ACS3{}})
	s.api.AddDomain("example.com")
	inURL := false
	s.api.OnRequest = func(r cdntest.Request) { inURL = inURL || r.SecretInURL }
	ca, key := newTestCA(t), newKey(t, csr.P256)
	bundle := toPEM(ca.issue(t, key.Public(), nil)) + string(sec1(t, key)) // cert and key in one file, as HAProxy wants it
	_, err := s.client.SetCdnDomainCSRCertificate(t.Context(), &cdn.SetCdnDomainCSRCertificateRequest{DomainName: "example.com", ServerCertificate: bundle})
	assert.Error(t, err)
	assert.False(t, inURL, "a private key was in the URL")

	c := clientAnswering(t, nil, cdn.Options{}, func(r *http.Request) (int, string) {
		_ = r.ParseForm()
		return 400, `{"RequestId":"1","Code":"Certificate.FormatError","Message":"` + strings.ReplaceAll(r.PostForm.Get("ServerCertificate"), "\n", " ") + `"}`
	})
	_, err = c.SetCdnDomainCSRCertificate(t.Context(), &cdn.SetCdnDomainCSRCertificateRequest{DomainName: "example.com", ServerCertificate: string(sec1(t, key))})
	assert.NotContains(t, err.Error(), "PRIVATE KEY-----")
}

// A key whose PEM lost its line feeds has no windows.
func TestRedact_KeyWhosePEMLostItsLineEnds(t *testing.T) {
	der := x509.MarshalPKCS1PrivateKey(testkey.RSA(2048))
	pemText := strings.TrimSpace(string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: der})))
	for name, separator := range map[string]string{"line feeds": "\n", "blanks": " ", "nothing": "", "carriage returns": "\r", `backslash n`: `\n`} {
		c := clientAnswering(t, nil, cdn.Options{}, func(r *http.Request) (int, string) {
			_ = r.ParseForm()
			cut := strings.NewReplacer("\n", "", "\r", "", `\n`, "").Replace(r.PostForm.Get("SSLPri"))[40:200]
			return 400, `{"RequestId":"1","Code":"InvalidSSLPri","Message":"invalid: ` + cut + `"}`
		})
		_, err := c.SetCdnDomainSSLCertificate(t.Context(), &cdn.SetCdnDomainSSLCertificateRequest{
			DomainName: "example.com", SSLProtocol: "on", SSLPub: "x", SSLPri: cdn.Secret(strings.ReplaceAll(pemText, "\n", separator)),
		})
		assert.Contains(t, err.Error(), "withheld", name)
	}
}

// A credential source that hangs, and says so in words of its own when its
// context ends, stops the Fallback.
func TestFallback_SourceThatHangsInItsOwnWords(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hangs := cdn.CredentialFunc(func(ctx context.Context) (signer.Credentials, error) {
			<-ctx.Done()
			return signer.Credentials{}, fmt.Errorf("metadata service: %v", ctx.Err())
		})
		for _, source := range []cdn.CredentialSource{hangs, hangingRefresher{}} {
			c := clientAnswering(t, source, cdn.Options{}, func(*http.Request) (int, string) {
				return 400, `{"RequestId":"1","Code":"InvalidSecurityToken.Expired"}`
			})
			f := &cdn.Fallback{Primary: c, Secondary: newGenerator()}
			_, err := f.CreateCdnCertificateSigningRequest(t.Context(), request)
			assert.NoError(t, err)
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			assert.ErrorIs(t, describeDomain(ctx, c), context.DeadlineExceeded)
		}
	})
}

type hangingRefresher struct{}

func (hangingRefresher) Credentials(context.Context) (signer.Credentials, error) {
	return testCreds, nil
}

func (hangingRefresher) RefreshCredentials(ctx context.Context, _ signer.Credentials) (signer.Credentials, error) {
	<-ctx.Done()
	return signer.Credentials{}, errors.New("sts: no answer")
}

// With MaxAttempts 1 a token is never renewed.
func TestToken_IsRenewedWithoutARetry(t *testing.T) {
	source := new(cachingSource)
	c := clientAnswering(t, source, cdn.Options{MaxAttempts: 1}, func(*http.Request) (int, string) {
		if source.refreshed > 0 {
			return 200, `{"RequestId":"1"}`
		}
		return 400, `{"RequestId":"1","Code":"InvalidSecurityToken.Expired"}`
	})
	assert.Error(t, describeDomain(t.Context(), c))
	for range 3 {
		assert.NoError(t, describeDomain(t.Context(), c))
	}
}

type cachingSource struct{ refreshed int }

func (s *cachingSource) Credentials(context.Context) (signer.Credentials, error) {
	return signer.Credentials{AccessKeyID: "STS.id", AccessKeySecret: "secret", SecurityToken: fmt.Sprint("token", s.refreshed)}, nil
}

func (s *cachingSource) RefreshCredentials(ctx context.Context, _ signer.Credentials) (signer.Credentials, error) {
	s.refreshed++
	return s.Credentials(ctx)
}

// Do: an answer that failed is decoded into resp, or its type ends the call.
func TestDo_FailuresAreNotDecoded(t *testing.T) {
	for _, resp := range []any{&map[string]any{}, &struct{ RequestId, Status string }{}} {
		n, attempts := 0, 0
		c := clientAnswering(t, nil, cdn.Options{OnAttempt: func(context.Context, cdn.Attempt) { attempts++ }}, func(*http.Request) (int, string) {
			if n++; n == 1 {
				return 503, `{"message":"no healthy upstream","status":503}`
			}
			return 200, `{"RequestId":"1"}`
		})
		assert.NoError(t, c.Do(t.Context(), signer.Call{Action: "X"}, resp))
		assert.NotContains(t, fmt.Sprint(resp), "503")
		assert.Equal(t, n, attempts, "OnAttempt")
	}
}

// The first call of an action by Do gives it a limiter of 100 a second.
func TestDo_SharesTheOperationsLimiter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := clientAnswering(t, nil, cdn.Options{}, func(*http.Request) (int, string) { return 200, `{"RequestId":"1"}` })
		off := map[string]string{"DomainName": "example.com", "SSLProtocol": "off"}
		require.NoError(t, c.Do(t.Context(), signer.Call{Action: "SetCdnDomainSSLCertificate", Params: off}, nil))
		start := time.Now()
		for range 100 {
			_, err := c.SetCdnDomainSSLCertificate(t.Context(), &cdn.SetCdnDomainSSLCertificateRequest{DomainName: "example.com", SSLProtocol: "off"})
			require.NoError(t, err)
		}
		require.Greater(t, time.Since(start), 3*time.Second)
	})
}

// OnAttempt is called while a slot is held if the context has ended: 64
// observers that call the client wait for each other for ever.
func TestOnAttempt_MayMakeCalls(t *testing.T) {
	block := make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _ = r.ParseForm(); r.Form.Get("Action") == "DescribeDomainCertificateInfo" {
			<-block
		}
		_, _ = io.WriteString(w, `{"RequestId":"1"}`)
	}))
	defer srv.Close()
	defer close(block)
	done := make(chan error, 64)
	var c *cdn.Client
	c, err := cdn.NewClient(cdn.StaticCredentials(testCreds), &cdn.Options{Endpoint: srv.URL, Limiter: unlimited{}, OnAttempt: func(ctx context.Context, a cdn.Attempt) {
		if a.Action == "DescribeDomainCertificateInfo" {
			own, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
			defer cancel()
			_, err := c.DescribeCdnSSLCertificateList(own, &cdn.DescribeCdnSSLCertificateListRequest{})
			done <- err
		}
	}})
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	for range 64 {
		go func() { _ = describeDomain(ctx, c) }()
	}
	for range 64 {
		assert.NoError(t, <-done)
	}
}

// %+v of a Client prints the secrets of a source that is a struct.
func TestClient_PrintsNoSecretOfItsSource(t *testing.T) {
	c, err := cdn.NewClient(structSource{testCreds}, nil)
	require.NoError(t, err)
	assert.NotContains(t, fmt.Sprintf("%+v", c), "hidden/secret")
	assert.NotContains(t, fmt.Sprintf("%#v", c), "hidden/secret")
}

type structSource struct{ creds signer.Credentials }

func (s structSource) Credentials(context.Context) (signer.Credentials, error) { return s.creds, nil }

// A signature in base64 in the header Authorization is not known as one.
func TestSecrets_SignatureInBase64(t *testing.T) {
	c := clientAnswering(t, nil, cdn.Options{MaxAttempts: 1, Signer: roaSigner{}}, func(r *http.Request) (int, string) {
		return 400, `{"RequestId":"1","Code":"X","Message":"` + r.Header.Get("Authorization") + `"}`
	})
	assert.NotContains(t, c.Do(t.Context(), signer.Call{Action: "X"}, nil).Error(), "c2lnbmF0dXJlLXNpZ25hdHVyZS1zaWduYXR1cmU")
}

type roaSigner struct{ signer.RPC }

func (s roaSigner) Sign(ctx context.Context, e *url.URL, c signer.Call, in signer.Input) (*http.Request, error) {
	r, err := s.RPC.Sign(ctx, e, c, in)
	if err == nil {
		r.Header.Set("Authorization", "acs "+in.Credentials.AccessKeyID+":c2lnbmF0dXJlLXNpZ25hdHVyZS1zaWduYXR1cmU=")
	}
	return r, err
}

func TestCredentials_URLThatCannotBeParsedIsNoOutage(t *testing.T) {
	source := cdn.CredentialFunc(func(context.Context) (signer.Credentials, error) {
		_, err := url.Parse(strings.TrimSuffix("http://[::1]", "]"))
		return signer.Credentials{}, err
	})
	c := clientAnswering(t, source, cdn.Options{}, func(*http.Request) (int, string) { return 200, `{}` })
	require.ErrorIs(t, describeDomain(t.Context(), c), cdn.ErrNoCredentials)
}

func TestCertInfo_LastOfANameCounts(t *testing.T) {
	for range 50 {
		var info cdn.CertInfo
		require.NoError(t, info.UnmarshalJSON([]byte(`{"status":"failed","Status":"success"}`)))
		require.Equal(t, "success", info.Status)
	}
}
