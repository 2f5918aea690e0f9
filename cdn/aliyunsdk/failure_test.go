package aliyunsdk_test

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"testing"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth/credentials"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/cdn"
	"github.com/cdncsr/cdncsr/cdn/aliyunsdk"
	"github.com/cdncsr/cdncsr/csr"
	"github.com/cdncsr/cdncsr/signer"
)

// hunter is a secret that a failing provider has come across.
const hunter = "hunter2hunter2"

// answers is a cloud that answers everything so.
func answers(status int, body string) func(http.ResponseWriter) bool {
	return func(w http.ResponseWriter) bool {
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body)) // a client that has gone is no error of the fake's
		return true
	}
}

func cut(http.ResponseWriter) bool { panic(http.ErrAbortHandler) }

// A mishap is a look-up that goes wrong.
type mishap struct {
	name   string
	env    map[string]string
	files  map[string]string
	broken func(http.ResponseWriter) bool
	build  func(t *testing.T, c *cloud) credentials.CredentialsProvider
	says   []string // what its error must hold
}

var mishaps = []mishap{
	{
		name: "broken CLI configuration", files: map[string]string{".aliyun/config.json": `{"access_key_secret": "` + hunter + `"`},
		build: cliProfile(""), says: []string{"CLIProfile", ".aliyun/config.json", "withheld"},
	},
	{
		name: "broken ini file", files: map[string]string{".alibabacloud/credentials": "[default\n" + hunter},
		build: iniProfile(""), says: []string{"ProfileCredentialsProvider", ".alibabacloud/credentials"},
	},
	{
		name: "default chain, all broken", build: nil, says: []string{"DefaultCredentialsProvider", ".aliyun/config.json", ".alibabacloud/credentials"},
		files: map[string]string{".aliyun/config.json": hunter, ".alibabacloud/credentials": "[" + hunter},
	},
	{name: "nothing in the environment", build: environment, says: []string{"ALIBABA_CLOUD_ACCESS_KEY_SECRET"}},
	{
		name: "STS says no", build: ramRole, says: []string{"RAMRoleARN", "HTTP 403", "NoPermission", "6F9A3B5C-0000-4000-8000-1234567890AB"},
		broken: answers(http.StatusForbidden, `{"Code":"NoPermission","RequestId":"6F9A3B5C-0000-4000-8000-1234567890AB","Message":"`+hunter+`"}`),
	},
	{
		name: "STS puts it into the code", build: ramRole, says: []string{"HTTP 400", "code unknown"},
		broken: answers(http.StatusBadRequest, `{"Code":"`+hunter+`","RequestId":"`+hunter+`"}`),
	},
	{name: "STS hangs up", build: ramRole, says: []string{"could not be reached", "STS"}, broken: cut},
	{name: "STS gives no end", build: ramRole, says: []string{"panicked"}, broken: answers(http.StatusOK, `{"Credentials": {"AccessKeyId": "i", "AccessKeySecret": "`+hunter+`", "SecurityToken": "t"}}`)},
	{name: "OIDC: no token file", build: oidc, env: withoutFile(oidcEnv), says: []string{"OIDC", "a file is missing"}},
	{
		name: "metadata service broken", env: metadata, build: ecsRole("the-role"),
		says: []string{"ECSRAMRole", "100.100.100.200"}, broken: answers(http.StatusInternalServerError, hunter),
	},
	{name: "URI gives nonsense", build: uri, says: []string{"URLCredentials"}, broken: answers(http.StatusOK, `{"AccessKeySecret":"`+hunter+`"}`)},
	{name: "space in the secret", env: keyEnv(spaced), build: environment, says: []string{"AccessKeySecret", "environment"}},
}

// spaced was copied with a line end.
var spaced = signer.Credentials{AccessKeyID: longLived.AccessKeyID, AccessKeySecret: hunter + "\n"}

// withoutFile is env with the path of a token file that does not exist.
func withoutFile(env map[string]string) map[string]string {
	other := maps.Clone(env)
	other["ALIBABA_CLOUD_OIDC_TOKEN_FILE"] = "/does/not/exist"
	return other
}

// assertNoSecret looks for secrets in whatever err and the errors that it wraps print.
func assertNoSecret(t *testing.T, err error) {
	t.Helper()
	for _, verb := range []string{"%v", "%+v", "%#v", "%q"} {
		text := fmt.Sprintf(verb, err)
		for _, secret := range []string{hunter, longLived.AccessKeySecret, longLived.AccessKeyID, "Signature="} {
			assert.NotContains(t, text, secret, verb)
		}
	}
	switch err := err.(type) {
	case interface{ Unwrap() error }:
		if cause := err.Unwrap(); cause != nil {
			assertNoSecret(t, cause)
		}
	case interface{ Unwrap() []error }:
		for _, cause := range err.Unwrap() {
			assertNoSecret(t, cause)
		}
	}
}

func TestFailure_HoldsNoSecretAndSaysWhereToLook(t *testing.T) {
	for _, m := range mishaps {
		t.Run(m.name, func(t *testing.T) {
			c, p := kind{env: m.env, files: m.files, build: m.build}.set(t)
			c.set(func(c *cloud) { c.broken = m.broken })
			client, err := cdn.NewClient(sourceOf(p), nil)
			require.NoError(t, err)
			_, err = client.CreateCdnCertificateSigningRequest(t.Context(), &csr.Request{CommonName: "example.com"})
			require.ErrorIs(t, err, cdn.ErrNoCredentials)
			for _, part := range m.says {
				assert.ErrorContains(t, err, part)
			}
			assertNoSecret(t, err)
		})
	}
}

func TestFailure_BearerTokenIsRefused(t *testing.T) {
	source := aliyunsdk.Credentials(credentials.NewBearerTokenCredentialsProvider(hunter))
	_, err := source.Credentials(t.Context())
	require.ErrorIs(t, err, errors.ErrUnsupported)
	assert.ErrorContains(t, err, "bearer token")
	assertNoSecret(t, err)
}

func TestFailure_NilProviders(t *testing.T) {
	for name, p := range map[string]credentials.CredentialsProvider{
		"nil": nil, "a nil CLI profile": (*credentials.CLIProfileCredentialsProvider)(nil), "a nil key": (*credentials.StaticAKCredentialsProvider)(nil),
	} {
		_, err := aliyunsdk.Credentials(p).Credentials(t.Context())
		assert.Error(t, err, name)
	}
}
