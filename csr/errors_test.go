package csr

import (
	"context"
	"encoding/pem"
	"encoding/xml"
	"errors"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write testdata/errors.txt instead of comparing with it")

// An errorCase is an error and a description of its cause.
type errorCase struct {
	what string
	err  error
}

// TestErrors_Texts compares the texts of errors with testdata/errors.txt, so
// that a review shows each change.
func TestErrors_Texts(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the list has a Unix system's texts about files")
	}
	dir := filepath.Join(t.TempDir(), "keys")
	var list strings.Builder
	for _, c := range slices.Concat(requestErrors(), responseErrors(t), keyErrors(t), storeErrors(t, dir)) {
		require.Error(t, c.err, c.what)
		text := strings.ReplaceAll(c.err.Error(), dir, "DIR")
		text = regexp.MustCompile(`\b[0-9a-f]{32}\b`).ReplaceAllString(text, "PUBMD5")
		assert.NotContains(t, text, "\n", c.what)
		list.WriteString(c.what + "\n    " + text + "\n")
	}
	const golden = "testdata/errors.txt"
	if *update {
		require.NoError(t, os.WriteFile(golden, []byte(list.String()), 0o644))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	assert.Equal(t, string(want), list.String(), "go test ./csr -run Errors_Texts -update writes the list anew")
}

func requestErrors() []errorCase {
	all := []errorCase{
		{"no request", (*Request)(nil).Validate()},
		{"no name", (&Request{}).Validate()},
		{"a long CommonName", (&Request{CommonName: longName(66)}).Validate()},
		{"several mistakes", (&Request{SANs: []string{"a_b.example.com", "", "10.0.0.1"}, Country: "CHN"}).Validate()},
		{"too many names", (&Request{CommonName: "example.com", SANs: numbered(0, 250)}).Validate()},
	}
	for _, san := range []string{
		strings.Repeat("long-name.", 25) + "com.com", label63 + "a.com", "https://www.example.com/", "https:///index.html",
		"example.com,www.example.com", "example com", "admin@example.com", "192.0.2.1", "example.com/index.html",
		"example.com:443", "dns:example.com", "www.*.example.com", "example.com.", "example..com", "a_b.example.com",
		"-a.example.com", "ab--c.example.com", "a!b.example.com", "example.1", "xn--a.com",
	} {
		all = append(all, errorCase{"a name", (&Request{CommonName: "example.com", SANs: []string{san}}).Validate()})
	}
	for _, city := range []string{
		"Hang\xffzhou", "Hang\u2028zhou", "Hang\tzhou", "Hang\u202ezhou", "Hang\ufffdzhou", "Hang\u200bzhou", "Hang\uffffzhou",
		"\u200d", "Hangzhou ", strings.Repeat("Hangzhou ", 15) + "City",
	} {
		all = append(all, errorCase{"a text", (&Request{CommonName: "example.com", City: city}).Validate()})
	}
	for _, email := range []string{
		"admin@例え.example", longEmail(256), "admin", "Admin <admin@example.com>", "admin@*.example.com", "admin@a_b.example.com",
	} {
		all = append(all, errorCase{"an email address", (&Request{CommonName: "example.com", Email: email}).Validate()})
	}
	return all
}

func responseErrors(t *testing.T) []errorCase {
	resp, err := New(&exampleRequest, newTestKey(t, P256))
	require.NoError(t, err)
	read := func(what, text string) errorCase {
		_, err := (&Response{Csr: text}).CertificateRequest()
		return errorCase{what, err}
	}
	check := func(what string, r Response, req *Request) errorCase { return errorCase{what, r.Check(req)} }
	return []errorCase{
		{"no response", (*Response)(nil).Check(&exampleRequest)},
		read("no PEM", "example.com"),
		read("another PEM label", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
		read("no CSR in the PEM", string(pem.EncodeToMemory(&pem.Block{Type: pemType, Bytes: []byte{0}}))),
		read("a CSR that was changed", swapSignature(t, resp.Csr)),
		check("another CommonName", *resp, &Request{CommonName: "other.example"}),
		check("a missing name", *resp, &Request{CommonName: "example.com", SANs: []string{"other.example"}}),
		check("another PubMd5", Response{Csr: resp.Csr, PubMd5: "629bf4fd", Origin: OriginLocal}, &exampleRequest),
		{"XML with another root", xml.Unmarshal([]byte("<Error/>"), new(Response))},
		{"truncated XML", xml.Unmarshal([]byte("<"+xmlRoot+"><Csr>"), new(Response))},
		{"the text of no Origin", new(Origin).UnmarshalText([]byte("cdn"))},
	}
}

func keyErrors(t *testing.T) []errorCase {
	var all []errorCase
	bad := badKeys(t)
	for _, what := range []string{
		"nil", "an empty RSA key", "an empty ECDSA key", "a short Ed25519 key", "no public key", "RSA without N", "RSA of 1024 bits",
		"ECDSA without a curve", "P-224", "a short Ed25519 public", "a string",
	} {
		_, err := New(&exampleRequest, bad[what])
		all = append(all, errorCase{what, err})
	}
	_, err := New(&exampleRequest, hsm{newTestKey(t, P256), newTestKey(t, P256).Sign})
	all = append(all, errorCase{"another key's signature", err})
	_, err = PubMD5(nil)
	return append(all, errorCase{"PubMD5 of nil", err})
}

func storeErrors(t *testing.T, dir string) []errorCase {
	key := newTestKey(t, P256)
	name, err := PubMD5(key.Public())
	require.NoError(t, err)
	canceled, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("shutting down"))
	generate := func(ctx context.Context, what string, keys KeyStore, source KeySource) errorCase {
		_, err := (&Generator{Keys: keys, Source: source}).CreateCdnCertificateSigningRequest(ctx, &exampleRequest)
		return errorCase{what, err}
	}
	find := func(what string, keys KeyStore, name string) errorCase {
		_, err := keys.Get(t.Context(), name)
		return errorCase{what, err}
	}
	mem, files := new(MemStore), DirStore{Path: dir}
	require.NoError(t, mem.Put(t.Context(), name, key))
	require.NoError(t, files.Put(t.Context(), name, key))
	all := []errorCase{
		generate(t.Context(), "no store", nil, P256),
		generate(canceled, "a canceled context", mem, P256),
		generate(t.Context(), "a source without keys", mem, fixedSource{}),
		generate(t.Context(), "an unknown KeyType", mem, KeyType(9)),
		generate(t.Context(), "an unreadable key", &stubStore{put: fs.ErrExist, get: errors.New("no connection")},
			fixedSource{key}),
		generate(t.Context(), "another key in the store", &stubStore{put: fs.ErrExist, key: newTestKey(t, P256)},
			fixedSource{key}),
		{"a KeyType's text", new(KeyType).UnmarshalText([]byte("rsa"))},
		{"MemStore: a key that exists", mem.Put(t.Context(), name, key)},
		{"MemStore: another key's name", mem.Put(t.Context(), strings.Repeat("0", 32), key)},
		find("MemStore: no key", mem, strings.Repeat("0", 32)),
		{"DirStore: a key that exists", files.Put(t.Context(), name, key)},
		{"DirStore: an HSM's key", files.Put(t.Context(), name, hsm{Signer: key})},
		find("DirStore: no key", files, strings.Repeat("0", 32)),
		find("DirStore: an invalid name", files, "../key"),
	}
	file := filepath.Join(dir, name+".pem")
	require.NoError(t, os.Chmod(file, 0o644))
	all = append(all, find("DirStore: a key file that others can read", files, name))
	require.NoError(t, os.Chmod(file, 0o600))
	require.NoError(t, os.Truncate(file, 60))
	return append(all, find("DirStore: a truncated key file", files, name))
}
