package cdn

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/signer"
)

const (
	secretToken = "CAISzgJ1q6Ft5B2yfSjIr5fe/LPT3b+Yx0vNqUSCbWl4uDkZpMo7aRQ9hGe=="
	secretKey   = "w8KpL2/vQz4+Rt6YbN0s/Xc9MdFg3H=="
	privateKey  = "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEAx9Qh3vZL7fW2yUe+8sKpTn/4bGcRm0oJdXzE5iVwAqS6tYhB\n" +
		"uF1lPjOkCgDx+NrM3aHvQ2I7eWzT8yLs/K5XbRfJpVo9cGiUnE4tZmBqYdS0wAh1\n-----END RSA PRIVATE KEY-----\n"
)

func percentLower(s string) string {
	var b strings.Builder
	for i := range len(s) {
		fmt.Fprintf(&b, "%%%02x", s[i])
	}
	return b.String()
}

func inJSON(s string) string {
	quoted, _ := json.Marshal(s) // a string can be encoded
	return strings.Trim(string(quoted), `"`)
}

func inLines(s string, width int) string {
	var b strings.Builder
	for ; len(s) > width; s = s[width:] {
		b.WriteString(s[:width] + "\r\n")
	}
	return b.String() + s
}

// echoes are the ways in which a service or a proxy may show what it was sent.
var echoes = map[string]func(string) string{
	"raw":                        func(s string) string { return s },
	"percent-encoded":            url.QueryEscape,
	"percent-encoded, path":      url.PathEscape,
	"percent-encoded twice":      func(s string) string { return url.QueryEscape(url.QueryEscape(s)) },
	"percent-encoded, all of it": percentLower,
	"JSON":                       inJSON,
	"JSON in JSON":               func(s string) string { return inJSON(`{"a":"` + inJSON(s) + `"}`) },
	`JSON with \/`:               func(s string) string { return strings.ReplaceAll(inJSON(s), "/", `\/`) },
	`JSON with \/ in JSON`:       func(s string) string { return inJSON(strings.ReplaceAll(inJSON(s), "/", `\/`)) },
	`JSON with \u003d`: func(s string) string {
		return strings.NewReplacer("=", `\u003d`, "+", `\u002b`, "/", `\u002F`).Replace(inJSON(s))
	},
	"HTML": html.EscapeString,
	"HTML, by numbers": func(s string) string {
		return strings.NewReplacer("+", "&#43;", "/", "&#x2F;", "=", "&#61;", "\n", "&#10;").Replace(s)
	},
	"HTML, twice":             func(s string) string { return html.EscapeString(strings.ReplaceAll(s, "+", "&#43;")) },
	"a space for +":           func(s string) string { return strings.ReplaceAll(s, "+", " ") },
	"broken into lines":       func(s string) string { return inLines(s, 20) },
	"without line ends":       func(s string) string { return strings.ReplaceAll(s, "\n", "") },
	"with literal line ends":  func(s string) string { return strings.ReplaceAll(s, "\n", `\n`) },
	"base64":                  func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) },
	"base64, of URLs":         func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) },
	"base64, in lines":        func(s string) string { return inLines(base64.StdEncoding.EncodeToString([]byte(s)), 76) },
	"base64, percent-encoded": func(s string) string { return url.QueryEscape(base64.StdEncoding.EncodeToString([]byte(s))) },
	"base64, after one byte":  func(s string) string { return base64.StdEncoding.EncodeToString([]byte(":" + s)) },
	"base64, after two bytes": func(s string) string { return base64.StdEncoding.EncodeToString([]byte("a:" + s + "\n")) },
	"cut short":               func(s string) string { return withoutPEMMarks(s)[:24] },
	"cut on both sides":       func(s string) string { return withoutPEMMarks(s)[3:28] },
	"its end":                 func(s string) string { s = withoutPEMMarks(s); return s[len(s)-26:] },
	"cut and percent-encoded": func(s string) string { return url.QueryEscape(withoutPEMMarks(s)[2:30]) },
}

