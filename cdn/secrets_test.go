package cdn_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/cdn"
	"github.com/cdncsr/cdncsr/cdn/cdntest"
	"github.com/cdncsr/cdncsr/csr"
	"github.com/cdncsr/cdncsr/signer"
)

// TestSecrets_ThatArePartOfACodeDoNotChangeItsKind has an AccessKeyID that is a
// part of many codes.
func TestSecrets_ThatArePartOfACodeDoNotChangeItsKind(t *testing.T) {
	short := signer.Credentials{AccessKeyID: "id", AccessKeySecret: "secret"}
	for code, kind := range map[string]error{
		"InvalidAccessKeyId.NotFound": cdn.ErrDenied, "InvalidParameter": cdn.ErrInvalidRequest, "Forbidden.RAM": cdn.ErrDenied,
	} {
		api := &cdntest.API{Credentials: []signer.Credentials{short}}
		api.Inject(cdntest.Fault{Status: 500, Code: code})
		client, err := cdn.NewClient(cdn.StaticCredentials(short), &cdn.Options{HTTPClient: &http.Client{Transport: api}})
		require.NoError(t, err)
		_, err = client.CreateCdnCertificateSigningRequest(t.Context(), request)
		requireKind(t, err, kind)
	}
	synctest.Test(t, func(t *testing.T) {
		api := &cdntest.API{Credentials: []signer.Credentials{short}, Source: csr.P256}
		client, err := cdn.NewClient(cdn.StaticCredentials(short), &cdn.Options{
			Signer: skewed{signer.RPC{}, time.Hour}, HTTPClient: &http.Client{Transport: elsewhere(api, -time.Hour)},
		})
		require.NoError(t, err)
		_, err = client.CreateCdnCertificateSigningRequest(t.Context(), request)
		require.NoError(t, err, "the clock is corrected")
	})
}

// leaky is an error that has a secret in a field and not in its text.
type leaky struct{ URL *url.URL }

func (leaky) Error() string { return "boom" }

func TestSecrets_InTheFieldsOfAForeignError(t *testing.T) {
	f := newFixture(t, &cdn.Options{
		Signer: signer.RPC{Method: "GET"}, MaxAttempts: 1,
		HTTPClient: &http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) { return nil, leaky{r.URL} })},
	})
	_, err := f.client.CreateCdnCertificateSigningRequest(t.Context(), request)
	require.ErrorContains(t, err, "boom")
	f.requireNoSecret(t, err)
}

func TestSecrets_OfBeforeARenewal(t *testing.T) {
	other := signer.Credentials{AccessKeyID: "other", AccessKeySecret: "other-secret", SecurityToken: "other-token"}
	api := &cdntest.API{Credentials: []signer.Credentials{testCreds, other}}
	api.Inject(cdntest.Fault{Code: "InvalidSecurityToken.Expired"}, cdntest.Fault{Code: "Forbidden", Message: "was " + testCreds.SecurityToken})
	client, err := cdn.NewClient(&rotating{next: []signer.Credentials{testCreds, other}}, &cdn.Options{HTTPClient: &http.Client{Transport: api}})
	require.NoError(t, err)
	_, err = client.CreateCdnCertificateSigningRequest(t.Context(), request)
	require.ErrorIs(t, err, cdn.ErrDenied)
	require.NotContains(t, printed(t, err), "hidden")
}

func TestSecrets_EchoedWithASuccess(t *testing.T) {
	f := newFixture(t, nil)
	f.api.Inject(body(200, "application/json", `{"Csr":"x","RequestId":"`+testCreds.SecurityToken+`"}`))
	_, err := f.client.CreateCdnCertificateSigningRequest(t.Context(), request)
	require.NoError(t, err)
	f.requireNoSecret(t, nil)
}

func TestSecrets_KeysOfTheFakeAreNotPrinted(t *testing.T) {
	api := &cdntest.API{Source: csr.Ed25519}
	key, err := csr.Ed25519.NewKey(t.Context())
	require.NoError(t, err)
	name, err := csr.PubMD5(key.Public())
	require.NoError(t, err)
	require.NoError(t, api.Keys.Put(t.Context(), name, key))
	private := fmt.Sprintf("%d", key)
	for _, verb := range []string{"%v", "%+v", "%d"} {
		require.NotContains(t, fmt.Sprintf(verb, api), private[1:len(private)-1])
	}
}

