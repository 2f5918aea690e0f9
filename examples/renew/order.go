package main

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"time"

	"github.com/mholt/acmez/v3/acme"

	"github.com/cdncsr/cdncsr/csr"
	"github.com/cdncsr/cdncsr/examples/internal/cli"
)

// errReplaced means that the CA has issued a successor of the certificate
// already, most likely to another machine.
var errReplaced = errors.New("the CA has renewed it already, for another machine")

// order gets a chain for the names of a site and stores it in its record.
// Replaces is the predecessor, or nil. An order that an earlier run has begun is
// continued, so that a run that is killed costs no certificate.
func (c *ca) order(ctx context.Context, s site, replaces *x509.Certificate, rec *record) error {
	ctx, cancel := context.WithTimeout(ctx, orderTimeout)
	defer cancel()
	account, err := c.login(ctx)
	if err != nil {
		return fmt.Errorf("ACME account: %w", err)
	}
	order, err := c.begin(ctx, account, s, replaces, rec)
	if err != nil {
		return err
	}
	if order.Status == acme.StatusPending {
		if err = c.proveAll(ctx, account, order); err != nil {
			return err
		}
	}
	if order.Status == acme.StatusPending || order.Status == acme.StatusReady {
		if order, err = c.finalize(ctx, account, order, s, rec); err != nil {
			return err
		}
	}
	chain, err := c.download(ctx, account, order)
	if err != nil {
		return err
	}
	if err := checkIssued(chain, s, rec.OrderKey); err != nil {
		return errors.Join(err, rec.endOrder())
	}
	rec.Chain, rec.ChainCA = string(chain), c.client.Directory
	return rec.endOrder()
}

// endOrder forgets the order that was begun.
func (r *record) endOrder() error {
	r.OrderURL, r.OrderCA, r.OrderKey = "", "", ""
	return r.save()
}

// maxOrderMisses is how often an order that can't be asked for is kept: a CA may
// have forgotten it and say so in a way that is no ACME.
const maxOrderMisses = 2

// begin returns the order that an earlier run has begun, or makes one.
func (c *ca) begin(ctx context.Context, account acme.Account, s site, replaces *x509.Certificate, rec *record) (acme.Order, error) {
	if rec.OrderURL != "" && rec.OrderCA == c.client.Directory {
		order, err := c.client.GetOrder(ctx, account, acme.Order{Location: rec.OrderURL})
		if err == nil && isUsable(order, s, rec) {
			return order, nil
		}
		problem, ok := errors.AsType[acme.Problem](err)
		mayPass := !ok || problem.Status >= 500 || problem.Status == http.StatusTooManyRequests
		if err != nil && mayPass && rec.OrderMisses < maxOrderMisses {
			rec.OrderMisses++
			return acme.Order{}, errors.Join(fmt.Errorf("order %s: %w", rec.OrderURL, err), rec.save())
		}
	}
	wanted := acme.Order{Profile: c.profile}
	for _, name := range s.names {
		wanted.Identifiers = append(wanted.Identifiers, acme.Identifier{Type: "dns", Value: name})
	}
	if replaces != nil && c.window(ctx, replaces) != nil { // else it is another CA's
		wanted.Replaces, _ = acme.ARIUniqueIdentifier(replaces) // it has one, or there were no window
	}
	order, err := c.newOrder(ctx, account, wanted)
	if err != nil {
		return acme.Order{}, err
	}
	rec.OrderURL, rec.OrderCA, rec.OrderKey, rec.OrderMisses = order.Location, c.client.Directory, "", 0
	return order, rec.save()
}

// newOrder makes an order. A CA that does not take the certificate that it is
// to replace, as one of another account, is asked without.
func (c *ca) newOrder(ctx context.Context, account acme.Account, wanted acme.Order) (acme.Order, error) {
	order, err := c.client.NewOrder(ctx, account, wanted)
	problem, ok := errors.AsType[acme.Problem](err)
	switch {
	case ok && problem.Type == acme.ProblemTypeAlreadyReplaced:
		return acme.Order{}, errReplaced
	case ok && wanted.Replaces != "" && problem.Type != acme.ProblemTypeRateLimited:
		wanted.Replaces = ""
		return c.newOrder(ctx, account, wanted)
	case err != nil:
		return acme.Order{}, fmt.Errorf("order: %w", err)
	}
	return order, nil
}

// isUsable reports whether an order that was begun is for the names of the site
// and can be ended.
func isUsable(order acme.Order, s site, rec *record) bool {
	switch order.Status {
	case acme.StatusPending, acme.StatusReady:
	case acme.StatusProcessing, acme.StatusValid:
		if rec.OrderKey == "" {
			return false
		}
	default:
		return false
	}
	names := make([]string, len(order.Identifiers))
	for i, id := range order.Identifiers {
		names[i] = id.Value
	}
	return slices.Equal(slices.Sorted(slices.Values(names)), slices.Sorted(slices.Values(s.names)))
}

