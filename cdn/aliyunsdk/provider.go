package aliyunsdk

import (
	"errors"
	"fmt"
	"runtime"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth/credentials"

	"github.com/cdncsr/cdncsr/signer"
)

// A provider is one of the SDK's, asked by one goroutine at a time.
type provider struct {
	fresh  func() credentials.CredentialsProvider // one that has not been asked yet, where that can be had
	proven credentials.CredentialsProvider        // one that has given credentials; nil before that
}

// ask is one look-up: with the provider that gave credentials before, or else with a new one. Its error holds no secret.
func (p *provider) ask() (creds signer.Credentials, err error) {
	asked := p.proven
	defer func() {
		if reason := recover(); reason != nil {
			creds, err = signer.Credentials{}, failure(asked, panicked(reason))
		}
	}()
	if asked == nil {
		asked = p.fresh()
	}
	if asked == nil {
		return signer.Credentials{}, errors.New("aliyunsdk: the provider is nil: give one, or take DefaultCredentials")
	}
	found, err := asked.GetCredentials()
	if err != nil {
		return signer.Credentials{}, failure(asked, harmless(err))
	}
	creds, err = convert(found)
	if err != nil {
		return signer.Credentials{}, failure(asked, err)
	}
	p.proven = asked
	return creds, nil
}

// convert returns the SDK's credentials as the signer's, if they can sign.
func convert(found *credentials.Credentials) (signer.Credentials, error) {
	if found == nil {
		return signer.Credentials{}, errors.New("it gave nothing")
	}
	if found.BearerToken != "" {
		return signer.Credentials{}, fmt.Errorf("it gave a bearer token, which can't sign this API's calls: %w", errors.ErrUnsupported)
	}
	creds := signer.Credentials{
		AccessKeyID:     found.AccessKeyId,
		AccessKeySecret: found.AccessKeySecret,
		SecurityToken:   found.SecurityToken,
	}
	if err := creds.Validate(); err != nil {
		return signer.Credentials{}, err
	}
	return creds, nil
}

// panicked is what may be said of a panic: the runtime's own words, but not a value that a provider chose.
func panicked(reason any) error {
	if fault, ok := reason.(runtime.Error); ok {
		return fmt.Errorf("it panicked: %w", fault)
	}
	return errors.New("it panicked")
}
