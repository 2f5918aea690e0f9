package issue

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"sync"

	"github.com/mholt/acmez/v3/acme"
)

// A proof is a challenge and the authorization that it is for.
type proof struct {
	acme.Challenge
	authz acme.Authorization
}

// prove proves all names of the order. First every proof is shown, so that they
// take the time to be seen once and not each.
func (o *order) prove(ctx context.Context) error {
	proofs, err := o.proofs(ctx)
	if err != nil {
		return err
	}
	shown := 0
	defer func() { o.cleanUp(ctx, proofs[:shown]) }()
	for _, p := range proofs {
		shown++ // also if Present fails: the proof may be there
		if err := o.Solver.Present(ctx, p.Challenge); err != nil {
			return local{fmt.Errorf("%s for %s: %w", o.Challenge, p.authz.IdentifierValue(), err)}
		}
	}
	for _, p := range proofs {
		if err := o.validate(ctx, p); err != nil {
			return fmt.Errorf("%s for %s: %w", o.Challenge, p.authz.IdentifierValue(), err)
		}
	}
	return nil
}

// token is what a token may look like (RFC 8555 section 8.3). It becomes the
// name of a file.
var token = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)

// proofs returns what is left to prove.
func (o *order) proofs(ctx context.Context) ([]proof, error) {
	var proofs []proof
	for _, url := range o.Authorizations {
		authz, err := o.client.GetAuthorization(ctx, o.account, url)
		if err != nil {
			return nil, err
		}
		if authz.Status == acme.StatusValid {
			continue // the CA remembers a proof
		}
		isOfType := func(c acme.Challenge) bool { return c.Type == o.Challenge }
		i := slices.IndexFunc(authz.Challenges, isOfType)
		if i < 0 {
			return nil, fmt.Errorf("the CA offers no %s for %s", o.Challenge, authz.IdentifierValue())
		}
		if text := authz.Challenges[i].Token; !token.MatchString(text) {
			return nil, fmt.Errorf("%s for %s: token %q is not base64url", o.Challenge, authz.IdentifierValue(), text)
		}
		proofs = append(proofs, proof{authz.Challenges[i], authz})
	}
	return proofs, nil
}

// validate has the CA look at one proof.
func (o *order) validate(ctx context.Context, p proof) error {
	if w, ok := o.Solver.(Waiter); ok {
		if err := w.Wait(ctx, p.Challenge); err != nil {
			return local{err}
		}
	}
	if p.Status == acme.StatusPending || p.Status == "" { // else an earlier run has asked
		if _, err := o.client.InitiateChallenge(ctx, o.account, p.Challenge); err != nil {
			return err
		}
	}
	_, err := o.client.PollAuthorization(ctx, o.account, p.authz)
	return err
}

// cleanUp removes the proofs, after a signal too. They go at once, so that all
// of them take no longer than one may.
func (o *order) cleanUp(ctx context.Context, proofs []proof) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanUpTimeout)
	defer cancel()
	var group sync.WaitGroup
	for _, p := range proofs {
		group.Go(func() {
			if err := o.Solver.CleanUp(ctx, p.Challenge); err != nil {
				o.Logf("remove the proof for %s: %v", p.Identifier.Value, err)
			}
		})
	}
	group.Wait()
}
