package main

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/mholt/acmez/v3/acme"

	"github.com/cdncsr/cdncsr/cdn"
	"github.com/cdncsr/cdncsr/csr"
)

// A solver proves to the CA that a name is ours. It is acmez.Solver, so any of
// acmez's and libdns's can be plugged in.
type solver interface {
	Present(ctx context.Context, challenge acme.Challenge) error
	CleanUp(ctx context.Context, challenge acme.Challenge) error
}

// waiter is a solver whose proof takes some time to be seen.
type waiter interface {
	Wait(ctx context.Context, challenge acme.Challenge) error
}

// A ca orders certificates from an ACME server.
type ca struct {
	client    *acme.Client
	state     state
	eab       *acme.EAB // nil if the CA needs none
	profile   string
	challenge string // the type: http-01 or dns-01
	solver    solver
	creator   cdn.CSRCreator // asked once the names are validated, so that a failed order makes no key

	once       sync.Once
	account    acme.Account
	accountErr error
}

// errReplaced means that the CA has issued a successor of the certificate
// already, most likely to another machine.
var errReplaced = errors.New("the CA has renewed it already, for another machine")

// order gets a certificate for names. Replaces is its predecessor, or nil.
func (c *ca) order(ctx context.Context, names []string, replaces *x509.Certificate) (chain []byte, err error) {
	c.once.Do(func() { c.account, c.accountErr = c.newAccount(ctx) })
	if c.accountErr != nil {
		return nil, fmt.Errorf("ACME account: %w", c.accountErr)
	}
	order := acme.Order{Profile: c.profile}
	for _, name := range names {
		order.Identifiers = append(order.Identifiers, acme.Identifier{Type: "dns", Value: name})
	}
	if replaces != nil {
		order.Replaces, _ = acme.ARIUniqueIdentifier(replaces) // "" for a certificate without an authority key ID
	}
	order, err = c.client.NewOrder(ctx, c.account, order)
	if problem, ok := errors.AsType[acme.Problem](err); ok && problem.Type == acme.ProblemTypeAlreadyReplaced {
		return nil, errReplaced
	}
	if err != nil {
		return nil, fmt.Errorf("order: %w", err)
	}
	for _, url := range order.Authorizations {
		if err := c.authorize(ctx, url); err != nil {
			return nil, err
		}
	}
	return c.finalize(ctx, order, names)
}

func (c *ca) newAccount(ctx context.Context) (acme.Account, error) {
	key, err := c.state.accountKey(c.client.Directory)
	if err != nil {
		return acme.Account{}, err
	}
	account := acme.Account{TermsOfServiceAgreed: true, PrivateKey: key}
	if c.eab != nil {
		if err := account.SetExternalAccountBinding(ctx, c.client, *c.eab); err != nil {
			return acme.Account{}, err
		}
	}
	return c.client.NewAccount(ctx, account) // the CA knows an account by its key
}

// authorize proves that a name is ours, unless the CA remembers a proof.
func (c *ca) authorize(ctx context.Context, url string) (err error) {
	authz, err := c.client.GetAuthorization(ctx, c.account, url)
	if err != nil || authz.Status == acme.StatusValid {
		return err
	}
	i := slices.IndexFunc(authz.Challenges, func(ch acme.Challenge) bool { return ch.Type == c.challenge })
	if i < 0 {
		return fmt.Errorf("the CA offers no %s for %s", c.challenge, authz.IdentifierValue())
	}
	challenge := authz.Challenges[i]
	defer func() { // after a signal, too
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
		defer cancel()
		err = errors.Join(err, c.solver.CleanUp(ctx, challenge))
	}()
	if err := c.solver.Present(ctx, challenge); err != nil {
		return fmt.Errorf("%s for %s: %w", c.challenge, authz.IdentifierValue(), err)
	}
	if w, ok := c.solver.(waiter); ok {
		if err := w.Wait(ctx, challenge); err != nil {
			return err
		}
	}
	if _, err := c.client.InitiateChallenge(ctx, c.account, challenge); err != nil {
		return fmt.Errorf("%s for %s: %w", c.challenge, authz.IdentifierValue(), err)
	}
	if _, err := c.client.PollAuthorization(ctx, c.account, authz); err != nil {
		return fmt.Errorf("%s for %s: %w", c.challenge, authz.IdentifierValue(), err)
	}
	return nil
}

// finalize has the CSR made and signed.
func (c *ca) finalize(ctx context.Context, order acme.Order, names []string) ([]byte, error) {
	req := &csr.Request{CommonName: names[0], SANs: names[1:]}
	resp, err := c.creator.CreateCdnCertificateSigningRequest(ctx, req)
	if err != nil {
		return nil, err
	}
	if err := resp.Check(req); err != nil {
		return nil, err
	}
	parsed, err := resp.CertificateRequest()
	if err != nil {
		return nil, err
	}
	if order, err = c.client.FinalizeOrder(ctx, c.account, order, parsed.Raw); err != nil {
		return nil, fmt.Errorf("finalize: %w", err)
	}
	chains, err := c.client.GetCertificateChain(ctx, c.account, order.Certificate)
	switch {
	case err != nil:
		return nil, fmt.Errorf("download: %w", err)
	case len(chains) == 0:
		return nil, errors.New("download: the CA gave no chain")
	}
	return chains[0].ChainPEM, checkKey(chains[0].ChainPEM, parsed)
}

// checkKey returns an error unless the first certificate of a chain has the key
// of the CSR.
func checkKey(chain []byte, request *x509.CertificateRequest) error {
	block, _ := pem.Decode(chain)
	if block == nil {
		return errors.New("the CA's chain has no certificate in PEM")
	}
	leaf, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return fmt.Errorf("the CA's certificate: %w", err)
	}
	if string(leaf.RawSubjectPublicKeyInfo) != string(request.RawSubjectPublicKeyInfo) {
		return errors.New("the CA's certificate has another key than the CSR")
	}
	return nil
}

// window returns when the CA suggests to renew leaf; nil if it does not say.
func (c *ca) window(ctx context.Context, leaf *x509.Certificate) *window {
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second) // the client asks a CA that answers nonsense three times
	defer cancel()
	info, err := c.client.GetRenewalInfo(ctx, leaf)
	if err != nil {
		return nil // dueTime goes by the certificate's life then
	}
	return &window{id: info.UniqueIdentifier, start: info.SuggestedWindow.Start, end: info.SuggestedWindow.End}
}
