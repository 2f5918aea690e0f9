package csr

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestOrigin_Text(t *testing.T) {
	for origin, want := range map[Origin]string{OriginUnknown: "unknown", OriginCDN: "CDN", OriginLocal: "local"} {
		assert.Equal(t, want, origin.String())
		text, err := origin.MarshalText()
		require.NoError(t, err)
		assert.Equal(t, want, string(text))
		got := Origin(-1)
		require.NoError(t, got.UnmarshalText(text))
		assert.Equal(t, origin, got)
	}
}

func TestOrigin_UnknownValue(t *testing.T) {
	for origin, want := range map[Origin]string{-1: "Origin(-1)", 3: "Origin(3)"} {
		assert.Equal(t, want, origin.String())
		_, err := origin.MarshalText()
		assert.Error(t, err)
	}
}

func TestOrigin_UnmarshalText_Refuses(t *testing.T) {
	for _, text := range []string{"", "cdn", "Local", "local ", "Origin(1)", "1"} {
		got := OriginCDN
		assert.Error(t, got.UnmarshalText([]byte(text)), text)
		assert.Equal(t, OriginCDN, got, text)
	}
	assert.Error(t, (*Origin)(nil).UnmarshalText([]byte("CDN")))
}

func TestOrigin_InJSON(t *testing.T) {
	type record struct{ Origin Origin }
	text, err := json.Marshal(record{OriginLocal})
	require.NoError(t, err)
	assert.JSONEq(t, `{"Origin":"local"}`, string(text))
	var got record
	require.NoError(t, json.Unmarshal(text, &got))
	assert.Equal(t, OriginLocal, got.Origin)
}
