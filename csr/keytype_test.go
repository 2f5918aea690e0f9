package csr

import (
	"encoding/json"
	"flag"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestKeyType_Text(t *testing.T) {
	texts := []string{"rsa-2048", "rsa-3072", "rsa-4096", "p-256", "p-384", "ed25519"}
	for i, keyType := range keyTypes {
		assert.Equal(t, texts[i], keyType.String())
		asJSON, err := json.Marshal(keyType)
		require.NoError(t, err)
		assert.JSONEq(t, `"`+texts[i]+`"`, string(asJSON))

		var got KeyType
		flags := flag.NewFlagSet("", flag.ContinueOnError)
		flags.TextVar(&got, "key-type", RSA2048, "")
		require.NoError(t, flags.Parse([]string{"-key-type", texts[i]}))
		assert.Equal(t, keyType, got)
	}
	assert.Zero(t, RSA2048)
}

func TestKeyType_Unknown(t *testing.T) {
	for _, unknown := range []KeyType{-1, Ed25519 + 1} {
		_, err := unknown.MarshalText()
		assert.Error(t, err)
		_, err = unknown.NewKey(t.Context())
		assert.Error(t, err)
		assert.NotContains(t, "rsa-2048 rsa-3072 rsa-4096 p-256 p-384 ed25519", unknown.String())
	}
	for _, text := range []string{"", "RSA-2048", "rsa", "rsa2048", "p-521", " p-256", "0"} {
		got := P384
		assert.Error(t, got.UnmarshalText([]byte(text)), text)
		assert.Equal(t, P384, got, "left as it was")
	}
}
