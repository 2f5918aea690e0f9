package cdntest_test

import (
	"context"
	"crypto"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/cdn"
	"github.com/cdncsr/cdncsr/cdn/cdntest"
	"github.com/cdncsr/cdncsr/csr"
	"github.com/cdncsr/cdncsr/signer"
)

func TestAPI_AcceptsEachWayOfSendingRPC(t *testing.T) {
	for name, way := range map[string][2]string{
		"Go SDK v1":          {"POST", "query"},
		"Node pop-core, GET": {"GET", "query"},
		"Node pop-core POST": {"POST", "form"},
	} {
		status, e := ask(t, newAPI(), rpcRequest(t, way[0], way[1], rpcParams(), secret))
		assert.Equal(t, http.StatusOK, status, "%s: %v", name, e)
	}
}

func TestAPI_ChecksWhatRPCSends(t *testing.T) {
	set := func(name, value string) func(url.Values) {
		return func(params url.Values) { params.Set(name, value) }
	}
	clock := func(d time.Duration) func(url.Values) {
		return func(params url.Values) {
			params.Set("Timestamp", time.Now().UTC().Add(d).Format("2006-01-02T15:04:05Z"))
		}
	}
	tests := map[string]struct {
		change func(url.Values)
		status int
		code   string
	}{
		"no action":             {func(p url.Values) { p.Del("Action") }, 400, "MissingParameter"},
		"another action":        {set("Action", "DescribeCdnService"), 404, "InvalidAction.NotFound"},
		"no version":            {func(p url.Values) { p.Del("Version") }, 400, "MissingParameter"},
		"another version":       {set("Version", "2014-11-11"), 400, "InvalidVersion"},
		"no key":                {func(p url.Values) { p.Del("AccessKeyId") }, 400, "MissingParameter"},
		"unknown key":           {set("AccessKeyId", "who"), 404, "InvalidAccessKeyId.NotFound"},
		"signature method":      {set("SignatureMethod", "HMAC-SHA256"), 400, "InvalidParameter"},
		"signature version":     {set("SignatureVersion", "2.0"), 400, "InvalidParameter"},
		"no nonce":              {func(p url.Values) { p.Del("SignatureNonce") }, 400, "MissingParameter"},
		"no time":               {func(p url.Values) { p.Del("Timestamp") }, 400, "MissingParameter"},
		"time not well formed":  {set("Timestamp", "now"), 400, "InvalidTimeStamp.Format"},
		"15 minutes behind":     {clock(-15 * time.Minute), 200, ""},
		"15 minutes ahead":      {clock(15 * time.Minute), 200, ""},
		"a second more behind":  {clock(-15*time.Minute - time.Second), 400, "InvalidTimeStamp.Expired"},
		"a second more ahead":   {clock(15*time.Minute + time.Second), 400, "InvalidTimeStamp.Expired"},
		"token not of this key": {set("SecurityToken", "x"), 403, "InvalidSecurityToken.MismatchWithAccessKey"},
		"token missing":         {set("AccessKeyId", "STS.id"), 400, "MissingSecurityToken"},
		"token right": {
			func(p url.Values) { p.Set("AccessKeyId", "STS.id"); p.Set("SecurityToken", "CAIS+/==") }, 200, "",
		},
		"twice":            {func(p url.Values) { p.Add("CommonName", "example.org") }, 400, "InvalidParameter"},
		"no name":          {func(p url.Values) { p.Del("CommonName") }, 400, "MissingParameter"},
		"Country of three": {set("Country", "CHN"), 400, "InvalidValue.Malformed"},
		"what csr refuses": {set("CommonName", "a..b"), 400, "InvalidParameter"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { // where time stands still
				params := rpcParams()
				test.change(params)
				status, e := ask(t, newAPI(), rpcRequest(t, "POST", "form", params, secret))
				assert.Equal(t, test.status, status)
				assert.Equal(t, test.code, e.Code)
				if test.code != "" {
					assert.NotEmpty(t, e.Message)
					assert.Equal(t, "cdn.aliyuncs.com", e.HostId)
				}
			})
		})
	}
}

func TestAPI_RefusesAnotherSecretAndEchoesTheStringToSign(t *testing.T) {
	status, e := ask(t, newAPI(), rpcRequest(t, "GET", "query", rpcParams(), "other"))
	assert.Equal(t, http.StatusBadRequest, status)
	assert.Equal(t, "SignatureDoesNotMatch", e.Code)
	assert.Contains(t, e.Message, "server string to sign is:GET&%2F&AccessKeyId%3Dtestid%26")
}

