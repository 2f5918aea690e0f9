package signer_test

import (
	"flag"
	"maps"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/signer"
)

var update = flag.Bool("update", false, "write testdata/errors.txt instead of comparing with it")

// An invalid is an input of Sign with one mistake.
type invalid struct {
	what   string
	change func(u *url.URL, c *signer.Call, in *signer.Input)
}

var invalids = []invalid{
	{"no action", func(_ *url.URL, c *signer.Call, _ *signer.Input) { c.Action = "" }},
	{"an action with a line end", func(_ *url.URL, c *signer.Call, _ *signer.Input) { c.Action = "A\nB" }},
	{"no version", func(_ *url.URL, c *signer.Call, _ *signer.Input) { c.Version = "" }},
	{"a version with a space", func(_ *url.URL, c *signer.Call, _ *signer.Input) { c.Version = "2018 05 10" }},
	{"a format", func(_ *url.URL, c *signer.Call, _ *signer.Input) { c.Format = "YAML" }},
	{"a common parameter", func(_ *url.URL, c *signer.Call, _ *signer.Input) { c.Params["Action"] = "x" }},
	{"a parameter of the signature", func(_ *url.URL, c *signer.Call, _ *signer.Input) { c.Params["SignatureType"] = "x" }},
	{"a parameter without a name", func(_ *url.URL, c *signer.Call, _ *signer.Input) { c.Params[""] = "x" }},
	{"a nonce with a line end", func(_ *url.URL, _ *signer.Call, in *signer.Input) { in.Nonce = "a\r\nb" }},
	{"no AccessKeyID", func(_ *url.URL, _ *signer.Call, in *signer.Input) { in.Credentials.AccessKeyID = "" }},
	{"an AccessKeyID with a space", func(_ *url.URL, _ *signer.Call, in *signer.Input) { in.Credentials.AccessKeyID = "secret id" }},
	{"no AccessKeySecret", func(_ *url.URL, _ *signer.Call, in *signer.Input) { in.Credentials.AccessKeySecret = "" }},
	{"an AccessKeySecret with a line end", func(_ *url.URL, _ *signer.Call, in *signer.Input) { in.Credentials.AccessKeySecret += "\n" }},
	{"a SecurityToken with a line end", func(_ *url.URL, _ *signer.Call, in *signer.Input) { in.Credentials.SecurityToken += "\n" }},
	{"a scheme", func(u *url.URL, _ *signer.Call, _ *signer.Input) { u.Scheme = "ftp" }},
	{"no host", func(u *url.URL, _ *signer.Call, _ *signer.Input) { u.Host = "" }},
	{"a port alone", func(u *url.URL, _ *signer.Call, _ *signer.Input) { u.Host = ":443" }},
	{"an empty port", func(u *url.URL, _ *signer.Call, _ *signer.Input) { u.Host += ":" }},
	{"a host beyond ASCII", func(u *url.URL, _ *signer.Call, _ *signer.Input) { u.Host = "例え.jp" }},
	{"a host with a bracket", func(u *url.URL, _ *signer.Call, _ *signer.Input) { u.Host = "a[b" }},
	{"a user", func(u *url.URL, _ *signer.Call, _ *signer.Input) { u.User = url.UserPassword("u", "secret") }},
	{"a path", func(u *url.URL, _ *signer.Call, _ *signer.Input) { u.Path = "/secret" }},
	{"an opaque URL", func(u *url.URL, _ *signer.Call, _ *signer.Input) { u.Opaque = "secret" }},
	{"a query", func(u *url.URL, _ *signer.Call, _ *signer.Input) { u.RawQuery = "secret=1" }},
	{"an empty query", func(u *url.URL, _ *signer.Call, _ *signer.Input) { u.ForceQuery = true }},
	{"a fragment", func(u *url.URL, _ *signer.Call, _ *signer.Input) { u.Fragment = "secret" }},
}

// TestErrors_Texts compares the texts of errors with testdata/errors.txt, so
// that a change of one is seen in a review. Every signer refuses alike.
func TestErrors_Texts(t *testing.T) {
	var list strings.Builder
	for _, invalid := range invalids {
		texts := map[string]bool{}
		for name, s := range signers {
			call, in := oddInput()
			call.Params = maps.Clone(call.Params)
			u := *cdnEndpoint
			invalid.change(&u, &call, &in)
			req, err := s.Sign(t.Context(), &u, call, in)
			require.Error(t, err, "%s by %s", invalid.what, name)
			require.Nil(t, req)
			texts[err.Error()] = true
		}
		require.Len(t, texts, 1, invalid.what)
		for text := range texts {
			assert.NotContains(t, text, "\n", invalid.what)
			assert.NotContains(t, text, "secret", invalid.what)
			assert.NotContains(t, text, "CAIS", invalid.what)
			list.WriteString(invalid.what + "\n    " + text + "\n")
		}
	}
	call, in := oddInput()
	_, err := signer.ACS3{}.Sign(t.Context(), nil, call, in)
	require.Error(t, err)
	list.WriteString("no endpoint\n    " + err.Error() + "\n")
	_, err = signer.RPC{Method: http.MethodPut}.Sign(t.Context(), cdnEndpoint, call, in)
	require.Error(t, err)
	list.WriteString("a method of RPC\n    " + err.Error() + "\n")

	const golden = "testdata/errors.txt"
	if *update {
		require.NoError(t, os.WriteFile(golden, []byte(list.String()), 0o644))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	assert.Equal(t, string(want), list.String(), "go test ./signer -run Errors_Texts -update writes the list anew")
}
