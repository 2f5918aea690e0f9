package cdn_test

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/cdn"
	"github.com/cdncsr/cdncsr/csr"
)

func TestNewClient_RefusesInvalidOptions(t *testing.T) {
	source := cdn.StaticCredentials(testCreds)
	for _, nothing := range []cdn.CredentialSource{nil, cdn.CredentialFunc(nil)} {
		_, err := cdn.NewClient(nothing, nil)
		require.ErrorContains(t, err, "credentials")
	}
	tests := map[string]*cdn.Options{
		"AttemptTimeout": {AttemptTimeout: -time.Second},
		"MaxAttempts":    {MaxAttempts: -1},
		"Format":         {Format: "json"},
		"UserAgent":      {UserAgent: "a\r\nb: c"},
	}
	for field, opts := range tests {
		_, err := cdn.NewClient(source, opts)
		require.ErrorContains(t, err, field)
	}
	_, err := cdn.NewClient(source, &cdn.Options{UserAgent: "my service~1"})
	require.NoError(t, err)
	_, err = cdn.NewClient(source, &cdn.Options{AttemptTimeout: -1, MaxAttempts: -1})
	require.ErrorContains(t, err, "AttemptTimeout")
	require.ErrorContains(t, err, "MaxAttempts", "all of them are named")
}

func TestNewClient_Endpoint(t *testing.T) {
	source := cdn.StaticCredentials(testCreds)
	for _, endpoint := range []string{
		"", "https://cdn.aliyuncs.com", "https://cdn.aliyuncs.com/", "https://cdn.aliyuncs.com:8443",
		"HTTPS://cdn.aliyuncs.com", "https://a~b.example.com", "http://127.0.0.1:8080", "http://127.9.9.9",
		"http://[::1]:80", "http://localhost:8080", "http://LOCALHOST", "http://[::ffff:127.0.0.1]",
		"https://cdn.aliyuncs.com:1", "https://cdn.aliyuncs.com:65535",
	} {
		_, err := cdn.NewClient(source, &cdn.Options{Endpoint: endpoint})
		require.NoError(t, err, endpoint)
	}
	for _, endpoint := range []string{
		"cdn.aliyuncs.com", "cdn.aliyuncs.com:443", "//cdn.aliyuncs.com", "http://cdn.aliyuncs.com",
		"http://localhost.evil.com", "http://10.0.0.1", "http://0.0.0.0", "https://", "https://:443", "https://host:",
		"https://u:hidden@host", "https://host/path", "https://host//", "https://host?hidden", "https://host?",
		"https://host#hidden", "https://host#", "ftp://host", "https:host", "https://例え.jp", "https://h ost",
		"https://u:hid%den@host", " https://host", "127.0.0.1:8080", "https://%zz?hidden", "https://%zz#hidden",
		"https:/alice:hidden%40host", "https://alice:hidden%40host", "http://[::1%25lo]:80", "https://foo%41bar",
		"https://foo!bar", "https://foo]bar", "https://foo<bar>", `https://foo"bar`, "https://foo$bar:443",
		"https://foo[::1]", "alice:hidden@host", "https:alice:hidden@host", "https:/alice:hidden@host",
		"https:///alice:hidden@host", "https://host/alice:hidden@host", "https://host:0", "https://host:65536", "http://127.0.0.1:99999",
		"http://[::1]:99999", "https://host:18446744073709551617", "https://host ", "https://host\n", " https://host?hidden",
	} {
		_, err := cdn.NewClient(source, &cdn.Options{Endpoint: endpoint})
		require.ErrorContains(t, err, "cdn: Options.Endpoint", "%q", endpoint)
		require.NotContains(t, err.Error(), "hidden")
	}
}

func TestNewClient_EndpointErrors(t *testing.T) {
	for endpoint, want := range map[string]string{
		"127.0.0.1:8080?hidden":   `"127.0.0.1:8080" is not a URL such as http://127.0.0.1:8080`,
		"127.1:8080":              `"127.1:8080" is not a URL such as http://127.0.0.1:8080`,
		"127.1":                   `"127.1" does not begin with https://, as http://127.0.0.1 does`,
		"127.example.com":         `as https://cdn.aliyuncs.com does`,
		"::1":                     `"::1" is not a URL such as http://[::1]`,
		"[::1]":                   `"[::1]" is not a URL such as http://[::1]`,
		"[::1]:8080":              `http://[::1]:8080`,
		"127.0.0.1:99999":         `a URL such as http://127.0.0.1`,
		"localhost":               `as http://localhost does`,
		"localhost:8080":          `as http://localhost:8080 does`,
		" https://127.0.0.1":      `" https://127.0.0.1" begins or ends with a space`,
		"https://host\n":          `"https://host\n" begins or ends with a space`,
		"https://127.0.0.1:99999": `"https://127.0.0.1:99999" has port 99999, which is not from 1 to 65535`,
		"https://host:0":          `"https://host:0" has port 0, which is not from 1 to 65535`,
	} {
		_, err := cdn.NewClient(cdn.StaticCredentials(testCreds), &cdn.Options{Endpoint: endpoint})
		require.ErrorContains(t, err, want)
	}
}

