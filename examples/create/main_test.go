package main

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/cdn/cdntest"
	"github.com/cdncsr/cdncsr/csr"
)

// result is the outcome of a run of the program.
type result struct {
	status         int
	stdout, stderr string
}

func runWith(t *testing.T, args ...string) result {
	t.Helper()
	var stdout, stderr bytes.Buffer
	status := run(t.Context(), args, &stdout, &stderr)
	return result{status, stdout.String(), stderr.String()}
}

// response decodes stdout and requires that it has the documented form.
func (r result) response(t *testing.T, format string) *csr.Response {
	t.Helper()
	require.Zero(t, r.status, r.stderr)
	var resp csr.Response
	if format == "xml" {
		require.NoError(t, xml.Unmarshal([]byte(r.stdout), &resp))
		assert.Equal(t, fmt.Sprintf("<CreateCdnCertificateSigningRequestResponse>\n  <RequestId>%s</RequestId>\n"+
			"  <CommonName>%s</CommonName>\n  <Csr>%s</Csr>\n  <PubMd5>%s</PubMd5>\n"+
			"</CreateCdnCertificateSigningRequestResponse>\n",
			resp.RequestId, resp.CommonName, resp.Csr, resp.PubMd5), r.stdout)
		return &resp
	}
	require.NoError(t, json.Unmarshal([]byte(r.stdout), &resp))
	const layout = "{\n    \"RequestId\": %q,\n    \"CommonName\": %q,\n    \"Csr\": %q,\n    \"PubMd5\": %q\n}\n"
	assert.Equal(t, fmt.Sprintf(layout, resp.RequestId, resp.CommonName, resp.Csr, resp.PubMd5), r.stdout)
	return &resp
}

// requireFailure requires that the program failed with one line on stderr that
// contains why, and wrote no response.
func (r result) requireFailure(t *testing.T, status int, why string) {
	t.Helper()
	require.Equal(t, status, r.status)
	require.Empty(t, r.stdout)
	require.Regexp(t, `^create: [^\n]+\n$`, r.stderr)
	require.Contains(t, r.stderr, why)
}

func setCredentials(t *testing.T, id, secret string) {
	t.Helper()
	t.Setenv("ALIBABA_CLOUD_ACCESS_KEY_ID", id)
	t.Setenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET", secret)
	t.Setenv("ALIBABA_CLOUD_SECURITY_TOKEN", "")
}

func TestCreate_StoresTheLocalKey(t *testing.T) {
	for i, keyType := range keyTypes() {
		format := []string{"json", "xml"}[i%2] // not both with each, since RSA keys are slow to make
		t.Run(keyType.String()+" "+format, func(t *testing.T) {
			keys := filepath.Join(t.TempDir(), "keys")
			got := runWith(t, "-keys", keys, "-key-type", keyType.String(), "-format", format, "example.com", "www.example.com")
			resp := got.response(t, format)
			file := filepath.Join(keys, resp.PubMd5+".pem")
			assert.Contains(t, got.stderr, file)
			info, err := os.Stat(file)
			require.NoError(t, err)
			if runtime.GOOS != "windows" {
				assert.EqualValues(t, 0o600, info.Mode())
			}
			key, err := csr.DirStore{Path: keys}.Get(t.Context(), resp.PubMd5)
			require.NoError(t, err)
			parsed, err := resp.CertificateRequest()
			require.NoError(t, err)
			assert.Equal(t, parsed.PublicKey, key.Public())
			assert.Equal(t, keyType.String(), keyTypeOf(t, parsed.PublicKey))
			assert.Equal(t, []string{"example.com", "www.example.com"}, parsed.DNSNames)
		})
	}
}

// keyTypes returns all key types. They are numbered without a gap.
func keyTypes() []csr.KeyType {
	var all []csr.KeyType
	for t := csr.KeyType(0); ; t++ {
		if _, err := t.MarshalText(); err != nil {
			return all
		}
		all = append(all, t)
	}
}