// requireHidden requires that no run of letters and digits of what was echoed,
// 16 of them, is in the text.
func requireHidden(t *testing.T, echoed, text string) {
	t.Helper()
	onlyLetters := func(s string) string {
		return strings.Join(strings.FieldsFunc(s, func(r rune) bool {
			return !strings.ContainsRune("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", r)
		}), "")
	}
	echoed, text = onlyLetters(strings.NewReplacer("BEGIN RSA PRIVATE KEY", "", "END RSA PRIVATE KEY", "").Replace(echoed)), onlyLetters(text)
	for i := 0; i+16 <= len(echoed); i++ {
		require.NotContains(t, text, echoed[i:i+16])
	}
}

func TestRedact_EveryFormOfASecret(t *testing.T) {
	op := operation{Call: signer.Call{Params: map[string]string{"SSLPri": privateKey}}, secrets: []string{"SSLPri"}}
	s := secretsOf(op, nil, signer.Credentials{AccessKeyID: "LTAI4GExampleExample", AccessKeySecret: secretKey, SecurityToken: secretToken})
	for name, secret := range map[string]string{"token": secretToken, "secret": secretKey, "private key": privateKey} {
		for form, echo := range echoes {
			t.Run(name+"/"+form, func(t *testing.T) {
				echoed := echo(secret)
				for _, text := range []string{echoed, "the string " + echoed + " is wrong", "a=" + echoed + "&b=2", `{"a":"` + echoed + `"}`} {
					got := s.redact(text)
					requireHidden(t, echoed, got)
					require.Regexp(t, `\[redacted\]|\[withheld`, got)
				}
			})
		}
	}
}

func TestRedact_LeavesOtherTexts(t *testing.T) {
	op := operation{Call: signer.Call{Params: map[string]string{"SSLPri": privateKey}}, secrets: []string{"SSLPri"}}
	s := secretsOf(op, nil, signer.Credentials{AccessKeyID: "LTAI4GExampleExample", AccessKeySecret: secretKey, SecurityToken: secretToken})
	for _, text := range []string{
		"", "Specified access key is not found.", "04F0F334-1335-436C-A1D7-6C044FE73368", "https://api.alibabacloud.com/troubleshoot?q=InvalidParameter",
		"The input parameter \"CommonName\" that is mandatory for processing this request is not supplied.",
		"-----BEGIN RSA PRIVATE KEY-----", "100% of %zz and \\u12 and &amp;", secretToken[:12], strings.ToLower(secretToken),
	} {
		require.Equal(t, text, s.redact(text))
	}
	require.Equal(t, "key [redacted] is inactive", s.redact("key LTAI4GExampleExample is inactive"))
}

func TestRedact_SixteenLettersGiveASecretAway(t *testing.T) {
	s := secretsOf(operation{}, nil, signer.Credentials{AccessKeyID: "LTAI4GExampleExample", AccessKeySecret: secretKey})
	require.Equal(t, withheld, s.redact("LTAI4GExampleExa"))
	require.Equal(t, withheld, s.redact("AI4GExampleExample"))
	require.Equal(t, "LTAI4GExampleEx", s.redact("LTAI4GExampleEx"))
}

// TestRedact_ShortSecretsAreReplaced has secrets that are too short for a
// window; one is a part of another.
func TestRedact_ShortSecretsAreReplaced(t *testing.T) {
	s := secretsOf(operation{}, nil, signer.Credentials{AccessKeyID: "id7x", AccessKeySecret: "id7x/pass+"})
	for text, want := range map[string]string{
		"id7x and id7x/pass+":    "[redacted] and [redacted]",
		"id7x%2Fpass%2B":         "[redacted]",
		"id7x%252Fpass%252B":     "[redacted]",
		`id7x\/pass\u002b or so`: "[redacted]" + `\/pass\u002b or so`,
	} {
		require.Equal(t, want, s.redact(text), text)
	}
}