func TestNewClient_OptionsAreCopied(t *testing.T) {
	f := newFixture(t, nil)
	opts := &cdn.Options{HTTPClient: &http.Client{Transport: f.api}}
	client, err := cdn.NewClient(cdn.StaticCredentials(testCreds), opts)
	require.NoError(t, err)
	*opts = cdn.Options{MaxAttempts: -1, Endpoint: "http://evil"}
	_, err = client.CreateCdnCertificateSigningRequest(t.Context(), request)
	require.NoError(t, err)
}

func TestEndpointForRegion(t *testing.T) {
	for _, region := range []string{
		"ap-south-1", "eu-west-1", "ap-southeast-1", "ap-southeast-2", "ap-southeast-3", "ap-southeast-5",
		"eu-central-1", "ap-northeast-1", "us-east-1", "us-west-1", "me-east-1",
	} {
		require.Equal(t, "https://cdn.ap-southeast-1.aliyuncs.com", cdn.EndpointForRegion(region))
	}
	for _, region := range []string{"", "cn-hangzhou", "cn-shanghai", "cn-shanghai-finance-1", "mars-1", "EU-CENTRAL-1"} {
		require.Equal(t, "https://cdn.aliyuncs.com", cdn.EndpointForRegion(region))
	}
}

func TestClient_RefusesBeforeSending(t *testing.T) {
	tests := map[string]struct {
		req    *csr.Request
		fields []string
	}{
		"nil":               {nil, []string{"Request"}},
		"no CommonName":     {&csr.Request{}, []string{"CommonName"}},
		"Country of three":  {&csr.Request{CommonName: "a", Country: "CHN"}, []string{"Country"}},
		"Country of one":    {&csr.Request{CommonName: "a", Country: "C"}, []string{"Country"}},
		"invalid UTF-8":     {&csr.Request{CommonName: "a\xff"}, []string{"CommonName"}},
		"control character": {&csr.Request{CommonName: "a", City: "b\nc"}, []string{"City"}},
		"SANs":              {&csr.Request{CommonName: "a", SANs: []string{"b", "", "c,d", "e\x00"}}, []string{"SANs[1]", "SANs[2]", "SANs[3]"}},
		"all at once": {
			&csr.Request{SANs: []string{","}, Organization: "\x01", OrganizationUnit: "\xfe", Country: "x\ny", State: "\u0085", Email: "\t"},
			[]string{"CommonName", "SANs[0]", "Organization", "OrganizationUnit", "Country", "State", "Email"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			client, err := cdn.NewClient(cdn.StaticCredentials(testCreds), &cdn.Options{HTTPClient: &http.Client{Transport: noTransport(t)}})
			require.NoError(t, err)
			_, err = client.CreateCdnCertificateSigningRequest(t.Context(), test.req)
			requireKind(t, err, cdn.ErrInvalidRequest)
			var mistakes csr.FieldErrors
			require.True(t, errors.As(err, &mistakes))
			var fields []string
			for _, mistake := range mistakes {
				fields = append(fields, mistake.Field)
			}
			require.Equal(t, test.fields, fields)
		})
	}
}

func TestClient_SendsOnlyWhatIsSet(t *testing.T) {
	req := &csr.Request{CommonName: "xxx", SANs: []string{"not checked here", "*.b"}, Country: "中国", Email: "xxx.com"}
	f := newFixture(t, &cdn.Options{HTTPClient: &http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
		require.NoError(t, r.ParseForm())
		sent := map[string]string{}
		for name := range r.PostForm {
			sent[name] = r.PostForm.Get(name)
		}
		for _, common := range []string{"Timestamp", "SignatureNonce", "Signature"} {
			require.NotEmpty(t, sent[common])
			delete(sent, common)
		}
		require.Equal(t, map[string]string{
			"Action": "CreateCdnCertificateSigningRequest", "Version": "2018-05-10", "Format": "JSON", "AccessKeyId": testCreds.AccessKeyID,
			"SecurityToken": testCreds.SecurityToken, "SignatureMethod": "HMAC-SHA1", "SignatureVersion": "1.0",
			"CommonName": "xxx", "SANs": "not checked here,*.b", "Country": "中国", "Email": "xxx.com",
		}, sent)
		require.Equal(t, "https://cdn.aliyuncs.com/", r.URL.String(), "nothing that authenticates is in the URL")
		require.Equal(t, "myservice/1.2 "+cdn.UserAgent, r.UserAgent())
		return nil, errors.New("seen")
	})}, UserAgent: "myservice/1.2", MaxAttempts: 1})
	_, err := f.client.CreateCdnCertificateSigningRequest(t.Context(), req)
	require.ErrorContains(t, err, "seen")
}