func TestAPI_RefusesAChangedParameter(t *testing.T) {
	req := rpcRequest(t, "GET", "query", rpcParams(), secret)
	req.URL.RawQuery = strings.Replace(req.URL.RawQuery, "example.com", "example.org", 1)
	_, e := ask(t, newAPI(), req)
	assert.Equal(t, "SignatureDoesNotMatch", e.Code)
}

func TestAPI_RefusesAUsedNonce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := newAPI()
		for range 3 { // a nonce is good again when no timestamp of its first use can be
			status, _ := ask(t, api, rpcRequest(t, "POST", "form", rpcParams(), secret))
			require.Equal(t, http.StatusOK, status)
			for _, after := range []time.Duration{0, time.Minute, 29 * time.Minute} {
				time.Sleep(after)
				_, e := ask(t, api, rpcRequest(t, "POST", "form", rpcParams(), secret))
				require.Equal(t, "SignatureNonceUsed", e.Code)
			}
			time.Sleep(time.Second) // 30 minutes and a second after the first use
		}
	})
}

// TestAPI_RemembersANonceUntilItsTimestampIsOld has a call that is ahead of the
// fake's clock, and others that let it forget.
func TestAPI_RemembersANonceUntilItsTimestampIsOld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := newAPI()
		other := func() {
			params := rpcParams()
			params.Set("SignatureNonce", time.Now().String())
			_, _ = ask(t, api, rpcRequest(t, "POST", "form", params, secret))
		}
		other()
		time.Sleep(14*time.Minute + 59*time.Second)
		ahead := rpcParams()
		ahead.Set("Timestamp", time.Now().UTC().Add(14*time.Minute).Format("2006-01-02T15:04:05Z"))
		status, _ := ask(t, api, rpcRequest(t, "POST", "form", maps.Clone(ahead), secret))
		require.Equal(t, http.StatusOK, status)
		for _, later := range []time.Duration{time.Minute, 16 * time.Minute} {
			time.Sleep(later)
			other()
		}
		_, e := ask(t, api, rpcRequest(t, "POST", "form", maps.Clone(ahead), secret))
		require.Equal(t, "SignatureNonceUsed", e.Code)
	})
}

func TestAPI_ChecksWhatACS3Sends(t *testing.T) {
	header := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(name, value) }
	}
	tests := map[string]struct {
		change func(*http.Request)
		code   string
	}{
		"right":                     {func(*http.Request) {}, ""},
		"a header that is unsigned": {header("x-acs-extra", "1"), "IncompleteSignature"},
		"a type that is unsigned":   {header("Content-Type", "text/plain"), "IncompleteSignature"},
		"unknown authorization":     {header("Authorization", "Bearer x"), "IncompleteSignature"},
		"hash of another body":      {header("x-acs-content-sha256", "00"), "InvalidParameter"},
		"action changed":            {header("x-acs-action", "Other"), "InvalidAction.NotFound"},
		"version missing":           {func(r *http.Request) { r.Header.Del("x-acs-version") }, "MissingParameter"},
		"nonce missing":             {func(r *http.Request) { r.Header.Del("x-acs-signature-nonce") }, "MissingParameter"},
		"nonce changed":             {header("x-acs-signature-nonce", "x"), "SignatureDoesNotMatch"},
		"host changed":              {func(r *http.Request) { r.Host = "other" }, "SignatureDoesNotMatch"},
		"no path":                   {func(r *http.Request) { r.URL.Path = "" }, ""},
		"no Host but the URL's":     {func(r *http.Request) { r.Host = "" }, ""},
		"path changed":              {func(r *http.Request) { r.URL.Path = "/x" }, "SignatureDoesNotMatch"},
		"method changed":            {func(r *http.Request) { r.Method = "GET" }, "SignatureDoesNotMatch"},
		"query changed":             {func(r *http.Request) { r.URL.RawQuery += "&State=x" }, "SignatureDoesNotMatch"},
		"query not a query":         {func(r *http.Request) { r.URL.RawQuery += "&%zz" }, "InvalidParameter"},
		"token changed":             {header("x-acs-security-token", "x"), "InvalidSecurityToken.MismatchWithAccessKey"},
		"date changed": {
			header("x-acs-date", time.Now().UTC().Add(-time.Minute).Format("2006-01-02T15:04:05Z")), "SignatureDoesNotMatch",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, e := ask(t, newAPI(), acs3Request(t, test.change))
			assert.Equal(t, test.code, e.Code)
		})
	}
}

