package issue

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mholt/acmez/v3/acme"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/csr"
	"github.com/cdncsr/cdncsr/examples/internal/cli"
	"github.com/cdncsr/cdncsr/examples/renew/internal/site"
	"github.com/cdncsr/cdncsr/examples/renew/internal/state"
)

// certificate returns a certificate for example.com in PEM, which began some
// time ago and lives for 90 days.
func certificate(t *testing.T, age time.Duration) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	start := time.Now().Add(-age)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{"example.com"}, NotBefore: start, NotAfter: start.AddDate(0, 0, 90),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

// What the CA issues must have the key of the CSR and the names of the site,
// and a life ahead: else the next run would order another.
func TestOrder_ChecksWhatTheCAIssued(t *testing.T) {
	fresh, err := parseChain(certificate(t, time.Hour))
	require.NoError(t, err)
	old, err := parseChain(certificate(t, 61*24*time.Hour))
	require.NoError(t, err)
	keyOf := func(leaf *x509.Certificate) string {
		name, err := csr.PubMD5(leaf.PublicKey)
		require.NoError(t, err)
		return name
	}
	for name, test := range map[string]struct {
		leaf  *x509.Certificate
		key   string
		names []string
		want  string // empty: no error
	}{
		"good":          {fresh, keyOf(fresh), []string{"example.com"}, ""},
		"another key":   {fresh, "another", []string{"example.com"}, "has the key"},
		"another name":  {fresh, keyOf(fresh), []string{"example.com", "www.example.com"}, "not for"},
		"due at once":   {old, keyOf(old), []string{"example.com"}, "is due already"},
		"unusual curve": {&x509.Certificate{}, "", []string{"example.com"}, "the CA's certificate"},
	} {
		o := &order{site: site.Site{Domain: "example.com", Names: test.names}, rec: &state.Record{OrderKey: test.key}}
		if err := o.check(test.leaf); test.want == "" {
			assert.NoError(t, err, name)
		} else {
			assert.ErrorContains(t, err, test.want, name)
		}
	}
}

func TestParseChain(t *testing.T) {
	leaf, next := certificate(t, 0), certificate(t, 0)
	chain := append(bytes.Clone(leaf), next...)
	got, err := parseChain(append(bytes.Clone(chain), '\n', '\n'))
	require.NoError(t, err)
	assert.Equal(t, []string{"example.com"}, got.DNSNames)
	for name, damaged := range map[string][]byte{
		"empty":                    nil,
		"a page":                   []byte("<html>busy</html>"),
		"cut off in the leaf":      leaf[:len(leaf)/2],
		"cut off after it":         chain[:len(leaf)+len(next)/2],
		"a page after the leaf":    append(bytes.Clone(leaf), "<html>"...),
		"no certificate after one": append(bytes.Clone(leaf), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("none")})...),
	} {
		_, err := parseChain(damaged)
		assert.Error(t, err, name)
	}
}

func FuzzParseChain(f *testing.F) {
	f.Add([]byte("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"))
	f.Fuzz(func(t *testing.T, chain []byte) {
		leaf, err := parseChain(chain)
		assert.Equal(t, err == nil, leaf != nil)
	})
}

func TestParseRetryAfter(t *testing.T) {
	date := time.Date(2026, 11, 26, 8, 0, 0, 0, time.UTC)
	assert.True(t, parseRetryAfter(http.Header{"Retry-After": {date.Format(http.TimeFormat)}}).Equal(date))
	in := time.Until(parseRetryAfter(http.Header{"Retry-After": {"120"}}))
	assert.True(t, in > time.Minute && in <= 2*time.Minute, in)
	for _, text := range []string{"", "-1", "soon", "99999999999999999999"} {
		assert.Zero(t, parseRetryAfter(http.Header{"Retry-After": {text}}), text)
	}
}