// keyTypeOf returns the name that -key-type has for the type of a public key.
func keyTypeOf(t *testing.T, key crypto.PublicKey) string {
	t.Helper()
	switch key := key.(type) {
	case *rsa.PublicKey:
		return fmt.Sprintf("rsa-%d", key.N.BitLen())
	case *ecdsa.PublicKey:
		return strings.ToLower(key.Params().Name)
	case ed25519.PublicKey:
		return "ed25519"
	}
	t.Fatalf("unexpected key type %T", key)
	return ""
}

func TestCreate_HasAFlagForEachParameter(t *testing.T) {
	got := runWith(t, "-keys", t.TempDir(), "-key-type", "p-256", "-organization", "Example", "-organization-unit", "Unit",
		"-country", "DE", "-state", "Bayern", "-city", "München", "-email", "a@example.com", "example.com")
	parsed, err := got.response(t, "json").CertificateRequest()
	require.NoError(t, err)
	assert.Equal(t, []string{"Example"}, parsed.Subject.Organization)
	assert.Equal(t, []string{"Unit"}, parsed.Subject.OrganizationalUnit)
	assert.Equal(t, []string{"DE"}, parsed.Subject.Country)
	assert.Equal(t, []string{"Bayern"}, parsed.Subject.Province)
	assert.Equal(t, []string{"München"}, parsed.Subject.Locality)
	assert.Contains(t, string(parsed.RawSubject)+strings.Join(parsed.EmailAddresses, ""), "a@example.com")
}

func TestCreate_PrintsRemoteAndLocalResponsesAlike(t *testing.T) {
	srv := cdntest.NewServer(t)
	var last cdntest.Request
	srv.API.OnRequest = func(c cdntest.Request) { last = c }
	setCredentials(t, "testid", "testsecret")
	for _, signer := range []string{"rpc", "acs3"} {
		for _, format := range []string{"json", "xml"} {
			t.Run(signer+" "+format, func(t *testing.T) {
				keys := filepath.Join(t.TempDir(), "keys")
				got := runWith(t, "-mode", "remote", "-endpoint", srv.URL, "-signer", signer, "-format", format, "-keys", keys,
					"example.com", "www.example.com")
				remote := got.response(t, format)
				assert.Equal(t, signer, strings.ToLower(last.Signature))
				assert.Contains(t, got.stderr, "the private key is with the CDN")
				assert.NoDirExists(t, keys)
				_, err := srv.API.Keys.Get(t.Context(), remote.PubMd5)
				require.NoError(t, err)
				local := runWith(t, "-keys", keys, "-format", format, "example.com", "www.example.com").response(t, format)
				assert.Equal(t, local.CommonName, remote.CommonName)
			})
		}
	}
}

func TestCreate_ReportsRemoteFailuresInOneLine(t *testing.T) {
	srv := cdntest.NewServer(t)
	for name, test := range map[string]struct {
		id, secret, country, why string
	}{
		"wrong secret":             {"testid", "wrong", "CN", "check the AccessKeySecret"},
		"unknown key":              {"nobody", "testsecret", "CN", "check that the AccessKeyID is right"},
		"no key":                   {"", "", "CN", "ALIBABA_CLOUD_ACCESS_KEY_ID"},
		"no secret":                {"testid", "", "CN", "ALIBABA_CLOUD_ACCESS_KEY_SECRET"},
		"country of three letters": {"testid", "testsecret", "CHN", `Country "CHN"`},
	} {
		t.Run(name, func(t *testing.T) {
			setCredentials(t, test.id, test.secret)
			got := runWith(t, "-mode", "remote", "-endpoint", srv.URL, "-country", test.country, "example.com")
			got.requireFailure(t, 1, test.why)
		})
	}
}

// deadEndpoint returns a loopback URL on which nothing listens.
func deadEndpoint(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, listener.Close())
	return "http://" + listener.Addr().String()
}