// acs3Headers are those that an ACS3 request must sign, in their order.
var acs3Headers = []string{
	"host", "x-acs-action", "x-acs-content-sha256", "x-acs-date", "x-acs-security-token", "x-acs-signature-nonce", "x-acs-version",
}

func TestAPI_RequiresSortedSignedHeaders(t *testing.T) {
	reversed := slices.Clone(acs3Headers)
	slices.Reverse(reversed)
	tests := map[string]struct {
		signed []string
		want   string
	}{
		"right":    {acs3Headers, ""},
		"one more": {slices.Insert(slices.Clone(acs3Headers), 0, "accept"), ""},
		"unsorted": {reversed, "IncompleteSignature"},
		"two exchanged": {
			slices.Concat(acs3Headers[:5], []string{"x-acs-version", "x-acs-signature-nonce"}), "IncompleteSignature",
		},
		"one twice":      {slices.Insert(slices.Clone(acs3Headers), 0, "host"), "IncompleteSignature"},
		"last one twice": {append(slices.Clone(acs3Headers), "x-acs-version"), "IncompleteSignature"},
		"in upper case":  {slices.Insert(slices.Clone(acs3Headers), 0, "Accept"), "IncompleteSignature"},
		"one missing":    {acs3Headers[1:], "IncompleteSignature"},
		"none":           {[]string{""}, "IncompleteSignature"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, e := ask(t, newAPI(), acs3Request(t, func(r *http.Request) { resign(r, test.signed...) }))
			assert.Equal(t, test.want, e.Code)
		})
	}
}

func TestAPI_RequiresEachPartOfTheAuthorization(t *testing.T) {
	for _, part := range []string{"ACS3-HMAC-SHA256 Credential=", ",SignedHeaders=", ",Signature="} {
		_, e := ask(t, newAPI(), acs3Request(t, func(r *http.Request) {
			r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), part, "", 1))
		}))
		assert.Equal(t, "IncompleteSignature", e.Code, part)
	}
}

func TestAPI_HasOnePath(t *testing.T) {
	rpc := rpcRequest(t, "POST", "form", rpcParams(), secret)
	rpc.URL.Path = "/x"
	acs3 := acs3Request(t, func(r *http.Request) {
		r.URL.Path = "/x"
		resign(r, acs3Headers...)
	})
	for name, req := range map[string]*http.Request{"RPC": rpc, "ACS3": acs3} {
		status, e := ask(t, newAPI(), req)
		assert.Equal(t, http.StatusNotFound, status, name)
		assert.Equal(t, "InvalidAction.NotFound", e.Code, name)
	}
}

func TestAPI_TakesNoParametersFromTheBodyUnderACS3(t *testing.T) {
	_, e := ask(t, newAPI(), acs3Request(t, func(r *http.Request) {
		body := r.URL.RawQuery
		hash := sha256.Sum256([]byte(body))
		r.URL.RawQuery, r.Body = "", io.NopCloser(strings.NewReader(body))
		r.Header.Set("x-acs-content-sha256", hex.EncodeToString(hash[:]))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		resign(r, slices.Insert(slices.Clone(acs3Headers), 0, "content-type")...)
	}))
	assert.Equal(t, "MissingParameter", e.Code)
}

func TestAPI_AnswersInTheFormatAskedFor(t *testing.T) {
	for format, contentType := range map[string]string{"JSON": "application/json", "XML": "text/xml", "": "text/xml"} {
		params := rpcParams()
		params.Set("Format", format)
		resp, err := newAPI().RoundTrip(rpcRequest(t, "POST", "form", params, secret))
		require.NoError(t, err)
		assert.Contains(t, resp.Header.Get("Content-Type"), contentType)
		body, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		var got csr.Response
		if format == "JSON" {
			require.NoError(t, json.Unmarshal(body, &got))
		} else {
			require.NoError(t, xml.Unmarshal(body, &got))
		}
		_, err = got.CertificateRequest()
		require.NoError(t, err)
	}
}

// brokenBody is a body that breaks off.
type brokenBody struct{}

