package cdntest_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/cdn/cdntest"
	"github.com/cdncsr/cdncsr/signer"
)

func TestOnRequest_HidesAKeyUnderAnyName(t *testing.T) {
	_, key := newAuthority(t).issue(t, "example.com")
	for name, value := range map[string]string{
		"SSLPri": "anything", "SSLPub": key, "Other": "x\n" + key, "ServerCertificate": base64Of(key),
	} {
		api := newAPI()
		var seen cdntest.Request
		api.OnRequest = func(r cdntest.Request) { seen = r }
		_ = callAs(t, api, signer.RPC{Method: "GET"},
			signer.Call{Action: "DescribeDomainCertificateInfo", Params: params{name: value, "DomainName": "a.example"}})
		assert.Equal(t, map[string]string{name: "[redacted]", "DomainName": "a.example"}, seen.Params)
		assert.True(t, seen.SecretInURL)
	}
}

func TestOnRequest_ReportsAKeyInTheURLOfARequestThatIsRefused(t *testing.T) {
	for name, change := range map[string]func(*http.Request){
		"method":    func(r *http.Request) { r.Method = http.MethodPut },
		"query":     func(r *http.Request) { r.URL.RawQuery += "&%zz" },
		"signature": func(r *http.Request) { r.URL.RawQuery += "&City=a" },
	} {
		api := newAPI()
		var seen cdntest.Request
		api.OnRequest = func(r cdntest.Request) { seen = r }
		req := sign(t, signer.RPC{Method: "GET"},
			signer.Call{Action: "SetCdnDomainSSLCertificate", Params: params{"SSLPri": "key"}})
		change(req)
		resp, err := api.RoundTrip(req)
		require.NoError(t, err)
		require.NotContains(t, seen.Params, "key")
		require.NoError(t, resp.Body.Close())
		assert.True(t, seen.SecretInURL, name)
	}
}

func TestSetOnline_PanicsForADomainThatWasNotAdded(t *testing.T) {
	require.Panics(t, func() { newAPI().SetOnline("example.com", true) })
}

func TestAddDomain(t *testing.T) {
	ca := newAuthority(t)
	api := withDomains()
	text, key := ca.issue(t, "example.com")
	upload(t, api, "example.com", text, key)
	api.AddDomain("Example.COM") // is there already
	assert.NotNil(t, api.Certificate("example.com"))
	assert.Nil(t, api.Certificate("example.org"))
	api.AddDomain("*.example.org")
	upload(t, api, ".example.org", text, key)
	api.SetOnline("*.Example.org", true)
	assert.NotNil(t, api.Certificate("*.example.org"))
	api.SetOnline("offline.example", true)
	upload(t, api, "offline.example", text, key)
	assert.Equal(t, 3, api.Stored())
}
