package signer_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/signer"
)

var (
	cdnEndpoint = &url.URL{Scheme: "https", Host: "cdn.aliyuncs.com"}
	odd         = map[string]string{ // names, values and orders that need care
		"CommonName": "a b",
		"SANs":       "x+y,*.example.com",
		"Tilde~":     "~._-",
		"Slash/":     "a/b",
		"&amp":       "&begins",
		"equals=":    "=a=b",
		"percent":    "100%25",
		"hash":       "#f",
		"城市":         "杭州市",
		"emoji":      "🔏\u200d",
		"empty":      "",
		"a":          "lower sorts after upper",
		"Z":          "Z",
		"A.b":        ".",
		"A":          "prefix of A.b",
		"bytes":      "\x00\x7f\xff",
	}
)

func oddInput() (signer.Call, signer.Input) {
	call := signer.Call{Action: "CreateCdnCertificateSigningRequest", Version: "2018-05-10", Format: "XML", Params: odd}
	in := signer.Input{
		Credentials: signer.Credentials{AccessKeyID: "testid", AccessKeySecret: "test+/=secret", SecurityToken: "CAIS/+=="},
		Time:        time.Date(2026, 3, 1, 7, 4, 5, 999, time.FixedZone("CST", 8*3600)),
		Nonce:       "3ee8c1b8-83d3-44af-a94f-4e0ad82fd6cf",
	}
	return call, in
}

// encoded encodes s by url.QueryEscape and replacements, as Alibaba's
// documentation describes it, and not by the code under test.
func encoded(s string) string {
	return strings.NewReplacer("+", "%20", "*", "%2A", "%7E", "~").Replace(url.QueryEscape(s))
}

func canonical(params map[string]string) string {
	var pairs []string
	for _, name := range slices.Sorted(maps.Keys(params)) {
		pairs = append(pairs, encoded(name)+"="+encoded(params[name]))
	}
	return strings.Join(pairs, "&")
}

func TestRPC_OddParameters(t *testing.T) {
	call, in := oddInput()
	params := maps.Clone(odd)
	maps.Copy(params, map[string]string{
		"Action": call.Action, "Version": call.Version, "Format": "XML",
		"AccessKeyId": "testid", "SecurityToken": "CAIS/+==",
		"SignatureMethod": "HMAC-SHA1", "SignatureVersion": "1.0", "SignatureNonce": in.Nonce,
		"Timestamp": "2026-02-28T23:04:05Z",
	})
	for _, method := range []string{"GET", "POST"} {
		t.Run(method, func(t *testing.T) {
			want := method + "&%2F&" + encoded(canonical(params))
			require.Equal(t, want, signer.RPC{Method: method}.StringToSign(call, in))

			req, err := signer.RPC{Method: method}.Sign(t.Context(), cdnEndpoint, call, in)
			require.NoError(t, err)
			require.Equal(t, method, req.Method)
			sent := req.URL.RawQuery
			if method == "POST" {
				require.Empty(t, sent)
				require.Equal(t, "application/x-www-form-urlencoded", req.Header.Get("Content-Type"))
				body, readErr := io.ReadAll(req.Body)
				require.NoError(t, readErr)
				require.EqualValues(t, len(body), req.ContentLength)
				sent = string(body)
			}
			got, err := url.ParseQuery(sent)
			require.NoError(t, err)
			mac := hmac.New(sha1.New, []byte("test+/=secret&"))
			_, _ = io.WriteString(mac, want) // a hash never fails
			require.Equal(t, base64.StdEncoding.EncodeToString(mac.Sum(nil)), got.Get("Signature"))
			got.Del("Signature")
			require.Len(t, got, len(params))
			for name, value := range params {
				require.Equal(t, []string{value}, got[name], name)
			}
		})
	}
}

