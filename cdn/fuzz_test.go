package cdn_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/cdn"
	"github.com/cdncsr/cdncsr/csr"
)

// FuzzAnswer checks that whatever comes with whatever status is a response with
// a CSR, or an *Error of one kind that prints one line without a secret.
func FuzzAnswer(f *testing.F) {
	for _, row := range faultRows() {
		for _, fault := range row.script {
			f.Add(fault.Status, fault.Header.Get("Content-Type"), fault.Body)
		}
	}
	f.Add(200, "", []byte(`{"Csr":"a\nb\\nc\u00e4\/","CommonName":"\ud83d\udd0f","PubMd5":"\n","RequestId":null}`))
	f.Add(200, "text/xml", []byte(`<Error><Code>Throttling</Code><Message>a<b>c</b>&amp;d</Message></Error>`))
	f.Add(400, "", []byte(`{"Code":"SignatureDoesNotMatch","Message":"server string to sign is:POST&%2F&AccessKeyId%3DSTS.hiddenid%26A%3DB"}`))
	f.Add(999, "application/json", []byte(`{"Code":"x","Message":"STS.hiddenid hidden%2Fsecret%2B%3D%3D"}`))
	f.Fuzz(func(t *testing.T, status int, contentType string, body []byte) {
		s := newFixture(t, &cdn.Options{
			MaxAttempts: 1, HTTPClient: &http.Client{Transport: answering(status, http.Header{"Content-Type": {contentType}}, body)},
		})
		resp, err := s.client.CreateCdnCertificateSigningRequest(t.Context(), request)
		if err == nil {
			require.NotEmpty(t, resp.Csr)
			require.Equal(t, csr.OriginCDN, resp.Origin)
			require.Equal(t, 2, status/100)
			var want csr.Response
			if json.Unmarshal(bytes.TrimPrefix(bytes.TrimSpace(body), []byte("\ufeff")), &want) == nil {
				want.Origin, want.RequestId = csr.OriginCDN, strings.TrimSpace(want.RequestId)
				require.Equal(t, want, *resp, "encoding/json reads it otherwise")
			}
			return
		}
		requireOneKind(t, err)
	})
}

// requireOneKind requires that err is an *Error of one kind and one line, of
// one attempt, without a secret.
func requireOneKind(t *testing.T, err error) {
	t.Helper()
	require.Equal(t, 1, asError(t, err).Attempts)
	kinds := 0
	for _, kind := range []error{cdn.ErrUnavailable, cdn.ErrThrottled, cdn.ErrDenied, cdn.ErrInvalidRequest} {
		if errors.Is(err, kind) {
			kinds++
		}
	}
	require.Equal(t, 1, kinds)
	require.NotContains(t, err.Error(), "\n")
	const ofHiddenKey = "HiddenHiddenHidd" // fewer letters may be of any text
	for _, secret := range []string{testCreds.AccessKeyID, testCreds.AccessKeySecret, testCreds.SecurityToken, ofHiddenKey} {
		require.NotContains(t, printed(t, err), secret)
	}
}

// fuzzAnswers checks that whatever comes with whatever status is a response
// with a request ID or an *Error. The seeds are samples and what was found
// before.
func fuzzAnswers(f *testing.F, call calling, samples ...string) {
	for _, text := range append(samples, "", "{}", "null", `{"RequestId":"R"}`, `{"RequestId":{"a":1}}`, `{"RequestId":"R","Code":7}`,
		`{"Code":"Certificate.NoPrivateKey","Message":"`+hiddenKey+`"}`, `<Error><Code>ServiceBusy</Code></Error>`) {
		f.Add(200, []byte(text))
		f.Add(500, []byte(text))
	}
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		s := newFixture(t, &cdn.Options{MaxAttempts: 1, HTTPClient: &http.Client{Transport: answering(status, nil, body)}})
		requestID, err := call(t.Context(), s.client)
		if err != nil {
			requireOneKind(t, err)
			return
		}
		require.NotEmpty(t, strings.TrimSpace(requestID))
		require.Equal(t, 2, status/100)
	})
}

func FuzzSetCdnDomainCSRCertificateAnswer(f *testing.F) {
	fuzzAnswers(f, setCSR(&csrRequest{DomainName: "a", ServerCertificate: "x"}),
		`<SetCdnDomainCSRCertificateResponse><RequestId>R</RequestId></SetCdnDomainCSRCertificateResponse>`)
}

func FuzzSetCdnDomainSSLCertificateAnswer(f *testing.F) {
	fuzzAnswers(f, setSSL(&sslRequest{DomainName: "a", SSLProtocol: "on", SSLPub: "x", SSLPri: hiddenKey}),
		`<SetCdnDomainSSLCertificateResponse><RequestId>R</RequestId></SetCdnDomainSSLCertificateResponse>`)
}

func FuzzDescribeDomainCertificateInfoAnswer(f *testing.F) {
	fuzzAnswers(f, describe(&infoRequest{DomainName: "a"}),
		string(sample(f, "DescribeDomainCertificateInfo.json")), string(sample(f, "DescribeDomainCertificateInfo.xml")),
		`{"RequestId":"R","CertInfos":{"CertInfo":[{"CertId":1,"CertStartTime":"soon"}]}}`)
}

func FuzzDescribeCdnSSLCertificateListAnswer(f *testing.F) {
	fuzzAnswers(f, list(&listRequest{}),
		string(sample(f, "DescribeCdnSSLCertificateList.json")), string(sample(f, "DescribeCdnSSLCertificateList.xml")),
		`{"RequestId":"R","CertificateListModel":{"Count":"1","CertList":{"Cert":[{"CertId":"1"}]}}}`)
}

// FuzzWait checks that whatever the headers ask for, RetryAfter is not negative
// and no wait is longer than 20 s, and that a shorter wait that is asked for is
// kept.
func FuzzWait(f *testing.F) {
	f.Add("1234", "", "")
	f.Add("", "7", "")
	f.Add("-1", "Sat, 01 Jan 2000 00:00:09 GMT", "Limit:100,Remain:0,TimeLeft:500,Reset:1000")
	f.Add("99999999999999999999", "1e9", "TimeLeft:9223372036854775807")
	f.Add("", "Thu, 01 Jan 1970 00:00:00 GMT", ",:,TimeLeft")
	f.Fuzz(func(t *testing.T, acs, after, rateLimit string) {
		for _, value := range []string{acs, after, rateLimit} {
			if strings.ContainsFunc(value, func(r rune) bool { return r < ' ' }) {
				return // net/http takes no such header
			}
		}
		synctest.Test(t, func(t *testing.T) {
			header := http.Header{"X-Acs-Retry-After": {acs}, "Retry-After": {after}, "X-Ratelimit-User-Api": {rateLimit}}
			s := newFixture(t, &cdn.Options{
				MaxAttempts: 2, HTTPClient: &http.Client{Transport: answering(429, header, []byte(`{"Code":"Throttling"}`))},
			})
			_, err := s.client.CreateCdnCertificateSigningRequest(t.Context(), request)
			requireKind(t, err, cdn.ErrThrottled)
			want := asError(t, err).RetryAfter
			require.GreaterOrEqual(t, want, time.Duration(0))
			wait := s.attempts[0].Wait
			require.LessOrEqual(t, wait, 20*time.Second)
			switch {
			case want > 20*time.Second:
				require.Len(t, s.attempts, 1)
			case want > 0:
				require.Equal(t, want, wait)
			default:
				require.GreaterOrEqual(t, wait, 50*time.Millisecond)
			}
		})
	})
}
