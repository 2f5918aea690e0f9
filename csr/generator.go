package csr

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"io/fs"
)

// Generator answers CreateCdnCertificateSigningRequest on this machine: it makes a key, keeps it, and returns a CSR
// for it. It may be used by many goroutines.
type Generator struct {
	// Keys keeps the private keys. Required: without it every call fails before a key is made.
	Keys KeyStore

	// Source hands out the keys. Nil is RSA2048, what the CDN makes.
	Source KeySource
}

// CreateCdnCertificateSigningRequest makes a key and a CSR for it. The CSR is returned only when Keys has kept the key,
// under the Response's PubMd5.
//
// The error is [FieldErrors] if the request is wrong; no key is made then. An error of Source or of Keys is returned as
// it is, or wrapped. If Keys has the very key already (a Source may hand out one that exists), that is no error. The
// context is looked at before and after a key is made; once it has ended, nothing is kept and its error is wrapped.
func (g *Generator) CreateCdnCertificateSigningRequest(ctx context.Context, req *Request) (*Response, error) {
	if g == nil || isNil(g.Keys) {
		return nil, errors.New("csr: generate: no key store: set Generator.Keys, or the key would be lost")
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("csr: generate: %w", err)
	}
	s, err := normalize(req)
	if err != nil {
		return nil, err
	}
	key, err := g.newKey(ctx)
	if err != nil {
		return nil, err
	}
	resp, err := sign(s, key)
	if err != nil {
		return nil, fmt.Errorf("csr: generate: %w", err)
	}
	if err := g.keep(ctx, resp.PubMd5, key); err != nil {
		return nil, err
	}
	return resp, nil
}

// newKey returns a key of g.Source, or the context's error if that ended meanwhile.
func (g *Generator) newKey(ctx context.Context) (crypto.Signer, error) {
	source := g.Source
	if source == nil {
		source = RSA2048
	}
	key, err := newKey(ctx, source)
	if err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("csr: generate: %w", err)
	}
	return key, nil
}

// keep puts key into g.Keys. That it is there already is fine if it is the very key.
func (g *Generator) keep(ctx context.Context, pubMd5 string, key crypto.Signer) error {
	err := g.Keys.Put(ctx, pubMd5, key)
	if !errors.Is(err, fs.ErrExist) {
		return err
	}
	kept, getErr := g.Keys.Get(ctx, pubMd5)
	if getErr != nil {
		return fmt.Errorf("csr: generate: %w: %w", err, getErr)
	}
	if keptErr := checkOwnName(pubMd5, kept); keptErr != nil {
		return fmt.Errorf("csr: generate: %w: %w", err, keptErr)
	}
	return nil
}