func TestACS3_OddParameters(t *testing.T) {
	call, in := oddInput()
	const hashOfNothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	names := "host;x-acs-action;x-acs-content-sha256;x-acs-date;x-acs-security-token;x-acs-signature-nonce;x-acs-version"
	want := strings.Join([]string{
		"POST", "/", canonical(odd),
		"host:cdn.aliyuncs.com",
		"x-acs-action:CreateCdnCertificateSigningRequest",
		"x-acs-content-sha256:" + hashOfNothing,
		"x-acs-date:2026-02-28T23:04:05Z",
		"x-acs-security-token:CAIS/+==",
		"x-acs-signature-nonce:" + in.Nonce,
		"x-acs-version:2018-05-10",
		"", names, hashOfNothing,
	}, "\n")
	require.Equal(t, want, signer.ACS3{}.CanonicalRequest(cdnEndpoint, call, in))

	req, err := signer.ACS3{}.Sign(t.Context(), cdnEndpoint, call, in)
	require.NoError(t, err)
	require.Equal(t, "POST", req.Method)
	require.Equal(t, canonical(odd), req.URL.RawQuery)
	require.Nil(t, req.Body)
	require.Equal(t, "application/xml", req.Header.Get("Accept"))
	for _, line := range strings.Split(want, "\n")[4:10] {
		name, value, _ := strings.Cut(line, ":")
		require.Equal(t, value, req.Header.Get(name), name)
	}
	mac := hmac.New(sha256.New, []byte("test+/=secret"))
	_, _ = fmt.Fprintf(mac, "ACS3-HMAC-SHA256\n%x", sha256.Sum256([]byte(want))) // a hash never fails
	authorization := "ACS3-HMAC-SHA256 Credential=testid,SignedHeaders=" + names + ",Signature=" + hex.EncodeToString(mac.Sum(nil))
	require.Equal(t, authorization, req.Header.Get("Authorization"))
}

// signers has both signers in each of their forms.
var signers = map[string]signer.Signer{
	"RPC": signer.RPC{}, "RPC GET": signer.RPC{Method: http.MethodGet}, "ACS3": signer.ACS3{},
}

func TestSign_SameInputSameRequest(t *testing.T) {
	call, in := oddInput()
	for name, s := range signers {
		a, err := s.Sign(t.Context(), cdnEndpoint, call, in)
		require.NoError(t, err)
		b, err := s.Sign(t.Context(), cdnEndpoint, call, in)
		require.NoError(t, err)
		require.Equal(t, dump(t, a), dump(t, b), name)

		in := in
		in.Nonce = ""
		a, err = s.Sign(t.Context(), cdnEndpoint, call, in)
		require.NoError(t, err)
		b, err = s.Sign(t.Context(), cdnEndpoint, call, in)
		require.NoError(t, err)
		require.NotEqual(t, dump(t, a), dump(t, b), "%s without a nonce", name)
	}
}

func TestSign_ZeroTimeIsNow(t *testing.T) {
	call, in := oddInput()
	in.Time = time.Time{}
	before := time.Now().Truncate(time.Second)
	req, err := signer.ACS3{}.Sign(t.Context(), cdnEndpoint, call, in)
	require.NoError(t, err)
	date, err := time.Parse(time.RFC3339, req.Header.Get("x-acs-date"))
	require.NoError(t, err)
	assert.False(t, date.Before(before))
	assert.False(t, date.After(time.Now()))
}

func TestSign_RequestHasContext(t *testing.T) {
	call, in := oddInput()
	type key struct{}
	ctx := context.WithValue(t.Context(), key{}, "value")
	for name, s := range signers {
		req, err := s.Sign(ctx, cdnEndpoint, call, in)
		require.NoError(t, err)
		require.Equal(t, "value", req.Context().Value(key{}), name)
	}
}

func dump(t *testing.T, req *http.Request) string {
	t.Helper()
	var body []byte
	if req.Body != nil {
		var err error
		body, err = io.ReadAll(req.Body)
		require.NoError(t, err)
	}
	return fmt.Sprint(req.Method, req.URL, req.Header, string(body))
}

