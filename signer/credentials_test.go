package signer_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/signer"
)

func TestCredentials_ShowTheirSecretToNothing(t *testing.T) {
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
	for _, mistake := range []string{"", "%", "%d %[5]d", "%!"} { // fmt shows what it could not place
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

func TestCredentials_ValidateNamesTheFieldAndNotItsValue(t *testing.T) {
	require.NoError(t, signer.Credentials{AccessKeyID: "id", AccessKeySecret: "hidden"}.Validate())
	require.NoError(t, signer.Credentials{AccessKeyID: "id", AccessKeySecret: "hidden", SecurityToken: "hidden"}.Validate())
	for field, creds := range map[string]signer.Credentials{
		"AccessKeyID":            {AccessKeySecret: "hidden"},
		"AccessKeySecret":        {AccessKeyID: "id"},
		"AccessKeyID:":           {AccessKeyID: "hidden id", AccessKeySecret: "hidden"},
		"AccessKeySecret: holds": {AccessKeyID: "id", AccessKeySecret: "hidden\n"},
		"SecurityToken":          {AccessKeyID: "id", AccessKeySecret: "hidden", SecurityToken: "hidden\u00e9"},
	} {
		err := creds.Validate()
		require.ErrorContains(t, err, field)
		require.NotContains(t, err.Error(), "hidden")
	}
}
