package cdn_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/cdn"
	"github.com/cdncsr/cdncsr/signer"
)

// urlError is an error of a metadata service, with a token in its URL.
type urlError struct{}

func (urlError) err() error {
	return &url.Error{Op: "Get", URL: "http://metadata/?token=hidden", Err: syscall.ECONNREFUSED}
}

// noTransport fails the test when something is sent.
func noTransport(t *testing.T) http.RoundTripper {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		t.Errorf("%s was sent", r.Method)
		return nil, syscall.ECONNREFUSED
	})
}

func TestEnvCredentials_ReadsTheEnvironmentAtEachCall(t *testing.T) {
	source := cdn.EnvCredentials()
	t.Setenv("ALIBABA_CLOUD_ACCESS_KEY_ID", "")
	t.Setenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "")
	t.Setenv("ALIBABA_CLOUD_SECURITY_TOKEN", "")
	_, err := source.Credentials(t.Context())
	require.ErrorContains(t, err, "ALIBABA_CLOUD_ACCESS_KEY_ID")

	t.Setenv("ALIBABA_CLOUD_ACCESS_KEY_ID", "id")
	_, err = source.Credentials(t.Context())
	require.ErrorContains(t, err, "ALIBABA_CLOUD_ACCESS_KEY_SECRET")

	t.Setenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "secret")
	got, err := source.Credentials(t.Context())
	require.NoError(t, err)
	require.Equal(t, signer.Credentials{AccessKeyID: "id", AccessKeySecret: "secret"}, got)

	t.Setenv("ALIBABA_CLOUD_SECURITY_TOKEN", "token")
	got, err = source.Credentials(t.Context())
	require.NoError(t, err)
	require.Equal(t, "token", got.SecurityToken)
}

func TestStaticCredentials_ShowNoSecret(t *testing.T) {
	source := cdn.StaticCredentials(testCreds)
	got, err := source.Credentials(context.Background())
	require.NoError(t, err)
	require.Equal(t, testCreds, got)
	client, err := cdn.NewClient(source, nil)
	require.NoError(t, err)
	for _, verb := range []string{"%v", "%+v", "%#v"} {
		require.NotContains(t, fmt.Sprintf(verb+verb, source, client), "hidden")
	}
}