func TestSign_DoesNotChangeInput(t *testing.T) {
	call, in := oddInput()
	call.Params = maps.Clone(odd)
	u := *cdnEndpoint
	for _, s := range signers {
		_, err := s.Sign(t.Context(), &u, call, in)
		require.NoError(t, err)
	}
	require.Equal(t, odd, call.Params)
	require.Equal(t, *cdnEndpoint, u)
}

// SignedString returns what the signature of the request is the HMAC of.
func TestSignedString_IsWhatSignSigns(t *testing.T) {
	call, in := oddInput()
	secret := in.Credentials.AccessKeySecret
	for name, s := range signers {
		t.Run(name, func(t *testing.T) {
			shown := s.(interface {
				SignedString(endpoint *url.URL, call signer.Call, in signer.Input) string
			}).SignedString(cdnEndpoint, call, in)
			req, err := s.Sign(t.Context(), cdnEndpoint, call, in)
			require.NoError(t, err)
			var got, want string
			if name == "ACS3" {
				_, got, _ = strings.Cut(req.Header.Get("Authorization"), ",Signature=")
				want = hex.EncodeToString(sum(hmac.New(sha256.New, []byte(secret)), shown))
			} else {
				require.NoError(t, req.ParseForm())
				got = req.Form.Get("Signature")
				want = base64.StdEncoding.EncodeToString(sum(hmac.New(sha1.New, []byte(secret+"&")), shown))
			}
			require.NotEmpty(t, got)
			assert.Equal(t, want, got)
		})
	}
}

// sum returns the MAC of text.
func sum(mac hash.Hash, text string) []byte {
	_, _ = io.WriteString(mac, text) // a hash never fails
	return mac.Sum(nil)
}

func TestSign_AcceptsEveryFormOfEndpoint(t *testing.T) {
	for _, address := range []string{
		"https://cdn.aliyuncs.com", "http://localhost:8080", "https://127.0.0.1", "https://127.0.0.1:443/", "http://[::1]", "http://[::1]:1",
	} {
		u, err := url.Parse(address)
		require.NoError(t, err)
		call, in := oddInput()
		for name, s := range signers {
			req, err := s.Sign(t.Context(), u, call, in)
			require.NoError(t, err, "%s to %s", name, address)
			assert.Equal(t, u.Host, req.URL.Host)
			assert.Equal(t, u.Host, req.Host)
		}
	}
}

// benchmarkCall returns a call as the CDN's client makes it.
func benchmarkCall() (signer.Call, signer.Input) {
	in := signer.Input{
		Credentials: signer.Credentials{AccessKeyID: "testid", AccessKeySecret: "testsecret"},
		Time:        time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC),
		Nonce:       "3ee8c1b8-83d3-44af-a94f-4e0ad82fd6cf",
	}
	call := signer.Call{
		Action: "CreateCdnCertificateSigningRequest", Version: "2018-05-10",
		Params: map[string]string{"CommonName": "example.com", "SANs": "www.example.com,*.example.com"},
	}
	return call, in
}

// A buffer that is made too small, or grown again, shows as one more
// allocation.
func TestSign_Allocations(t *testing.T) {
	if isRace {
		t.Skip("the race detector allocates too")
	}
	call, in := benchmarkCall()
	for name, most := range map[string]float64{"RPC": 18, "RPC GET": 14, "ACS3": 15} {
		got := testing.AllocsPerRun(200, func() {
			if _, err := signers[name].Sign(t.Context(), cdnEndpoint, call, in); err != nil {
				t.Error(err)
			}
		})
		assert.LessOrEqual(t, got, most, name)
	}
}

func BenchmarkSign(b *testing.B) {
	call, in := benchmarkCall()
	for _, name := range slices.Sorted(maps.Keys(signers)) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := signers[name].Sign(b.Context(), cdnEndpoint, call, in); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
