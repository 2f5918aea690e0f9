package aliyunsdk

import (
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth/credentials"

	"github.com/cdncsr/cdncsr/cdn"
)

// Credentials is p as a source of credentials, made safe as the package's documentation says. P is asked when the first call
// is made. A nil p, or one that gives a bearer token, makes each call fail with [cdn.ErrNoCredentials].
//
// A profile's provider is copied, and a default chain is built anew, so that a look-up which failed can be repeated.
func Credentials(p credentials.CredentialsProvider) cdn.CredentialSource {
	return &source{provider: provider{fresh: maker(p)}}
}

// DefaultCredentials is the SDK's default chain, made safe as the package's documentation says. It looks for credentials in
// the environment, by OIDC, in ~/.aliyun/config.json, in ~/.alibabacloud/credentials, at the metadata service of an ECS
// instance, and at ALIBABA_CLOUD_CREDENTIALS_URI, in this order. Where it found some it asks again later.
//
// Outside of an ECS instance set ALIBABA_CLOUD_ECS_METADATA_DISABLED=true, or the chain waits for a service that is not there.
func DefaultCredentials() cdn.CredentialSource {
	return &source{provider: provider{fresh: newDefaultChain}}
}

// maker returns what makes a provider like p that has not been asked yet. The SDK's profiles and its default chain keep what
// a failed look-up left behind, so these are made anew; any other provider is p itself.
func maker(p credentials.CredentialsProvider) func() credentials.CredentialsProvider {
	switch p := p.(type) {
	case *credentials.DefaultCredentialsProvider:
		return newDefaultChain
	case *credentials.CLIProfileCredentialsProvider:
		return copier(p)
	case *credentials.ProfileCredentialsProvider:
		return copier(p)
	}
	return func() credentials.CredentialsProvider { return p }
}

func newDefaultChain() credentials.CredentialsProvider {
	return credentials.NewDefaultCredentialsProvider()
}

// copier returns what makes copies of p as it is now. A nil p is itself.
func copier[T any, P interface {
	*T
	credentials.CredentialsProvider
}](p P) func() credentials.CredentialsProvider {
	if p == nil {
		return func() credentials.CredentialsProvider { return p }
	}
	original := *p
	return func() credentials.CredentialsProvider {
		again := original
		return P(&again)
	}
}
