package signer_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/signer"
)

func TestCredentials_PrintedWithoutSecrets(t *testing.T) {
	creds := signer.Credentials{AccessKeyID: "shown-id", AccessKeySecret: "hidden-secret", SecurityToken: "hidden-token"}
	type holder struct {
		Creds   signer.Credentials
		Pointer *signer.Credentials
		List    []signer.Credentials
		Map     map[string]signer.Credentials
		Any     any
	}
	held := holder{creds, &creds, []signer.Credentials{creds}, map[string]signer.Credentials{"k": creds}, creds}
	shown := map[string]string{}
	for _, flags := range []string{"", "+", "#", "-30", "030.2", " "} {
		for _, verb := range "vsqxXdbocOUeEfFgGtTcz" {
			format := "%" + flags + string(verb)
			shown[format] = fmt.Sprintf(format+format+format, creds, &creds, held)
		}
	}
	for _, mistake := range []string{"", "%", "%d %[5]d", "%!"} { // fmt prints an operand that it has no use for
		shown["mistake "+mistake] = fmt.Sprintf(mistake, creds, &creds)
	}
	shown["error"] = errors.Join(fmt.Errorf("bad: %v", creds), fmt.Errorf("bad: %+v", held)).Error()
	for name, newHandler := range map[string]func(*bytes.Buffer) slog.Handler{
		"slog JSON": func(b *bytes.Buffer) slog.Handler { return slog.NewJSONHandler(b, nil) },
		"slog text": func(b *bytes.Buffer) slog.Handler { return slog.NewTextHandler(b, nil) },
	} {
		var out bytes.Buffer
		slog.New(newHandler(&out)).Info("message", "creds", creds, "pointer", &creds, "held", held)
		require.Contains(t, out.String(), "shown-id")
		shown[name] = out.String()
	}
	for name, marshal := range map[string]func(any) ([]byte, error){"JSON": json.Marshal, "XML": xml.Marshal} {
		for what, value := range map[string]any{"value": creds, "pointer": &creds, "list": held.List} {
			out, err := marshal(value)
			require.NoError(t, err)
			require.Contains(t, string(out), "shown-id")
			shown[name+" "+what] = string(out)
		}
	}
	for how, text := range shown {
		require.NotContains(t, text, "hidden", how)
		require.NotContains(t, text, "68696464656e", "%s: nor in hex", how)
	}
	require.Equal(t, `{AccessKeyID:"shown-id"}`, fmt.Sprint(creds))
}

// The texts of what is refused are in testdata/errors.txt.
func TestCredentials_ValidateAcceptsVisibleASCII(t *testing.T) {
	var visible strings.Builder
	for b := byte('!'); b <= '~'; b++ {
		visible.WriteByte(b)
	}
	require.NoError(t, signer.Credentials{AccessKeyID: "id", AccessKeySecret: "hidden"}.Validate())
	require.NoError(t, signer.Credentials{AccessKeyID: visible.String(), AccessKeySecret: visible.String(), SecurityToken: visible.String()}.Validate())
	for _, character := range []string{" ", "\n", "\x00", "\x7f", "\u00e9"} {
		require.Error(t, signer.Credentials{AccessKeyID: "id", AccessKeySecret: "hidden" + character}.Validate(), "%q", character)
	}
}
