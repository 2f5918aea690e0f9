package cdn_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
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

func TestCredentials_MissingOrOutOfReach(t *testing.T) {
	source := func(err error) cdn.CredentialSource {
		return cdn.CredentialFunc(func(context.Context) (signer.Credentials, error) { return signer.Credentials{}, err })
	}
	missing := &fs.PathError{Op: "open", Path: "config.json", Err: syscall.ENOENT}
	host := "[::1" // without its other bracket
	_, noURL := url.Parse("http://" + host)
	get := func(target string, err error) error { return &url.Error{Op: "Get", URL: target, Err: err} }
	foreign := &tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}
	wrongPort := &net.OpError{Op: "dial", Err: &net.AddrError{Err: "invalid port"}}
	tests := map[string]struct {
		source cdn.CredentialSource
		want   error
	}{
		"nothing":           {cdn.StaticCredentials(signer.Credentials{}), cdn.ErrNoCredentials},
		"no secret":         {cdn.StaticCredentials(signer.Credentials{AccessKeyID: "id"}), cdn.ErrNoCredentials},
		"a secret with LF":  {cdn.StaticCredentials(signer.Credentials{AccessKeyID: "id", AccessKeySecret: "hidden\n"}), cdn.ErrNoCredentials},
		"an error":          {source(errors.New("no role")), cdn.ErrNoCredentials},
		"a missing file":    {source(missing), cdn.ErrNoCredentials},
		"two missing files": {source(errors.Join(missing, fmt.Errorf("profile: %w", missing))), cdn.ErrNoCredentials},
		"a forbidden file":  {source(os.NewSyscallError("open", syscall.EACCES)), cdn.ErrNoCredentials},
		"an invalid URL":    {source(fmt.Errorf("metadata: %w", noURL)), cdn.ErrNoCredentials},
		"no scheme":         {source(get("metadata", errors.New("unsupported protocol scheme"))), cdn.ErrNoCredentials},
		"a foreign CA":      {source(get("https://sts.example.com", foreign)), cdn.ErrNoCredentials},
		"a wrong port":      {source(get("http://127.0.0.1:99999", wrongPort)), cdn.ErrNoCredentials},
		"a wrong network":   {source(&net.OpError{Op: "dial", Err: net.UnknownNetworkError("tpc")}), cdn.ErrNoCredentials},
		"a refused request": {source(fmt.Errorf("role: %w", urlError{}.err())), cdn.ErrUnavailable},
		"a refused dial":    {source(&net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}), cdn.ErrUnavailable},
		"an unknown host":   {source(&net.DNSError{IsNotFound: true}), cdn.ErrUnavailable},
		"a time-out":        {source(os.ErrDeadlineExceeded), cdn.ErrUnavailable},
		"a bare refusal":    {source(os.NewSyscallError("connect", syscall.ECONNREFUSED)), cdn.ErrUnavailable},
		"no route":          {source(syscall.EHOSTUNREACH), cdn.ErrUnavailable},
		"a cut answer":      {source(fmt.Errorf("metadata: %w", io.ErrUnexpectedEOF)), cdn.ErrUnavailable},
		"file, then silent": {source(errors.Join(missing, context.DeadlineExceeded)), cdn.ErrUnavailable},
		"silent, then file": {source(errors.Join(context.DeadlineExceeded, missing)), cdn.ErrUnavailable},
		"URL, then network": {source(errors.Join(noURL, missing, urlError{}.err())), cdn.ErrUnavailable},
		"file and a wrapped one": {
			source(fmt.Errorf("%w; %w", missing, fmt.Errorf("metadata: %w", &net.OpError{Op: "read", Err: syscall.ECONNRESET}))),
			cdn.ErrUnavailable,
		},
		"its own word": {source(fmt.Errorf("vault: %w", cdn.ErrUnavailable)), cdn.ErrUnavailable},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			client, err := cdn.NewClient(test.source, &cdn.Options{HTTPClient: &http.Client{Transport: noTransport(t)}})
			require.NoError(t, err)
			_, err = client.CreateCdnCertificateSigningRequest(t.Context(), request)
			require.ErrorIs(t, err, test.want)
			require.Equal(t, test.want == cdn.ErrUnavailable, cdn.ShouldFallBack(err))
			require.NotContains(t, printed(t, err), "hidden")
		})
	}
}
