package cdn_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"html"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/cdn"
)

// keyWindows returns all runs of 16 characters of a key's encodings that
// nothing may show.
func keyWindows(t *testing.T, f *installFixture, chain []byte) map[string]bool {
	t.Helper()
	key, err := f.keys.Get(t.Context(), pubMd5Of(t, chain))
	require.NoError(t, err)
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	block, _ := pem.Decode([]byte(sec1(t, key)))
	scalar, err := key.(*ecdsa.PrivateKey).Bytes()
	require.NoError(t, err)
	windows := map[string]bool{}
	for _, der := range [][]byte{pkcs8, block.Bytes} {
		secret := bytes.Index(der, scalar)
		require.Positive(t, secret)
		text := base64.StdEncoding.EncodeToString(der)
		for i := secret*4/3 + 2; i+16 <= (secret+32)*4/3; i++ {
			windows[text[i:i+16]] = true
		}
	}
	return windows
}

// echoes are the ways in which a careless service might repeat a key.
var echoes = map[string]func(string) string{
	"raw":             func(key string) string { return key },
	"in one line":     func(key string) string { return strings.ReplaceAll(key, "\n", "") },
	"its line ends":   func(key string) string { return strings.ReplaceAll(key, "\n", `\n`) },
	"percent-encoded": url.QueryEscape,
	"encoded twice":   func(key string) string { return url.QueryEscape(url.QueryEscape(key)) },
	"base64":          func(key string) string { return base64.StdEncoding.EncodeToString([]byte(key)) },
	"base64 of more":  func(key string) string { return base64.StdEncoding.EncodeToString([]byte("SSLPri=" + key)) },
	"HTML":            html.EscapeString,
	"cut short":       func(key string) string { return key[40:80] },
	"quoted":          func(key string) string { return fmt.Sprintf("%q", key) },
}

func TestInstaller_ShowsNoPrivateKey(t *testing.T) {
	for name, echo := range echoes {
		t.Run(name, func(t *testing.T) {
			var logged bytes.Buffer
			f := newInstallFixture(t, nil, "example.com")
			chain := f.localChain(t, "example.com")
			windows := keyWindows(t, f, chain)
			var echoed string
			repeats := roundTripper(func(r *http.Request) (*http.Response, error) {
				sent, err := r.GetBody() // a copy: the fake reads the body itself
				require.NoError(t, err)
				form, err := io.ReadAll(sent)
				require.NoError(t, err)
				params, err := url.ParseQuery(string(form))
				require.NoError(t, err)
				key := params.Get("SSLPri")
				if key == "" {
					return f.api.RoundTrip(r)
				}
				echoed = echo(key)
				message, err := json.Marshal(echoed)
				require.NoError(t, err)
				body := `{"Code":"InvalidSSLPri","RequestId":"R","HostId":` + string(message) + `,"Recommend":` + string(message) + `,"Message":` + string(message) + `}`
				return &http.Response{StatusCode: 400, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
			})
			client, err := cdn.NewClient(cdn.StaticCredentials(testCreds), &cdn.Options{
				HTTPClient: &http.Client{Transport: repeats},
				Logger:     slog.New(slog.NewTextHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug})),
			})
			require.NoError(t, err)
			_, err = (&cdn.Installer{Client: client, Keys: f.keys}).Install(t.Context(), "example.com", chain)
			requireKind(t, err, cdn.ErrInvalidRequest)
			require.Equal(t, "InvalidSSLPri", asError(t, err).Code)
			shown := logged.String() + printed(t, err)
			requireNoWindow(t, windows, shown)
			require.NotContains(t, shown, echoed[len(echoed)/2:len(echoed)/2+16])
		})
	}
}

func requireNoWindow(t *testing.T, windows map[string]bool, shown string) {
	t.Helper()
	require.NotEmpty(t, windows)
	require.NotEmpty(t, shown)
	for i := 0; i+16 <= len(shown); i++ {
		require.False(t, windows[shown[i:i+16]], "a part of the key is shown")
	}
}

func TestSetSSLCertificateRequest_ShowsNoPrivateKey(t *testing.T) {
	f := newInstallFixture(t, nil)
	chain := f.localChain(t, "example.com")
	key, err := f.keys.Get(t.Context(), pubMd5Of(t, chain))
	require.NoError(t, err)
	req := &cdn.SetCdnDomainSSLCertificateRequest{DomainName: "example.com", SSLPub: string(chain), SSLPri: sec1(t, key)}
	var shown bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
		fmt.Fprintf(&shown, verb+verb, req, *req)
	}
	encoded, err := json.Marshal(req)
	require.NoError(t, err)
	shown.Write(encoded)
	slog.New(slog.NewJSONHandler(&shown, nil)).Info("x", "request", req, "key", req.SSLPri)
	slog.New(slog.NewTextHandler(&shown, nil)).Info("x", "request", req, "key", req.SSLPri)
	func() {
		defer func() {
			fmt.Fprint(&shown, recover())
			shown.Write(debug.Stack())
		}()
		panic(req)
	}()
	requireNoWindow(t, keyWindows(t, f, chain), shown.String())
	require.Contains(t, shown.String(), "[redacted]")
}
