package signer_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/signer"
)

// A vector is a published example of a signature.
type vector struct {
	Source, Signer, Endpoint     string
	AccessKeyID, AccessKeySecret string
	Action, Version, Format      string
	Params                       map[string]string
	Time                         time.Time
	Nonce                        string
	Signed                       string // RPC: the string to sign; ACS3: the canonical request
	SignedSHA256                 string // published for ACS3 only
	Signature                    string
}

func readVectors(t *testing.T) []vector {
	t.Helper()
	data, err := os.ReadFile("testdata/vectors.json")
	require.NoError(t, err)
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	var vectors []vector
	require.NoError(t, decoder.Decode(&vectors))
	require.Len(t, vectors, 2)
	return vectors
}

func (v vector) call() signer.Call {
	return signer.Call{Action: v.Action, Version: v.Version, Format: v.Format, Params: v.Params}
}

func (v vector) input() signer.Input {
	creds := signer.Credentials{AccessKeyID: v.AccessKeyID, AccessKeySecret: v.AccessKeySecret}
	return signer.Input{Credentials: creds, Time: v.Time, Nonce: v.Nonce}
}

func TestPublishedVectors(t *testing.T) {
	for _, v := range readVectors(t) {
		t.Run(v.Source, func(t *testing.T) {
			endpoint, err := url.Parse(v.Endpoint)
			require.NoError(t, err)
			switch v.Signer {
			case "RPC GET":
				s := signer.RPC{Method: http.MethodGet}
				require.Equal(t, v.Signed, s.StringToSign(v.call(), v.input()))
				req, err := s.Sign(t.Context(), endpoint, v.call(), v.input())
				require.NoError(t, err)
				require.Equal(t, v.Signature, req.URL.Query().Get("Signature"))
			case "ACS3":
				canonical := signer.ACS3{}.CanonicalRequest(endpoint, v.call(), v.input())
				require.Equal(t, v.Signed, canonical)
				hash := sha256.Sum256([]byte(canonical))
				require.Equal(t, v.SignedSHA256, hex.EncodeToString(hash[:]))
				req, err := signer.ACS3{}.Sign(t.Context(), endpoint, v.call(), v.input())
				require.NoError(t, err)
				_, signature, _ := strings.Cut(req.Header.Get("Authorization"), ",Signature=")
				require.Equal(t, v.Signature, signature)
			default:
				t.Fatalf("no signer %q", v.Signer)
			}
		})
	}
}
