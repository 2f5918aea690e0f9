package errortexts

import (
	"context"
	"net/url"
	"testing"

	"github.com/cdncsr/cdncsr/signer"
)

// A signing is everything that a signature needs, with nothing wrong.
type signing struct {
	ctx      context.Context
	signer   signer.Signer
	endpoint *url.URL
	call     signer.Call
	in       signer.Input
}

// signerTexts are the errors of signing, each with one thing wrong.
func signerTexts(*testing.T) []provocation {
	var all []provocation
	for _, mistake := range []struct {
		how  string
		make func(s *signing)
	}{
		{"a method that a signature is not made for", func(s *signing) { s.signer = signer.RPC{Method: "PUT"} }},
		{"no context", func(s *signing) { s.ctx = nil }},
		{"no endpoint", func(s *signing) { s.endpoint = nil }},
		{"an endpoint of another scheme", func(s *signing) { s.endpoint.Scheme = "ftp" }},
		{"an endpoint whose host is not ASCII", func(s *signing) { s.endpoint.Host = "例え.example" }},
		{"an endpoint with a path", func(s *signing) { s.endpoint.Path = "/v1" }},
		{"no action", func(s *signing) { s.call.Action = "" }},
		{"an action with a blank", func(s *signing) { s.call.Action = "Create CSR" }},
		{"no version", func(s *signing) { s.call.Version = "" }},
		{"an unknown format", func(s *signing) { s.call.Format = "YAML" }},
		{"a parameter without a name", func(s *signing) { s.call.Params = map[string]string{"": "x"} }},
		{"a common parameter among the operation's", func(s *signing) { s.call.Params = map[string]string{"Timestamp": "x"} }},
		{"a nonce with a line end", func(s *signing) { s.in.Nonce = "one\n" }},
		{"no access key ID", func(s *signing) { s.in.Credentials.AccessKeyID = "" }},
		{"no access key secret", func(s *signing) { s.in.Credentials.AccessKeySecret = "" }},
		{"an access key secret with a line end", func(s *signing) { s.in.Credentials.AccessKeySecret += "\n" }},
	} {
		all = append(all, provocation{mistake.how, func(t *testing.T) error {
			s := &signing{
				ctx: t.Context(), signer: signer.RPC{},
				endpoint: &url.URL{Scheme: "https", Host: "cdn.aliyuncs.com"},
				call:     signer.Call{Action: "CreateCdnCertificateSigningRequest", Version: "2018-05-10"},
				in:       signer.Input{Credentials: hiddenKey},
			}
			mistake.make(s)
			_, err := s.signer.Sign(s.ctx, s.endpoint, s.call, s.in)
			return err
		}})
	}
	return all
}
