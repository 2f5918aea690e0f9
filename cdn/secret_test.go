package cdn_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/cdn"
)

// hiddenKey stands for a private key in PEM.
const hiddenKey = "-----BEGIN EC PRIVATE KEY-----\nMHcCAQEEIHiddenHiddenHiddenHiddenHiddenHiddenHidden+/==\n-----END EC PRIVATE KEY-----\n"

func TestSecret_ShowsNothing(t *testing.T) {
	req := cdn.SetCdnDomainSSLCertificateRequest{DomainName: "example.com", SSLProtocol: "on", SSLPub: "public", SSLPri: hiddenKey}
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