// proveAll proves all names of an order. First every proof is shown, so that
// they take the time to be seen once and not each.
func (c *ca) proveAll(ctx context.Context, account acme.Account, order acme.Order) error {
	var authzs []acme.Authorization
	var challenges []acme.Challenge
	for _, url := range order.Authorizations {
		authz, err := c.client.GetAuthorization(ctx, account, url)
		if err != nil {
			return err
		}
		if authz.Status == acme.StatusValid {
			continue // the CA remembers a proof
		}
		challenge, err := c.choose(authz)
		if err != nil {
			return err
		}
		authzs, challenges = append(authzs, authz), append(challenges, challenge)
	}
	for i, challenge := range challenges {
		defer c.cleanUp(ctx, challenge)
		if err := c.solver.Present(ctx, challenge); err != nil {
			return fmt.Errorf("%s for %s: %w", c.challenge, authzs[i].IdentifierValue(), err)
		}
	}
	for i, challenge := range challenges {
		if err := c.prove(ctx, account, authzs[i], challenge); err != nil {
			return fmt.Errorf("%s for %s: %w", c.challenge, authzs[i].IdentifierValue(), err)
		}
	}
	return nil
}

// token is what a token may look like (RFC 8555 section 8.3). It becomes the
// name of a file.
var token = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)

// choose returns the challenge of the type that the solver solves.
func (c *ca) choose(authz acme.Authorization) (acme.Challenge, error) {
	for _, challenge := range authz.Challenges {
		if challenge.Type != c.challenge {
			continue
		}
		if !token.MatchString(challenge.Token) {
			return acme.Challenge{}, fmt.Errorf("%s for %s: token %q is not base64url", c.challenge, authz.IdentifierValue(), challenge.Token)
		}
		return challenge, nil
	}
	return acme.Challenge{}, fmt.Errorf("the CA offers no %s for %s", c.challenge, authz.IdentifierValue())
}

// prove has the CA look at one proof.
func (c *ca) prove(ctx context.Context, account acme.Account, authz acme.Authorization, challenge acme.Challenge) error {
	if w, ok := c.solver.(waiter); ok {
		if err := w.Wait(ctx, challenge); err != nil {
			return err
		}
	}
	if challenge.Status == acme.StatusPending || challenge.Status == "" { // else an earlier run has asked
		if _, err := c.client.InitiateChallenge(ctx, account, challenge); err != nil {
			return err
		}
	}
	_, err := c.client.PollAuthorization(ctx, account, authz)
	return err
}

// cleanUp removes a proof, after a signal too.
func (c *ca) cleanUp(ctx context.Context, challenge acme.Challenge) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), requestTimeout)
	defer cancel()
	if err := c.solver.CleanUp(ctx, challenge); err != nil {
		c.warn(fmt.Errorf("remove the proof for %s: %w", challenge.Identifier.Value, err))
	}
}

// finalize has a CSR made and sends it to the CA. The record has its key before
// the CA can have signed it.
func (c *ca) finalize(ctx context.Context, account acme.Account, order acme.Order, s site, rec *record) (acme.Order, error) {
	req := &csr.Request{CommonName: s.names[0], SANs: s.names[1:]}
	resp, err := c.creator.CreateCdnCertificateSigningRequest(ctx, req)
	if err != nil {
		return order, err
	}
	if err = resp.Check(req); err != nil {
		return order, err
	}
	parsed, err := resp.CertificateRequest()
	if err != nil {
		return order, err
	}
	if rec.OrderKey, err = csr.PubMD5(parsed.PublicKey); err != nil {
		return order, err
	}
	if err = rec.save(); err != nil {
		return order, err
	}
	if order, err = c.client.FinalizeOrder(ctx, account, order, parsed.Raw); err != nil {
		return order, fmt.Errorf("finalize: %w", err)
	}
	return order, nil
}

// download returns the chain of an order that was finalized.
func (c *ca) download(ctx context.Context, account acme.Account, order acme.Order) ([]byte, error) {
	var err error
	for order.Status == acme.StatusProcessing {
		if err = sleep(ctx, time.Second); err != nil {
			return nil, err
		}
		if order, err = c.client.GetOrder(ctx, account, order); err != nil {
			return nil, fmt.Errorf("order %s: %w", order.Location, err)
		}
	}
	// The client asks for the certificate's window too. If the CA hangs then,
	// the chain is there all the same once ctx ends.
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	chains, err := c.client.GetCertificateChain(ctx, account, order.Certificate)
	switch {
	case err != nil:
		return nil, fmt.Errorf("download: %w", err)
	case len(chains) == 0:
		return nil, errors.New("download: the CA gave no chain")
	}
	return chains[0].ChainPEM, nil
}

// checkIssued returns an error unless the first certificate of a chain has the
// key of the CSR and the names of the site.
func checkIssued(chain []byte, s site, pubMd5 string) error {
	leaf, err := cli.Leaf(chain)
	if err != nil {
		return fmt.Errorf("the CA's chain: %w", err)
	}
	own, err := csr.PubMD5(leaf.PublicKey)
	switch {
	case err != nil:
		return fmt.Errorf("the CA's certificate: %w", err)
	case own != pubMd5:
		return fmt.Errorf("the CA's certificate has the key %s, the CSR %s", own, pubMd5)
	case !time.Now().Before(dueTime(leaf, nil)):
		return fmt.Errorf("the CA's certificate is due already: it is valid from %s to %s", leaf.NotBefore, leaf.NotAfter)
	case !s.isCoveredBy(leaf):
		return fmt.Errorf("the CA's certificate is for %v, not for %v", leaf.DNSNames, s.names)
	}
	return nil
}
