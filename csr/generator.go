package csr

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"io/fs"
)

// A Generator answers CreateCdnCertificateSigningRequest on this machine: it
// makes a key, stores it, and returns a CSR for it. A Generator is safe for
// concurrent use.
type Generator struct {
	// Keys stores the private keys. It is required.
	Keys KeyStore

	// Source makes the keys. If nil, it is RSA2048, the type of key that the
	// CDN makes.
	Source KeySource
}

// CreateCdnCertificateSigningRequest makes a key and a CSR for it. It returns
// the CSR only after Keys has stored the key under Response.PubMd5.
//
// If req is invalid, the error is that of [Request.Validate], and no key is
// made. Errors of Source and Keys are wrapped. If Keys has the same key
// already, that is not an error: a Source may return an existing key.
//
// The context is checked before and after the key is made. Once it has ended,
// nothing is stored, and the error wraps ctx.Err() and context.Cause(ctx).
func (g *Generator) CreateCdnCertificateSigningRequest(ctx context.Context, req *Request) (*Response, error) {
	if g == nil || isNil(g.Keys) {
		return nil, errors.New("csr: Generator.Keys is nil")
	}
	if err := withCause(ctx, ctx.Err()); err != nil {
		return nil, fmt.Errorf("csr: generate: %w", err)
	}
	normal, err := req.Normalize()
	if err != nil {
		return nil, err
	}
	key, err := g.newKey(ctx)
	if err != nil {
		return nil, withCause(ctx, err)
	}
	resp, err := sign(normal, key)
	if err != nil {
		return nil, fmt.Errorf("csr: generate: %w", err)
	}
	if err := g.store(ctx, resp.PubMd5, key); err != nil {
		return nil, withCause(ctx, err)
	}
	return resp, nil
}

// newKey returns a key from g.Source, or an error if ctx has ended meanwhile.
func (g *Generator) newKey(ctx context.Context) (crypto.Signer, error) {
	source := g.Source
	if source == nil {
		source = RSA2048
	}
	key, err := newKey(ctx, source)
	if err != nil {
		return nil, err
	}
	if err := withCause(ctx, ctx.Err()); err != nil {
		return nil, fmt.Errorf("csr: generate: %w", err)
	}
	return key, nil
}

// store puts key into g.Keys, unless that has it already.
func (g *Generator) store(ctx context.Context, pubMd5 string, key crypto.Signer) error {
	err := g.Keys.Put(ctx, pubMd5, key)
	if !errors.Is(err, fs.ErrExist) {
		return err
	}
	stored, getErr := g.Keys.Get(ctx, pubMd5)
	if getErr != nil {
		return fmt.Errorf("csr: store the key: %w, and can't be read back: %w", err, getErr)
	}
	if nameErr := checkOwnName(pubMd5, stored); nameErr != nil {
		return fmt.Errorf("csr: store the key: %w, and is another key: %w", err, nameErr)
	}
	return nil
}
