package cdn

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/csr"
)

func TestDecodeFlat_ReadsTheServicesAnswers(t *testing.T) {
	for body, want := range map[string]struct {
		envelope envelope
		response csr.Response
	}{
		`{"RequestId":"r","CommonName":"c","Csr":"-----\nQ\n-----\n","PubMd5":"m"}`: {
			envelope{RequestId: "r"}, csr.Response{RequestId: "r", CommonName: "c", Csr: "-----\nQ\n-----\n", PubMd5: "m"},
		},
		`{"code":"Forbidden.RAM","message":"no","requestId":"r","other":"x","HostId":""}`: {
			envelope{Code: "Forbidden.RAM", Message: "no", RequestId: "r"}, csr.Response{RequestId: "r"},
		},
	} {
		var e envelope
		var resp csr.Response
		require.True(t, decodeFlat([]byte(body), &e, &resp), body)
		assert.Equal(t, want.envelope, e)
		assert.Equal(t, want.response, resp)
	}
}

func TestDecodeFlat_LeavesOtherTypesToEncodingJSON(t *testing.T) {
	var nested struct {
		RequestId string
		List      struct{ Item []string }
	}
	require.False(t, decodeFlat([]byte(`{"RequestId":"r"}`), new(envelope), &nested))
	require.False(t, decodeFlat([]byte(`{"DomainName":"d"}`), new(envelope), new(CertInfo)), "a json.Unmarshaler")
	var hidden struct {
		RequestId string
		Origin    int `json:"-"`
	}
	require.True(t, decodeFlat([]byte(`{"RequestId":"r","Origin":"x"}`), new(envelope), &hidden))
	require.Equal(t, "r", hidden.RequestId)
}

// FuzzDecodeFlat compares decodeFlat, where it accepts a body, with
// encoding/json.
func FuzzDecodeFlat(f *testing.F) {
	for _, body := range []string{
		`{"Csr":"a\nb"}`, `{"Csr":"\u0041"}`, `{"Csr":"a\\nb"}`, `{"Csr":"a\"}`, `{"Csr":"a","csr":"b"}`, `{"Csr":null}`, `{"Csr":"a"}}`, `{"Csr":"a",}`,
		`{}`, `{"":""}`, `{"Csr":"` + "\x00" + `"}`, `{"Csr":"` + "\xff" + `"}`, `{ "Csr":"a"}`, `{"Csr":"a"`, `{"Csr"`, `{"Csr":`, `"`, ``,
		`{"Origin":"a"}`, `{"Code":"a","cODE":"b"}`, `{"C\nsr":"a"}`, `{"\u212Aode":"a"}`, `{"Csr":"` + "\x80" + `"}`,
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var got, want struct {
			envelope
			resp csr.Response
		}
		if !decodeFlat(body, &got.envelope, &got.resp) {
			return
		}
		require.NoError(t, json.Unmarshal(body, &want.envelope), "%q", body)
		require.NoError(t, json.Unmarshal(body, &want.resp), "%q", body)
		require.Equal(t, want, got, "%q", body)
	})
}
