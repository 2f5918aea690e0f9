package aliyunsdk

import (
	"errors"
	"os"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth/credentials"
)

// A chain asks providers in turn and stays with the first that gives
// credentials. The SDK's own chain stays with the last one after a failure, and
// keeps only the text of the errors.
type chain struct {
	links []func() credentials.CredentialsProvider // return providers without credentials
	place int                                      // the index of found in links
	found credentials.CredentialsProvider          // nil before one gave credentials
}

// newChain returns a chain of the providers of the SDK's default chain.
func newChain() credentials.CredentialsProvider {
	links := []credentials.CredentialsProvider{credentials.NewEnvironmentVariableCredentialsProvider()}
	if oidc, err := credentials.NewOIDCCredentialsProviderBuilder().Build(); err == nil {
		links = append(links, oidc)
	}
	links = append(
		links,
		credentials.NewCLIProfileCredentialsProviderBuilder().Build(),
		credentials.NewProfileCredentialsProviderBuilder().Build(),
	)
	if ecs, err := credentials.NewECSRAMRoleCredentialsProviderBuilder().Build(); err == nil {
		links = append(links, ecs)
	}
	if os.Getenv("ALIBABA_CLOUD_CREDENTIALS_URI") != "" {
		if uri, err := credentials.NewURLCredentialsProviderBuilderBuilder().Build(); err == nil {
			links = append(links, uri)
		}
	}
	c := new(chain)
	for _, link := range links {
		c.links = append(c.links, maker(link))
	}
	return c
}

// again returns a chain of the place alone where c found credentials.
func (c *chain) again() credentials.CredentialsProvider {
	return &chain{links: c.links[c.place : c.place+1]}
}

// GetCredentials implements credentials.CredentialsProvider. Its error wraps
// those of all links.
func (c *chain) GetCredentials() (*credentials.Credentials, error) {
	if c.found != nil {
		return c.found.GetCredentials()
	}
	var errs []error
	for i, link := range c.links {
		p := link()
		creds, err := p.GetCredentials()
		if err == nil && creds != nil {
			c.place, c.found = i, p
			return creds, nil
		}
		errs = append(errs, err)
	}
	return nil, errors.Join(errs...)
}

// GetProviderName implements credentials.CredentialsProvider.
func (c *chain) GetProviderName() string { return "default" }
