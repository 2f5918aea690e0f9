package cdn_test

import (
	"context"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/cdn"
	"github.com/cdncsr/cdncsr/signer"
)

// quota is what DescribeCdnUserQuota answers, in part.
type quota struct {
	RequestId   string
	DomainQuota int
}

func TestDo_DecodesTheAnswer(t *testing.T) {
	const (
		inJSON = `{"RequestId":"R","DomainQuota":20,"Code":"OK"}`
		inXML  = `<DescribeCdnUserQuotaResponse><RequestId>R</RequestId><DomainQuota>20</DomainQuota><Code>200</Code></DescribeCdnUserQuotaResponse>`
	)
	want := quota{RequestId: "R", DomainQuota: 20}
	inMap := map[string]any{"RequestId": "R", "DomainQuota": 20.0, "Code": "OK"}
	anything := any(inMap)
	tests := map[string]struct {
		body      string
		into, got any
	}{
		"JSON into a struct":   {inJSON, new(quota), &want},
		"XML into a struct":    {inXML, new(quota), &want},
		"JSON into a map":      {inJSON, new(map[string]any), &inMap},
		"JSON into anything":   {inJSON, new(any), &anything},
		"JSON into nothing":    {inJSON, nil, nil},
		"XML into nothing":     {inXML, nil, nil},
		"an empty object":      {`{}`, new(quota), new(quota)},
		"without a request ID": {`{"DomainQuota":20}`, new(quota), &quota{DomainQuota: 20}},
		"Code 200":             {`{"Code":"200","DomainQuota":20}`, new(quota), &quota{DomainQuota: 20}},
		"Code 200, a number":   {`{"Code":200,"DomainQuota":20}`, new(quota), &quota{DomainQuota: 20}},
		"Code null":            {`{"Code":null,"DomainQuota":20}`, new(quota), &quota{DomainQuota: 20}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, &cdn.Options{HTTPClient: &http.Client{Transport: answering(200, nil, []byte(test.body))}})
			require.NoError(t, f.client.Do(t.Context(), signer.Call{Action: "DescribeCdnUserQuota"}, test.into))
			require.Equal(t, test.got, test.into)
			require.Equal(t, 1, f.sent())
			require.Equal(t, "DescribeCdnUserQuota", f.attempts[0].Action)
		})
	}
}

func TestDo_ErrorsAreThoseOfEveryCall(t *testing.T) {
	tests := map[string]struct {
		status int
		body   string
		want   error
		sent   int
	}{
		"a code with status 200":               {200, `{"Code":"Forbidden.RAM","DomainQuota":1}`, cdn.ErrDenied, 1},
		"a code":                               {404, `{"Code":"InvalidAction.NotFound"}`, cdn.ErrInvalidRequest, 1},
		"a code and a value that does not fit": {403, `{"Code":"Forbidden.RAM","DomainQuota":"many"}`, cdn.ErrDenied, 1},
		"the same in XML": {
			403, `<DescribeCdnUserQuotaResponse><Code>Forbidden.RAM</Code><DomainQuota>many</DomainQuota></DescribeCdnUserQuotaResponse>`,
			cdn.ErrDenied, 1,
		},
		"throttling":           {400, `{"Code":"Throttling.User"}`, cdn.ErrThrottled, 4},
		"OK with status 500":   {500, `{"Code":"OK"}`, cdn.ErrUnavailable, 4},
		"no answer of the API": {200, `<html></html>`, cdn.ErrUnavailable, 4},
		"nothing":              {200, ``, cdn.ErrUnavailable, 4},
		"an array":             {200, `[1]`, cdn.ErrUnavailable, 4},
		"cut JSON":             {200, `{"DomainQuota":`, cdn.ErrUnavailable, 4},
		"cut XML":              {200, `<DescribeCdnUserQuotaResponse>`, cdn.ErrUnavailable, 4},
		"the root of another":  {200, `<DescribeOtherResponse></DescribeOtherResponse>`, cdn.ErrUnavailable, 4},
	}
	for name, test := range tests {
		for into, resp := range map[string]any{"into a struct": new(quota), "into nothing": nil} {
			t.Run(name+" "+into, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					f := newFixture(t, &cdn.Options{HTTPClient: &http.Client{Transport: answering(test.status, nil, []byte(test.body))}})
					err := f.client.Do(t.Context(), signer.Call{Action: "DescribeCdnUserQuota"}, resp)
					requireKind(t, err, test.want)
					require.Equal(t, "DescribeCdnUserQuota", asError(t, err).Action)
					require.Equal(t, test.sent, f.sent())
				})
			})
		}
	}
}