func TestCreate_FallsBackFromADeadEndpoint(t *testing.T) {
	setCredentials(t, "testid", "testsecret")
	keys := t.TempDir()
	got := runWith(t, "-mode", "fallback", "-endpoint", deadEndpoint(t),
		"-keys", keys, "-key-type", "p-256", "example.com")
	resp := got.response(t, "json")
	assert.FileExists(t, filepath.Join(keys, resp.PubMd5+".pem"))
	assert.Regexp(t, `(?m)^create: this machine makes the CSR because .+: cdn: unavailable: .+$`, got.stderr)
}

func TestCreate_DoesNotFallBackWhenRefused(t *testing.T) {
	srv := cdntest.NewServer(t)
	for name, test := range map[string]struct{ id, secret, why string }{
		"wrong secret":   {"testid", "wrong", "check the AccessKeySecret"},
		"no credentials": {"", "", "ALIBABA_CLOUD_ACCESS_KEY_ID"},
	} {
		t.Run(name, func(t *testing.T) {
			setCredentials(t, test.id, test.secret)
			keys := filepath.Join(t.TempDir(), "keys")
			got := runWith(t, "-mode", "fallback", "-endpoint", srv.URL, "-keys", keys, "example.com")
			got.requireFailure(t, 1, test.why)
			assert.NoDirExists(t, keys)
		})
	}
}

func TestCreate_ReportsLocalFailuresInOneLine(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	runWith(t, "-keys", file, "example.com").requireFailure(t, 1, file)
	runWith(t, "-keys", t.TempDir(), "https://example.com/", "a b").requireFailure(t, 1, `SANs[0] "a b"`)
}

func TestCreate_WrongUsage(t *testing.T) {
	for why, args := range map[string][]string{
		"no COMMON-NAME":                {"-mode", "local"},
		"want local, remote, fallback":  {"-mode", "cloud", "example.com"},
		"want rpc, acs3":                {"-signer", "v4", "example.com"},
		"want json, xml":                {"-format", "yaml", "example.com"},
		`"rsa-1024" for flag -key-type`: {"-key-type", "rsa-1024", "example.com"},
		"not defined: -nonsense":        {"-nonsense", "example.com"},
		"want flags before the names":   {"example.com", "-mode", "remote"},
		`"http://192.0.2.1"`:            {"-mode", "remote", "-endpoint", "http://192.0.2.1", "example.com"},
		`"cdn.aliyuncs.com"`:            {"-mode", "fallback", "-endpoint", "cdn.aliyuncs.com", "example.com"},
	} {
		t.Run(why, func(t *testing.T) {
			runWith(t, args...).requireFailure(t, 2, why)
		})
	}
}

func TestCreate_HelpListsEveryFlag(t *testing.T) {
	got := runWith(t, "-h")
	assert.Zero(t, got.status)
	assert.Empty(t, got.stderr)
	for _, flag := range []string{
		"-mode", "-keys", "-key-type", "-endpoint", "-signer", "-format",
		"-organization", "-organization-unit", "-country", "-state", "-city", "-email",
	} {
		assert.Contains(t, got.stdout, "  "+flag+" ")
	}
	for _, keyType := range keyTypes() {
		assert.Contains(t, got.stdout, keyType.String())
	}
}

func TestCreate_MakesNothingAfterAnInterrupt(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	keys := filepath.Join(t.TempDir(), "keys")
	var stdout, stderr bytes.Buffer
	status := run(ctx, []string{"-keys", keys, "example.com"}, &stdout, &stderr)
	result{status, stdout.String(), stderr.String()}.requireFailure(t, 1, "context canceled")
	assert.NoDirExists(t, keys)
}

// fullDisk fails each write.
type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errors.New("no space left on device") }

func TestCreate_FailsIfTheResponseCannotBeWritten(t *testing.T) {
	var stderr bytes.Buffer
	status := run(t.Context(), []string{"-keys", t.TempDir(), "-key-type", "p-256", "example.com"}, fullDisk{}, &stderr)
	assert.Equal(t, 1, status)
	assert.Regexp(t, `(?m)^create: write the response with PubMd5 [0-9a-f]{32}: no space left on device$`, stderr.String())
}
