package cdn

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestDecodeFlat_TheServicesAnswers(t *testing.T) {
	for body, want := range map[string]answer{
		`{"RequestId":"r","CommonName":"c","Csr":"-----\nQ\n-----\n","PubMd5":"m"}`:       {RequestId: "r", CommonName: "c", Csr: "-----\nQ\n-----\n", PubMd5: "m"},
		`{"code":"Forbidden.RAM","message":"no","requestId":"r","other":"x","HostId":""}`: {Code: "Forbidden.RAM", Message: "no", RequestId: "r"},
	} {
		a, ok := decodeFlat([]byte(body))
		require.True(t, ok, body)
		assert.Equal(t, want, a)
	}
}

// What decodeFlat reads it reads as encoding/json does.
func FuzzDecodeFlat(f *testing.F) {
	for _, body := range []string{
		`{"Csr":"a\nb"}`, `{"Csr":"a\\nb"}`, `{"Csr":"a\"}`, `{"Csr":"a","csr":"b"}`, `{"Csr":null}`, `{"Csr":"a"}}`, `{"Csr":"a",}`,
		`{}`, `{"":""}`, `{"Csr":"` + "\x00" + `"}`, `{"Csr":"` + "\xff" + `"}`, `{ "Csr":"a"}`, `{"Csr":"a"`, `{"Csr"`, `{"Csr":`, `"`, ``,
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		flat, ok := decodeFlat(body)
		if !ok {
			return
		}
		var want answer
		require.NoError(t, json.Unmarshal(body, &want), "%q", body)
		require.Equal(t, want, flat, "%q", body)
	})
}
