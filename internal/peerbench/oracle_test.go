package main

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	openapi "github.com/alibabacloud-go/darabonba-openapi/v2/client"
	openapiutil "github.com/alibabacloud-go/darabonba-openapi/v2/utils"
	"github.com/alibabacloud-go/tea/dara"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/cdncsr/cdncsr/cdn/cdntest"
	"github.com/cdncsr/cdncsr/csr"
	"github.com/cdncsr/cdncsr/signer"
)

// ACS3 signs as darabonba does, for any values. Darabonba does not encode the
// names of parameters, so they have only characters that need no encoding, as
// all documented names do.
func TestOracle_ACS3AsDarabonbaSigns(t *testing.T) {
	graphic := rapid.StringMatching(`[!-~]{1,40}`)
	anything := rapid.OneOf(
		rapid.String(),
		rapid.StringMatching(`[%&=+*~ /?#\x00-\x1f]{0,6}`),
		rapid.Map(rapid.SliceOfN(rapid.Byte(), 0, 20), func(b []byte) string { return string(b) }),
	)
	name := rapid.StringMatching(`[A-Za-z][A-Za-z0-9._-]{0,12}`).Filter(func(name string) bool {
		call := signer.Call{Action: "a", Version: "v", Params: map[string]string{name: ""}}
		_, err := signer.ACS3{}.Sign(t.Context(), endpoint, call, signer.Input{Credentials: creds})
		return err == nil // not that of a common parameter
	})
	rapid.Check(t, func(t *rapid.T) {
		host := rapid.SampledFrom([]string{"cdn.aliyuncs.com", "127.0.0.1:8080", "[::1]:1"}).Draw(t, "host")
		call := signer.Call{
			Action: graphic.Draw(t, "action"), Version: graphic.Draw(t, "version"),
			Params: rapid.MapOfN(name, anything, 0, 20).Draw(t, "params"),
		}
		in := signer.Input{
			Credentials: signer.Credentials{
				AccessKeyID: graphic.Draw(t, "ID"), AccessKeySecret: graphic.Draw(t, "secret"),
				SecurityToken: rapid.OneOf(rapid.Just(""), graphic).Draw(t, "token"),
			},
			Time:  time.Unix(rapid.Int64Range(0, 4e9).Draw(t, "time"), 0),
			Nonce: graphic.Draw(t, "nonce"),
		}
		req, err := signer.ACS3{}.Sign(t.Context(), &url.URL{Scheme: "https", Host: host}, call, in)
		if err != nil {
			t.Fatal(err)
		}
		if ours, theirs := req.Header.Get("Authorization"), signedByDarabonba(req, call, in.Credentials); ours != theirs {
			t.Fatalf("Authorization is\n%s\nwant that of darabonba\n%s", ours, theirs)
		}
	})
}

// signedByDarabonba returns the value of Authorization for the same parameters
// and headers.
func signedByDarabonba(req *http.Request, call signer.Call, creds signer.Credentials) string {
	request := newV2Request(req.Host, call.Params)
	for name := range req.Header {
		if strings.HasPrefix(name, "X-Acs-") {
			request.Headers[strings.ToLower(name)] = dara.String(req.Header.Get(name))
		}
	}
	hash := request.Headers["x-acs-content-sha256"]
	return dara.StringValue(openapiutil.GetAuthorization(
		request, dara.String(acs3), hash, dara.String(creds.AccessKeyID), dara.String(creds.AccessKeySecret)))
}

// The fake accepts darabonba's generic call, with an access key and with
// temporary credentials.
func TestOracle_DarabonbaIsAccepted(t *testing.T) {
	for name, known := range map[string]signer.Credentials{
		"access key": creds,
		"STS token":  {AccessKeyID: "STS.id", AccessKeySecret: accessSecret, SecurityToken: "CAIS+/=="},
	} {
		t.Run(name, func(t *testing.T) {
			_, call := newDarabonba(t, known)
			odd := map[string]string{
				"CommonName": "bücher.example.com", "SANs": "*.example.com",
				"Organization": "Söhne & *~ +/=%", "City": "杭州 🔏",
			}
			body, err := call(actionName, odd)
			require.NoError(t, err)
			require.Equal(t, "xn--bcher-kva.example.com", body["CommonName"])
		})
	}
}

// A caller makes a call and returns the body of the answer.
type caller func(action string, params map[string]string) (map[string]any, error)

// newDarabonba returns a fake, and a function that calls it by darabonba and
// returns the body of the answer.
func newDarabonba(t *testing.T, known signer.Credentials) (*cdntest.Server, caller) {
	t.Helper()
	srv := newFake(t)
	srv.API.Credentials = []signer.Credentials{known}
	client, err := openapi.NewClient(&openapi.Config{
		AccessKeyId: dara.String(known.AccessKeyID), AccessKeySecret: dara.String(known.AccessKeySecret),
		SecurityToken: dara.String(known.SecurityToken),
		Endpoint:      dara.String(strings.TrimPrefix(srv.URL, "http://")), Protocol: dara.String("http"),
	})
	require.NoError(t, err)
	return srv, func(action string, params map[string]string) (map[string]any, error) {
		request := &openapi.OpenApiRequest{Query: newV2Request("", params).Query}
		result, err := client.CallApi(v2Params(action), request, &dara.RuntimeOptions{})
		body, _ := result["body"].(map[string]any)
		return body, err
	}
}

// newFake returns a fake that knows creds.
func newFake(t *testing.T) *cdntest.Server {
	t.Helper()
	srv := cdntest.NewServer(t)
	srv.API.Credentials, srv.API.Source = []signer.Credentials{creds}, csr.P256
	return srv
}