func (brokenBody) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func TestAPI_RefusesWhatItCannotRead(t *testing.T) {
	rpc := func(change func(*http.Request)) *http.Request {
		req := rpcRequest(t, "POST", "form", rpcParams(), secret)
		change(req)
		return req
	}
	for name, req := range map[string]*http.Request{
		"query":          rpc(func(r *http.Request) { r.URL.RawQuery = "%zz" }),
		"form":           rpc(func(r *http.Request) { r.Body = io.NopCloser(strings.NewReader("%zz")) }),
		"body":           rpc(func(r *http.Request) { r.Body = io.NopCloser(brokenBody{}) }),
		"query and form": rpc(func(r *http.Request) { r.URL.RawQuery = "CommonName=a" }),
		"query twice":    acs3Request(t, func(r *http.Request) { r.URL.RawQuery += "&City=a" }),
	} {
		_, e := ask(t, newAPI(), req)
		assert.Equal(t, "InvalidParameter", e.Code, name)
	}
}

func TestAPI_ReportsASourceThatFails(t *testing.T) {
	api := newAPI()
	api.Source = brokenSource{}
	status, e := ask(t, api, rpcRequest(t, "POST", "form", rpcParams(), secret))
	assert.Equal(t, http.StatusInternalServerError, status)
	assert.Equal(t, "Internal.KeyError", e.Code)
}

type brokenSource struct{}

func (brokenSource) NewKey(context.Context) (crypto.Signer, error) {
	return nil, errors.New("no entropy")
}

func TestServer_NewClient(t *testing.T) {
	srv := cdntest.NewServer(t)
	srv.API.Source = csr.P256
	for _, opts := range []*cdn.Options{nil, {Endpoint: "http://127.0.0.1:1", Signer: signer.ACS3{}}} {
		resp, err := srv.NewClient(t, opts).
			CreateCdnCertificateSigningRequest(t.Context(), &csr.Request{CommonName: "example.com"})
		require.NoError(t, err)
		_, err = srv.API.Keys.Get(t.Context(), resp.PubMd5)
		require.NoError(t, err)
	}
}

// A fatalTB records what ends a test.
type fatalTB struct {
	testing.TB
	fatal string
}

func (f *fatalTB) Fatalf(format string, args ...any) {
	f.fatal = fmt.Sprintf(format, args...)
	runtime.Goexit()
}

func TestServer_NewClient_WithoutCredentialsCanNotCall(t *testing.T) {
	srv := cdntest.NewServer(t)
	srv.API.Credentials = nil
	_, err := srv.NewClient(t, nil).CreateCdnCertificateSigningRequest(t.Context(), &csr.Request{CommonName: "example.com"})
	require.ErrorIs(t, err, cdn.ErrNoCredentials)
}

func TestServer_NewClient_EndsTheTestForAnInvalidOption(t *testing.T) {
	srv, tb, done := cdntest.NewServer(t), &fatalTB{TB: t}, make(chan struct{})
	go func() {
		defer close(done)
		srv.NewClient(tb, &cdn.Options{MaxAttempts: -1})
	}()
	<-done
	assert.Regexp(t, "^cdntest: .*MaxAttempts", tb.fatal)
}

func TestAPI_ZeroValueKnowsNoKeys(t *testing.T) {
	status, e := ask(t, new(cdntest.API), rpcRequest(t, "POST", "form", rpcParams(), secret))
	assert.Equal(t, http.StatusNotFound, status)
	assert.Equal(t, "InvalidAccessKeyId.NotFound", e.Code)
}

func TestAPI_KeepsTheKeyOfEachCSR(t *testing.T) {
	api := newAPI()
	resp, err := api.RoundTrip(rpcRequest(t, "POST", "form", rpcParams(), secret))
	require.NoError(t, err)
	var got csr.Response
	require.NoError(t, json.NewDecoder(resp.Body).Decode(&got))
	key, err := api.Keys.Get(t.Context(), got.PubMd5)
	require.NoError(t, err)
	parsed, err := got.CertificateRequest()
	require.NoError(t, err)
	assert.Equal(t, parsed.PublicKey, key.Public())
}

// TestAPI_NamesAnInvalidParameterOnce: the client puts the kind of error in
// front of the message, so it is not in there too.
func TestAPI_NamesAnInvalidParameterOnce(t *testing.T) {
	params := rpcParams()
	params.Set("CommonName", "a..b")
	_, problem := ask(t, newAPI(), rpcRequest(t, http.MethodPost, "form", params, secret))
	require.Equal(t, "InvalidParameter", problem.Code)
	assert.Regexp(t, `^CommonName "a\.\.b" has an empty label`, problem.Message)
}
