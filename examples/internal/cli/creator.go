package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/cdncsr/cdncsr/cdn"
	"github.com/cdncsr/cdncsr/csr"
	"github.com/cdncsr/cdncsr/signer"
)

// Creator has the flags that choose who makes the CSRs: this machine, the CDN,
// or the CDN with a fallback to this machine.
type Creator struct {
	mode     Word
	keys     string
	keyType  csr.KeyType
	endpoint string
	signer   Word
}

// AddTo defines the flags in flags.
func (c *Creator) AddTo(flags *flag.FlagSet) {
	c.mode = OneOf("local", "remote", "fallback")
	c.signer = OneOf("rpc", "acs3")
	flags.Var(&c.mode, "mode",
		"`MODE`: local (this machine makes the CSR), remote (the CDN) or fallback (this machine if the CDN can't serve)")
	flags.StringVar(&c.keys, "keys", "keys", "`DIR` for the private keys made on this machine")
	flags.TextVar(&c.keyType, "key-type", csr.RSA2048,
		"`TYPE` of these keys: rsa-2048, rsa-3072, rsa-4096, p-256, p-384 or ed25519")
	flags.StringVar(&c.endpoint, "endpoint", "https://cdn.aliyuncs.com", "`URL` of the CDN")
	flags.Var(&c.signer, "signer", "`SIGNATURE` of the calls to the CDN: rpc or acs3")
}

// New returns the creator that the flags choose, with a new client that has
// opts. Its errors are errors of usage.
func (c *Creator) New(opts cdn.Options, fallback cdn.Fallback) (cdn.CSRCreator, error) {
	if c.mode.String() == "local" {
		return c.With(nil, fallback)
	}
	client, err := c.Client(opts)
	if err != nil {
		return nil, err
	}
	return c.With(client, fallback)
}

// Client returns a client with the credentials of the environment and opts,
// with endpoint and signer from the flags. Its errors are errors of usage.
func (c *Creator) Client(opts cdn.Options) (*cdn.Client, error) {
	opts.Endpoint = c.endpoint
	if c.signer.String() == "acs3" {
		opts.Signer = signer.ACS3{}
	}
	client, err := cdn.NewClient(cdn.EnvCredentials(), &opts)
	if err != nil {
		return nil, usageError{err}
	}
	return client, nil
}

// Check returns an error if no certificate could be had for the keys that this
// machine would make, or none be installed with them.
func (c *Creator) Check() error {
	switch {
	case c.IsRemote():
		return nil
	case c.keyType == csr.Ed25519:
		return Usagef("-key-type ed25519: neither CAs nor the CDN take such keys")
	case c.signer.String() == "acs3":
		return Usagef("-signer acs3: puts private keys into URLs; want rpc, or -mode remote")
	}
	return nil
}

// IsRemote reports whether the CDN makes every key.
func (c *Creator) IsRemote() bool { return c.mode.String() == "remote" }

// Keys returns the store of the keys that this machine makes.
func (c *Creator) Keys() csr.KeyStore { return csr.DirStore{Path: c.keys} }

// CheckKeys returns an error if the key store can't be read.
func CheckKeys(ctx context.Context, keys csr.KeyStore) error {
	_, err := keys.Get(ctx, strings.Repeat("0", 32)) // a key that does not exist
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return fmt.Errorf("-keys: %w", err)
}

// With returns the creator that the flags choose. In mode local, client may be
// nil. In mode fallback, With sets Primary and Secondary of fallback and keeps
// its other fields.
func (c *Creator) With(client *cdn.Client, fallback cdn.Fallback) (cdn.CSRCreator, error) {
	local := &csr.Generator{Keys: c.Keys(), Source: c.keyType}
	switch c.mode.String() {
	case "local":
		return local, nil
	case "remote":
		return client, nil
	}
	breaker, err := cdn.NewBreaker(client, nil)
	if err != nil {
		return nil, err
	}
	fallback.Primary, fallback.Secondary = breaker, local
	return &fallback, nil
}

// KeyPlace describes where the private key of resp is, and which operation
// installs its certificate.
func (c *Creator) KeyPlace(resp *csr.Response) string {
	if resp.Origin == csr.OriginLocal {
		file := filepath.Join(c.keys, resp.PubMd5+".pem")
		return "in " + file + "; install it with the certificate by SetCdnDomainSSLCertificate"
	}
	return "with the CDN; install the certificate by SetCdnDomainCSRCertificate"
}
