package aliyunsdk_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth/credentials"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/cdn"
	"github.com/cdncsr/cdncsr/cdn/aliyunsdk"
	"github.com/cdncsr/cdncsr/cdn/cdntest"
	"github.com/cdncsr/cdncsr/csr"
	"github.com/cdncsr/cdncsr/signer"
)

// sourceOf returns a source of p, or of the default chain if p is nil.
func sourceOf(p credentials.CredentialsProvider) cdn.CredentialSource {
	if p == nil {
		return aliyunsdk.DefaultCredentials()
	}
	return aliyunsdk.Credentials(p)
}

func TestCredentials_EveryKind(t *testing.T) {
	for _, k := range kinds {
		t.Run(k.name, func(t *testing.T) {
			c, p := k.set(t)
			source := sourceOf(p)
			creds, err := source.Credentials(t.Context())
			require.NoError(t, err)
			assert.True(t, k.gives == creds, "not the AccessKeyID, secret and token of %s", k.gives)
			assert.Equal(t, k.asks, c.questions())

			api := &cdntest.API{Credentials: []signer.Credentials{k.gives}, Source: csr.P256}
			client, err := cdn.NewClient(source, &cdn.Options{HTTPClient: &http.Client{Transport: api}})
			require.NoError(t, err)
			_, err = client.CreateCdnCertificateSigningRequest(t.Context(), &csr.Request{CommonName: "example.com"})
			require.NoError(t, err)
			assert.Equal(t, k.asks, c.questions(), "the credentials are kept")
		})
	}
}

func TestCredentials_PrintedWithoutSecrets(t *testing.T) {
	source := aliyunsdk.Credentials(accessKey(t, nil))
	_, err := source.Credentials(t.Context())
	require.NoError(t, err)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		assert.NotContains(t, fmt.Sprintf(verb, source), longLived.AccessKeySecret, verb)
		assert.NotContains(t, fmt.Sprintf(verb, source), fmt.Sprintf("%x", longLived.AccessKeySecret), verb)
	}
}

// After a failure the SDK's own chain stays with its last provider, and a CLI
// profile with a nil one, on which it panics.
func TestCredentials_RecoverFromAFailedFirstLookUp(t *testing.T) {
	const incomplete = `{"current": "ak", "profiles": [{"name": "ak", "mode": "AK"}]}`
	for name, source := range map[string]func() cdn.CredentialSource{
		"default chain": aliyunsdk.DefaultCredentials,
		"the SDK's default chain": func() cdn.CredentialSource {
			return aliyunsdk.Credentials(credentials.NewDefaultCredentialsProvider())
		},
		"CLI profile": func() cdn.CredentialSource { return aliyunsdk.Credentials(cliProfile("")(t, nil)) },
	} {
		t.Run(name, func(t *testing.T) {
			writeHome(t, map[string]string{".aliyun/config.json": incomplete})
			source := source()
			for range 2 {
				_, err := source.Credentials(t.Context())
				require.ErrorContains(t, err, ".aliyun/config.json")
				require.NotContains(t, err.Error(), "panic")
			}
			require.NoError(t, os.WriteFile(filepath.Join(os.Getenv("HOME"), ".aliyun", "config.json"), []byte(cliConfig), 0o600))
			creds, err := source.Credentials(t.Context())
			require.NoError(t, err)
			assert.Equal(t, longLived.AccessKeyID, creds.AccessKeyID)
		})
	}
}

// Once the chain has found credentials, it does not look in earlier places.
func TestCredentials_ChainStaysWhereItFoundSome(t *testing.T) {
	writeHome(t, cliFiles)
	synctest.Test(t, func(t *testing.T) {
		source := aliyunsdk.DefaultCredentials()
		for range 2 {
			creds, err := source.Credentials(t.Context())
			require.NoError(t, err)
			assert.Equal(t, longLived.AccessKeyID, creds.AccessKeyID)
			for name, value := range keyEnv(longLivedSTS) {
				t.Setenv(name, value)
			}
			time.Sleep(time.Hour)
		}
	})
}

func TestCredentials_FailedIniProfileIsReadAgain(t *testing.T) {
	writeHome(t, nil)
	source := aliyunsdk.Credentials(iniProfile("")(t, nil))
	_, err := source.Credentials(t.Context())
	require.ErrorContains(t, err, ".alibabacloud/credentials")
	writeHome(t, iniFiles)
	creds, err := source.Credentials(t.Context())
	require.NoError(t, err)
	assert.Equal(t, longLived.AccessKeyID, creds.AccessKeyID)
}
