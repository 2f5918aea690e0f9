package cli

import (
	"flag"
	"path/filepath"
	"time"

	"github.com/cdncsr/cdncsr/cdn"
	"github.com/cdncsr/cdncsr/csr"
	"github.com/cdncsr/cdncsr/signer"
)

// Creator is what flags say of who makes the CSRs: this machine, the CDN, or the CDN with this machine standing in.
type Creator struct {
	mode     Word
	keys     string
	keyType  csr.KeyType
	endpoint string
	signer   Word
}

// primaryTimeout is how long the CDN may take before this machine stands in: someone waits for it.
const primaryTimeout = 15 * time.Second

// AddTo defines the flags.
func (c *Creator) AddTo(flags *flag.FlagSet) {
	c.mode = OneOf("local", "remote", "fallback")
	c.signer = OneOf("rpc", "acs3")
	flags.Var(&c.mode, "mode", "`WHO` makes the CSR: local (this machine), remote (the CDN), fallback (this machine if the CDN can't)")
	flags.StringVar(&c.keys, "keys", "keys", "`DIR` of the private keys that this machine makes")
	flags.TextVar(&c.keyType, "key-type", csr.RSA2048, "`KIND` of those keys: rsa-2048, rsa-3072, rsa-4096, p-256, p-384, ed25519")
	flags.StringVar(&c.endpoint, "endpoint", "https://cdn.aliyuncs.com", "`URL` of the CDN")
	flags.Var(&c.signer, "signer", "`SIGNATURE` of calls to the CDN: rpc, acs3")
}

// New returns the creator that the flags chose. Calls to the CDN have the credentials of the environment and opts, where
// endpoint and signer are those of the flags; a Fallback has what else fallback says. An error is one of the flags.
func (c *Creator) New(opts cdn.Options, fallback cdn.Fallback) (cdn.CSRCreator, error) {
	local := &csr.Generator{Keys: csr.DirStore{Path: c.keys}, Source: c.keyType}
	if c.mode.String() == "local" {
		return local, nil
	}
	opts.Endpoint = c.endpoint
	if c.signer.String() == "acs3" {
		opts.Signer = signer.ACS3{}
	}
	client, err := cdn.NewClient(cdn.EnvCredentials(), &opts)
	if err != nil {
		return nil, usageError{err}
	}
	if c.mode.String() == "remote" {
		return client, nil
	}
	breaker, err := cdn.NewBreaker(client, nil) // for one call it changes nothing
	if err != nil {
		return nil, err
	}
	fallback.Primary, fallback.Secondary, fallback.PrimaryTimeout = breaker, local, primaryTimeout
	return &fallback, nil
}

// WaitsForDisk tells whether the disk takes longer to keep a key than this machine to make one.
func (c *Creator) WaitsForDisk() bool {
	return c.mode.String() == "local" && c.keyType != csr.RSA2048 && c.keyType != csr.RSA3072 && c.keyType != csr.RSA4096
}

// KeyPlace says in words where the private key of resp is, and what installs the certificate for it.
func (c *Creator) KeyPlace(resp *csr.Response) string {
	if resp.Origin == csr.OriginLocal {
		return "in " + filepath.Join(c.keys, resp.PubMd5+".pem") + "; install the signed certificate with it by SetCdnDomainSSLCertificate"
	}
	return "with the CDN; install the signed certificate by SetCdnDomainCSRCertificate"
}