// TestDo_ValueThatCannotHoldTheAnswer has a mistake of the caller's, which
// another attempt would not put right, and another place would not either.
func TestDo_ValueThatCannotHoldTheAnswer(t *testing.T) {
	const inJSON = `{"DomainQuota":"many"}`
	const inXML = `<DescribeCdnUserQuotaResponse><DomainQuota>many</DomainQuota></DescribeCdnUserQuotaResponse>`
	tests := map[string]struct {
		body string
		resp any
	}{
		"JSON": {inJSON, new(quota)}, "XML": {inXML, new(quota)}, "a slice": {inJSON, new([]string)}, "a map, from XML": {inXML, new(map[string]any)},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, &cdn.Options{HTTPClient: &http.Client{Transport: answering(200, nil, []byte(test.body))}})
			err := f.client.Do(t.Context(), signer.Call{Action: "DescribeCdnUserQuota"}, test.resp)
			require.ErrorContains(t, err, "cdn: DescribeCdnUserQuota: decode the answer")
			requireKind(t, err, nil)
			require.Equal(t, 1, f.sent())
			require.Equal(t, err, f.attempts[0].Err, "OnAttempt is called, too")
			f.requireNoSecret(t, err)
		})
	}
	for name, resp := range map[string]any{"a struct": quota{}, "a nil pointer": (*quota)(nil), "a map": map[string]any{}} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, &cdn.Options{HTTPClient: &http.Client{Transport: noTransport(t)}})
			err := f.client.Do(t.Context(), signer.Call{Action: "DescribeCdnUserQuota"}, resp)
			require.ErrorContains(t, err, "resp is not a pointer")
			requireKind(t, err, nil)
		})
	}
}

func TestDo_VersionAndFormat(t *testing.T) {
	tests := map[string]struct {
		call            signer.Call
		version, format string
	}{
		"defaults":      {signer.Call{Action: "DescribeDomains"}, "2018-05-10", "XML"},
		"another API's": {signer.Call{Action: "DescribeDomains", Version: "2015-01-09", Format: "JSON"}, "2015-01-09", "JSON"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, &cdn.Options{
				Format: "XML", Endpoint: "https://alidns.aliyuncs.com",
				HTTPClient: &http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
					require.NoError(t, r.ParseForm())
					require.Equal(t, "alidns.aliyuncs.com", r.URL.Host)
					require.Equal(t, test.version, r.PostForm.Get("Version"))
					require.Equal(t, test.format, r.PostForm.Get("Format"))
					require.Equal(t, "value", r.PostForm.Get("Name"))
					return answering(403, nil, []byte(`{"Code":"Forbidden.RAM"}`)).RoundTrip(r)
				})},
			})
			test.call.Params = map[string]string{"Name": "value"}
			err := f.client.Do(t.Context(), test.call, nil)
			requireKind(t, err, cdn.ErrDenied)
			if test.version == "2018-05-10" {
				require.ErrorContains(t, err, "allow cdn:DescribeDomains")
			} else {
				require.ErrorContains(t, err, "allow DescribeDomains", "RAM's name of another API is not known")
			}
		})
	}
}

// moved is a caller's signer that puts a parameter where none should be.
type moved struct{ put func(*http.Request, string) }

func (m moved) Sign(ctx context.Context, endpoint *url.URL, call signer.Call, in signer.Input) (*http.Request, error) {
	req, err := signer.RPC{}.Sign(ctx, endpoint, call, in)
	if err == nil {
		m.put(req, call.Params["Key"])
	}
	return req, err
}

func TestDo_PrivateKeyIsNotSentInAURL(t *testing.T) {
	query := func(name string, change func(string) string) moved {
		return moved{func(r *http.Request, key string) { r.URL.RawQuery = name + "=" + change(key) }}
	}
	tests := map[string]signer.Signer{
		"ACS3":                    signer.ACS3{},
		"RPC GET":                 signer.RPC{Method: http.MethodGet},
		"by its name":             query("Key", func(string) string { return "" }),
		"under another name":      query("Other", url.QueryEscape),
		"under another name, raw": query("Other", func(key string) string { return key }),
		"in base64":               query("Other", func(key string) string { return base64.URLEncoding.EncodeToString([]byte(key)) }),
		"in part":                 query("Other", func(key string) string { return url.QueryEscape(key[40:80]) }),
		"in the path":             moved{func(r *http.Request, key string) { r.URL.Path = "/" + key }},
	}
	for name, s := range tests {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, &cdn.Options{Signer: s, HTTPClient: &http.Client{Transport: noTransport(t)}})
			err := f.client.Do(t.Context(), signer.Call{Action: "UploadKey", Params: map[string]string{"Key": hiddenKey, "Name": "x"}}, nil)
			requireKind(t, err, cdn.ErrInvalidRequest)
			require.ErrorContains(t, err, "Key")
			require.ErrorContains(t, err, "sign with signer.RPC{}")
			require.NotContains(t, printed(t, err)+f.logged.String(), "Hidden")
			if name == "ACS3" {
				_, err := setSSL(&sslRequest{
					DomainName: "a", SSLProtocol: "on", SSLPub: "x", SSLPri: hiddenKey,
				})(t.Context(), f.client)
				requireKind(t, err, cdn.ErrInvalidRequest)
			}
		})
	}
	t.Run("RPC", func(t *testing.T) {
		f := newFixture(t, &cdn.Options{HTTPClient: &http.Client{Transport: answering(200, nil, []byte(`{}`))}})
		require.NoError(t, f.client.Do(t.Context(), signer.Call{Action: "UploadKey", Params: map[string]string{"Key": hiddenKey}}, nil))
	})
	t.Run("no key", func(t *testing.T) {
		f := newFixture(t, &cdn.Options{Signer: signer.ACS3{}, HTTPClient: &http.Client{Transport: answering(200, nil, []byte(`{}`))}})
		certificate := strings.ReplaceAll(hiddenKey, "EC PRIVATE KEY", "CERTIFICATE")
		require.NoError(t, f.client.Do(t.Context(), signer.Call{Action: "UploadKey", Params: map[string]string{"Key": certificate}}, nil))
	})
}
