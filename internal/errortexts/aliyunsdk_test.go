package errortexts

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"runtime"
	"syscall"
	"testing"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth/credentials"
	sdkerrors "github.com/aliyun/alibaba-cloud-sdk-go/sdk/errors"

	"github.com/cdncsr/cdncsr/cdn/aliyunsdk"
)

// A provider is one of the SDK's interface that ends as it likes.
type provider func() (*credentials.Credentials, error)

func (p provider) GetCredentials() (*credentials.Credentials, error) { return p() }

func (provider) GetProviderName() string { return "own" }

// providerTexts are the errors of look-ups with the SDK's providers.
func providerTexts(*testing.T) []provocation {
	var all []provocation
	for _, lookUp := range append(lookUps, places...) {
		all = append(all, provocation{lookUp.how, func(t *testing.T) error {
			isolate(t)
			return errorOf(aliyunsdk.Credentials(lookUp.with).Credentials(t.Context()))
		}})
	}
	return append(all, provocation{"nothing at any place of the default chain", func(t *testing.T) error {
		isolate(t)
		return errorOf(aliyunsdk.DefaultCredentials().Credentials(t.Context()))
	}})
}

// isolate hides the credentials of whoever runs the test from the SDK.
func isolate(t *testing.T) {
	t.Helper()
	for _, name := range []string{
		"ACCESS_KEY_ID", "ACCESS_KEY_SECRET", "SECURITY_TOKEN", "OIDC_TOKEN_FILE", "OIDC_PROVIDER_ARN", "ROLE_ARN",
		"CREDENTIALS_URI", "CREDENTIALS_FILE", "PROFILE",
	} {
		t.Setenv("ALIBABA_CLOUD_"+name, "")
	}
	t.Setenv("ALIBABA_CLOUD_ECS_METADATA_DISABLED", "true")
	t.Setenv("HOME", t.TempDir())
}

type lookUp struct {
	how  string
	with credentials.CredentialsProvider
}

func fails(err error) provider {
	return func() (*credentials.Credentials, error) { return nil, err }
}

func gives(creds *credentials.Credentials) provider {
	return func() (*credentials.Credentials, error) { return creds, nil }
}

// lookUps fail with each kind of reason.
var lookUps = []lookUp{
	{"no provider", nil},
	{"a service that refuses", fails(sdkerrors.NewServerError(403,
		`{"Code": "NoPermission", "RequestId": "6F9A3B5C-0000-4000-8000-1234567890AB", "Message": "hidden"}`, "hidden"))},
	{"a service that answers nonsense", fails(sdkerrors.NewServerError(500, "hidden", "hidden"))},
	{"a missing file", fails(&fs.PathError{Op: "open", Path: "hidden", Err: syscall.ENOENT})},
	{"a file that may not be read", fails(&fs.PathError{Op: "open", Path: "hidden", Err: syscall.EACCES})},
	{"a service that does not answer", fails(&net.OpError{Op: "read", Net: "tcp", Err: os.ErrDeadlineExceeded})},
	{"a service that is not there", fails(&net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED})},
	{"another failure of the SDK", fails(errors.New("config is {secret: hidden}"))},
	{"a provider that gives nothing", gives(nil)},
	{"a bearer token", gives(&credentials.Credentials{BearerToken: "hidden"})},
	{"a key without its secret", gives(&credentials.Credentials{AccessKeyId: "id"})},
	{"a provider that panics", provider(func() (*credentials.Credentials, error) { panic("hidden") })},
	{"a provider that ends its goroutine", provider(func() (*credentials.Credentials, error) { runtime.Goexit(); return nil, nil })},
}

// places are the SDK's own providers, each of which is looked for elsewhere. A nil one fails without a network.
var places = []lookUp{
	{"the environment, without credentials", credentials.NewEnvironmentVariableCredentialsProvider()},
	{"the configuration of the CLI, without credentials", credentials.NewCLIProfileCredentialsProviderBuilder().Build()},
	{"the file of profiles, without credentials", credentials.NewProfileCredentialsProviderBuilder().Build()},
	{"a nil provider of a RAM role", (*credentials.RAMRoleARNCredentialsProvider)(nil)},
	{"a nil provider of OIDC", (*credentials.OIDCCredentialsProvider)(nil)},
	{"a nil provider of an ECS instance's role", (*credentials.ECSRAMRoleCredentialsProvider)(nil)},
	{"a nil provider of a credentials URI", (*credentials.URLCredentialsProvider)(nil)},
}
