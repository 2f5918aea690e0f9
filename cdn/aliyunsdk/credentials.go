package aliyunsdk

import (
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth/credentials"

	"github.com/cdncsr/cdncsr/cdn"
)

// Credentials returns a source of p's credentials, with the properties that the
// package's documentation lists. It is a [cdn.CredentialRefresher]. The first
// call asks p. If p is nil or gives a bearer token, each call fails with
// [cdn.ErrNoCredentials].
//
// The source uses copies of p if p is of the SDK, and builds a default chain
// anew.
func Credentials(p credentials.CredentialsProvider) cdn.CredentialSource {
	return &source{provider: provider{fresh: maker(p)}}
}

// DefaultCredentials returns a source like [Credentials] that looks in the
// places of the SDK's default chain, in this order: the environment, OIDC,
// ~/.aliyun/config.json, ~/.alibabacloud/credentials, the metadata service of
// an ECS instance, and ALIBABA_CLOUD_CREDENTIALS_URI. Once it has found
// credentials, it looks only in that place.
//
// Set ALIBABA_CLOUD_ECS_METADATA_DISABLED=true outside of ECS. Otherwise a
// look-up waits for a metadata service that is not there.
func DefaultCredentials() cdn.CredentialSource {
	return &source{provider: provider{fresh: newChain}}
}

// maker returns a function that returns providers like p without credentials. A
// provider of an unknown type is returned itself.
func maker(p credentials.CredentialsProvider) func() credentials.CredentialsProvider {
	switch p := p.(type) {
	case *credentials.DefaultCredentialsProvider:
		return newChain
	case *credentials.CLIProfileCredentialsProvider:
		return copier(p)
	case *credentials.ProfileCredentialsProvider:
		return copier(p)
	case *credentials.RAMRoleARNCredentialsProvider:
		return copier(p)
	case *credentials.OIDCCredentialsProvider:
		return copier(p)
	case *credentials.ECSRAMRoleCredentialsProvider:
		return copier(p)
	case *credentials.URLCredentialsProvider:
		return copier(p)
	}
	return func() credentials.CredentialsProvider { return p }
}

// copier returns a function that returns copies of p as it is now. If p is nil,
// it returns p.
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