// hiddenKey stands for a private key in PEM.
const hiddenKey = "-----BEGIN EC PRIVATE KEY-----\nMHcCAQEEIHiddenHiddenHiddenHiddenHiddenHiddenHidden+/==\n-----END EC PRIVATE KEY-----\n"

func TestSecret_ShowsNothing(t *testing.T) {
	req := sslRequest{DomainName: "example.com", SSLProtocol: "on", SSLPub: "public", SSLPri: hiddenKey}
	values := map[string]any{
		"alone": req.SSLPri, "pointer": &req.SSLPri, "request": req, "pointer to a request": &req,
		"slice": []cdn.Secret{hiddenKey}, "map": map[string]cdn.Secret{"key": hiddenKey}, "interface": []any{req.SSLPri},
	}
	for name, value := range values {
		t.Run(name, func(t *testing.T) {
			var shown bytes.Buffer
			for _, verb := range "vsqxXdboOcUeEfFgGtT" {
				for _, flags := range []string{"", "+", "#", "-5", "05", ".3"} {
					fmt.Fprintf(&shown, "%"+flags+string(verb)+"\n", value)
				}
			}
			fmt.Fprintln(&shown, value)
			slog.New(slog.NewTextHandler(&shown, nil)).Info("x", "value", value, slog.Group("group", "value", value))
			slog.New(slog.NewJSONHandler(&shown, nil)).Info("x", "value", value, slog.Group("group", "value", value))
			require.NoError(t, json.NewEncoder(&shown).Encode(value))
			if name != "map" { // which encoding/xml does not take
				require.NoError(t, xml.NewEncoder(&shown).Encode(value))
			}
			require.Contains(t, shown.String(), "[redacted]")
			for _, secret := range []string{"Hidden", "PRIVATE", fmt.Sprintf("%x", "Hidden"), fmt.Sprintf("%X", "Hidden")} {
				require.NotContains(t, shown.String(), secret)
			}
		})
	}
}

func TestSecret_TellsWhetherItIsSet(t *testing.T) {
	require.Empty(t, fmt.Sprint(cdn.Secret("")))
	require.Equal(t, "[redacted]", fmt.Sprint(cdn.Secret("x")))
	require.Equal(t, hiddenKey, string(cdn.Secret(hiddenKey)))
	var read struct{ Key cdn.Secret }
	require.NoError(t, json.Unmarshal([]byte(`{"Key":"x"}`), &read))
	require.EqualValues(t, "x", read.Key)
}

// TestSecrets_PrivateKeyEchoedInEveryField has a service that repeats a private
// key, in several forms, and a transport whose error prints it.
func TestSecrets_PrivateKeyEchoedInEveryField(t *testing.T) {
	quoted, err := json.Marshal("no: " + hiddenKey + url.QueryEscape(hiddenKey) + base64.StdEncoding.EncodeToString([]byte(hiddenKey)))
	require.NoError(t, err)
	echo := []byte(fmt.Sprintf(`{"Code":%[1]s,"Message":%[1]s,"RequestId":%[1]s,"HostId":%[1]s,"Recommend":%[1]s}`, quoted))
	encoded := base64.StdEncoding.EncodeToString([]byte(hiddenKey))
	for name, transport := range map[string]http.RoundTripper{
		"an answer": answering(http.StatusForbidden, nil, echo),
		"an error":  roundTripper(func(r *http.Request) (*http.Response, error) { return nil, printsTheRequest{r} }),
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, &cdn.Options{MaxAttempts: 1, HTTPClient: &http.Client{Transport: transport}})
			_, err := setSSL(&sslRequest{DomainName: "a", SSLProtocol: "on", SSLPub: "x", SSLPri: hiddenKey})(t.Context(), f.client)
			require.Error(t, err)
			f.requireNoSecret(t, err)
			shown := printed(t, err) + f.logged.String() + fmt.Sprintf("%+v", f.attempts)
			require.NotContains(t, shown, "Hidden")
			require.NotContains(t, shown, encoded[40:60])
		})
	}
}