func TestRedact_SignatureFromWhereverItIs(t *testing.T) {
	const signature = "b2Zf/Signature+Example="
	form := func() *http.Request {
		req, err := http.NewRequest(http.MethodPost, "https://host/", strings.NewReader("Signature="+url.QueryEscape(signature)))
		require.NoError(t, err)
		return req
	}
	query, err := http.NewRequest(http.MethodGet, "https://host/?Signature="+url.QueryEscape(signature), nil)
	require.NoError(t, err)
	header, err := http.NewRequest(http.MethodGet, "https://host/", nil)
	require.NoError(t, err)
	header.Header.Set("Authorization", "ACS3-HMAC-SHA256 Credential=id,SignedHeaders=host,Signature=3f2a9c")
	require.Equal(t, []string{signature}, signaturesOf(form()))
	require.Equal(t, []string{signature}, signaturesOf(query))
	require.Equal(t, []string{"3f2a9c"}, signaturesOf(header))
	header.Header.Set("Authorization", "acs id:c2lnbmF0dXJl=")
	require.Equal(t, []string{"c2lnbmF0dXJl"}, signaturesOf(header))

	broken := form()
	broken.GetBody = func() (io.ReadCloser, error) { return nil, errors.New("gone") }
	require.Empty(t, signaturesOf(broken))
	broken.GetBody = nil
	require.Empty(t, signaturesOf(broken))
	require.Empty(t, signaturesOf(nil))
}

func TestWithoutURL_KeepsTheTree(t *testing.T) {
	const secret = "https://host/?Signature=hidden"
	dial := &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	inner := &url.Error{Op: "Post", URL: secret, Err: dial}
	var refused *net.OpError
	var signed *url.Error
	for name, test := range map[string]struct {
		err  error
		want string
	}{
		"alone":   {inner, "dial tcp: connection refused"},
		"nested":  {&url.Error{Op: "Get", URL: secret, Err: inner}, "dial tcp: connection refused"},
		"wrapped": {fmt.Errorf("role: %w", inner), `role: Post [URL]: dial tcp: connection refused`},
		"joined":  {errors.Join(fs.ErrNotExist, fmt.Errorf("role: %w", inner)), "file does not exist\nrole: Post [URL]: dial tcp: connection refused"},
		"bare":    {fmt.Errorf("can't get %s: %w", secret, inner), `can't get [URL]: Post [URL]: dial tcp: connection refused`},
	} {
		t.Run(name, func(t *testing.T) {
			got := withoutURL(test.err)
			require.EqualError(t, got, test.want)
			require.NotContains(t, fmt.Sprintf("%+v %#v", got, got), "hidden")
			require.ErrorIs(t, got, syscall.ECONNREFUSED)
			require.ErrorAs(t, got, &refused)
			require.Same(t, dial, refused)
			require.False(t, errors.As(got, &signed), "the URL could be read from it")
			require.Equal(t, errors.Is(test.err, fs.ErrNotExist), errors.Is(got, fs.ErrNotExist))
		})
	}
	require.Equal(t, fs.ErrNotExist, withoutURL(fs.ErrNotExist))
}

func TestUnescape_LeavesWhatIsNoEscape(t *testing.T) {
	for text, want := range map[string]string{
		"%41%2": "A%2", "%": "%", "%4": "%4", "%zz": "%zz", `\u0041`: "A", `\u004`: `\u004`, `\`: `\`, `\n\x`: "\n" + `\x`, "&amp;&#65;&": "&A&", "%2541": "%41",
	} {
		require.Equal(t, want, unescape(text), text)
	}
}

func TestExchange_BodyErrorWithoutURL(t *testing.T) {
	lost := &url.Error{Op: "Get", URL: "https://host/?Signature=hidden", Err: syscall.ECONNRESET}
	ans := exchange(func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: http.StatusOK, ContentLength: -1, Body: io.NopCloser(iotest.ErrReader(lost))}, nil
	}, nil, new(bodyBuffer))
	require.ErrorIs(t, ans.err, syscall.ECONNRESET)
	require.NotContains(t, ans.err.Error(), "hidden")
	require.False(t, errors.As(ans.err, new(*url.Error)), "the URL could be read from it")
}
