package aliyunsdk

import (
	"fmt"
	"reflect"
	"testing"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth/credentials"
	"github.com/stretchr/testify/assert"
)

// The chain has the providers of the SDK's, whatever the environment is.
func TestChain_IsThatOfTheSDK(t *testing.T) {
	oidc := map[string]string{
		"ALIBABA_CLOUD_ROLE_ARN": "role", "ALIBABA_CLOUD_OIDC_PROVIDER_ARN": "provider", "ALIBABA_CLOUD_OIDC_TOKEN_FILE": "/dev/null",
	}
	for name, env := range map[string]map[string]string{
		"nothing": {},
		"OIDC":    oidc,
		"ECS":     {"ALIBABA_CLOUD_ECS_METADATA_DISABLED": ""},
		"URI":     {"ALIBABA_CLOUD_CREDENTIALS_URI": "http://127.0.0.1/"},
	} {
		t.Run(name, func(t *testing.T) {
			for key, value := range env {
				t.Setenv(key, value)
			}
			theirs := reflect.ValueOf(credentials.NewDefaultCredentialsProvider()).Elem().FieldByName("providerChain")
			var want, got []string
			for i := range theirs.Len() {
				want = append(want, theirs.Index(i).Elem().Type().String())
			}
			for _, link := range newChain().(*chain).links {
				got = append(got, fmt.Sprintf("%T", link()))
			}
			assert.NotEmpty(t, want)
			assert.Equal(t, want, got)
			assert.Equal(t, credentials.NewDefaultCredentialsProvider().GetProviderName(), newChain().GetProviderName())
		})
	}
}
