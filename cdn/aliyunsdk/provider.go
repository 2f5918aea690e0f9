package aliyunsdk

import (
	"errors"
	"fmt"
	"runtime"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth/credentials"

	"github.com/cdncsr/cdncsr/signer"
)

// A provider asks the SDK's providers. It is used by one goroutine at a time. If
// it hangs there, a copy that has forgotten is used instead.
type provider struct {
	fresh  func() credentials.CredentialsProvider // returns one without credentials, where that is possible
	proven credentials.CredentialsProvider        // gave the last credentials; nil before that and after forget
	worked bool                                   // credentials have been given, now or earlier
}

// forget makes the next look-up use a fresh provider. A chain stays with the
// place where it found credentials.
func (p *provider) forget() {
	if c, ok := p.proven.(*chain); ok {
		p.fresh = c.again
	}
	p.proven = nil
}

// A result is what a look-up gave.
type result struct {
	creds signer.Credentials
	err   error
	p     provider // as it is after the look-up
}

// deliver looks credentials up, with a fresh provider if anew is true.
func (p *provider) deliver(anew bool, results chan<- result) {
	r := result{err: errors.New("aliyunsdk: the provider ended its goroutine")}
	defer func() {
		r.p = *p
		results <- r
	}()
	if anew {
		p.forget()
	}
	r.creds, r.err = p.ask()
}

// ask looks credentials up. Its error contains no secret.
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
		return signer.Credentials{}, errors.New("aliyunsdk: the provider is nil")
	}
	found, err := asked.GetCredentials()
	if err != nil {
		return signer.Credentials{}, failure(asked, p.reason(asked, err))
	}
	creds, err = convert(found)
	if err != nil {
		return signer.Credentials{}, failure(asked, err)
	}
	p.proven, p.worked = asked, true
	return creds, nil
}

// reason returns what may be said of an error of the SDK.
func (p *provider) reason(asked credentials.CredentialsProvider, err error) error {
	if reason := classify(err); reason != nil {
		return reason
	}
	if p.worked {
		return outage("the SDK's error is withheld, since it may contain a secret")
	}
	return unknown(asked)
}

// convert returns the SDK's credentials as the signer's, or an error if they
// can't sign.
func convert(found *credentials.Credentials) (signer.Credentials, error) {
	if found == nil {
		return signer.Credentials{}, errors.New("no credentials and no error")
	}
	if found.BearerToken != "" {
		return signer.Credentials{}, fmt.Errorf("a bearer token can't sign: %w", errors.ErrUnsupported)
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

// panicked returns what may be said of a panic: the runtime's text, but not a
// value that a provider chose.
func panicked(reason any) error {
	if fault, ok := reason.(runtime.Error); ok {
		return fmt.Errorf("panic: %w", fault)
	}
	return errors.New("panic")
}