func TestParseCA(t *testing.T) {
	for text, want := range map[string]string{
		"letsencrypt": LetsEncrypt, "letsencrypt-staging": Staging, "zerossl": ZeroSSL,
		"https://ca.example.net/dir": "https://ca.example.net/dir",
		"":                           "", "nonsense": "", "http://ca.example.net/dir": "", "https:///dir": "",
	} {
		got, err := ParseCA(text)
		assert.Equal(t, want, got, text)
		assert.Equal(t, want == "", err != nil, text)
	}
}

func TestReadEAB(t *testing.T) {
	eab, err := ReadEAB("", "")
	require.NoError(t, err)
	require.Nil(t, eab)
	file := filepath.Join(t.TempDir(), "key")
	for content, want := range map[string]string{
		"c2VjcmV0": "c2VjcmV0", " c2VjcmV0cw==\n": "c2VjcmV0cw", "-_-_": "-_-_",
		"": "", "\n": "", "==": "", "+/+/": "", "not a key": "", "c": "",
	} {
		require.NoError(t, os.WriteFile(file, []byte(content), 0o600))
		eab, err := ReadEAB("kid", file)
		if want == "" {
			assert.ErrorContains(t, err, file, content)
			continue
		}
		require.NoError(t, err, content)
		assert.Equal(t, &acme.EAB{KeyID: "kid", MACKey: want}, eab)
	}
}

// slow is a solver whose proofs take some time to be removed.
type slow time.Duration

func (s slow) Present(context.Context, acme.Challenge) error { return nil }

func (s slow) CleanUp(ctx context.Context, _ acme.Challenge) error {
	return cli.Sleep(ctx, time.Duration(s))
}

// However many proofs there are, their removal holds up the end of the program
// for no longer than one may, and a slow one does not keep the others.
func TestOrder_CleanUpIsBounded(t *testing.T) {
	for solver, failures := range map[slow]int{slow(cleanUpTimeout / 2): 0, slow(time.Hour): 100} {
		synctest.Test(t, func(t *testing.T) {
			ctx, interrupt := context.WithCancel(t.Context())
			interrupt()
			warnings := make(chan string, 100)
			ca := &CA{Solver: solver, Logf: func(format string, _ ...any) { warnings <- format }}
			start := time.Now()
			(&order{CA: ca}).cleanUp(ctx, make([]proof, 100))
			assert.LessOrEqual(t, time.Since(start), cleanUpTimeout) // virtual
			assert.Len(t, warnings, failures)
		})
	}
}

// answers is a CA that answers with the texts of its paths; HTTP 503 to others.
type answers map[string]string

func (a answers) RoundTrip(req *http.Request) (*http.Response, error) {
	reply := httptest.NewRecorder()
	reply.Header().Set("Content-Type", "application/json")
	text, ok := a[req.URL.Path]
	if !ok {
		reply.WriteHeader(http.StatusServiceUnavailable)
	}
	_, err := reply.WriteString(text)
	return reply.Result(), err
}

// A window that the CA has told stays while the CA tells none.
func TestWindow_StaysWhileTheCAIsDown(t *testing.T) {
	leaf, err := parseChain(certificate(t, time.Hour))
	require.NoError(t, err)
	leaf.AuthorityKeyId = []byte("issuer")
	id, err := acme.ARIUniqueIdentifier(leaf)
	require.NoError(t, err)
	ca := answers{
		"/dir":       `{"newOrder":"https://ca.example.net/order","renewalInfo":"https://ca.example.net/ari"}`,
		"/ari/" + id: `{"suggestedWindow":{"start":"2026-11-01T00:00:00Z","end":"2026-11-02T00:00:00Z"}}`,
	}
	c := New("https://ca.example.net/dir", ca)
	want := c.Window(t.Context(), leaf)
	require.Equal(t, id, want.ID)
	delete(ca, "/ari/"+id)
	assert.Equal(t, want, c.Window(t.Context(), leaf))
}
