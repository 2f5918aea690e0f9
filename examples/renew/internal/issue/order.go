package issue

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/mholt/acmez/v3/acme"

	"github.com/cdncsr/cdncsr/csr"
	"github.com/cdncsr/cdncsr/examples/internal/cli"
	"github.com/cdncsr/cdncsr/examples/renew/internal/due"
	"github.com/cdncsr/cdncsr/examples/renew/internal/site"
	"github.com/cdncsr/cdncsr/examples/renew/internal/state"
)

// ErrReplaced means that the CA has issued a successor of the certificate
// already, most likely to another machine.
var ErrReplaced = errors.New("the CA has renewed it already, for another machine")

// otherMachineTime is how long another machine may take to install what it
// ordered.
const otherMachineTime = time.Hour

// A local is an error that is not the CA's.
type local struct{ error }

func (l local) Unwrap() error { return l.error }

// An order is one that is in progress.
type order struct {
	*CA
	acme.Order
	account acme.Account
	site    site.Site
	rec     *state.Record
}

// Order gets a chain for the names of a site and stores it in its record, unless
// its orders failed not long ago. Predecessor is the certificate that it
// replaces, or nil. An order that the CA refuses or does not end counts as a
// failure; one that fails on this machine, at the CDN or for the account does
// not, nor does ErrReplaced.
func (c *CA) Order(ctx context.Context, s site.Site, predecessor *x509.Certificate, rec *state.Record) error {
	if err := rec.CheckPause(time.Now()); err != nil {
		return err
	}
	account, err := c.login()
	if err != nil {
		return err
	}
	orderCtx, cancel := context.WithTimeout(ctx, OrderTimeout)
	defer cancel()
	orderCtx, retryAfter := withRetryAfter(orderCtx)
	err = (&order{CA: c, account: account, site: s, rec: rec}).run(orderCtx, predecessor)
	if _, isLocal := errors.AsType[local](err); err == nil || isLocal || errors.Is(err, ErrReplaced) || ctx.Err() != nil {
		return err
	}
	return rec.Fail(ctx, time.Now(), *retryAfter, brief{err})
}

func (o *order) run(ctx context.Context, predecessor *x509.Certificate) error {
	if err := o.begin(ctx, predecessor); err != nil {
		return err
	}
	if o.Status == acme.StatusPending {
		if err := o.prove(ctx); err != nil {
			return err
		}
	}
	if o.Status == acme.StatusPending || o.Status == acme.StatusReady {
		if err := o.finalize(ctx); err != nil {
			return err
		}
	}
	chain, leaf, err := o.download(ctx)
	if err != nil {
		return o.miss(ctx, err)
	}
	if err := o.check(leaf); err != nil {
		return errors.Join(err, o.end(ctx))
	}
	o.rec.Chain = string(chain)
	return o.end(ctx)
}

// save stores the record.
func (o *order) save(ctx context.Context) error {
	if err := o.rec.Save(ctx); err != nil {
		return local{err}
	}
	return nil
}

// end forgets the order.
func (o *order) end(ctx context.Context) error {
	o.rec.OrderURL, o.rec.OrderProfile, o.rec.OrderKey, o.rec.OrderMisses = "", "", "", 0
	return o.save(ctx)
}

// maxMisses is how often a run may fail to fetch an order or its certificate,
// before another is made. A CA may have forgotten it and say so in a way that is
// no ACME.
const maxMisses = 2

// miss counts that the order or its certificate could not be fetched. The next
// run tries again.
func (o *order) miss(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return err
	}
	o.rec.OrderMisses++
	return errors.Join(err, o.save(ctx))
}

// resume fetches the order that an earlier run has begun. It reports whether it
// can be continued.
func (o *order) resume(ctx context.Context) (isUsable bool, err error) {
	if o.rec.OrderURL == "" {
		return false, nil
	}
	o.Order, err = o.client.GetOrder(ctx, o.account, acme.Order{Location: o.rec.OrderURL})
	problem, isProblem := errors.AsType[acme.Problem](err)
	if err != nil && (!isProblem || problem.Status >= 500 || problem.Status == http.StatusTooManyRequests) {
		return false, o.miss(ctx, fmt.Errorf("order %s: %w", o.rec.OrderURL, err))
	}
	return err == nil && o.isUsable(), nil
}

// begin continues the order that an earlier run has begun, or makes one.
func (o *order) begin(ctx context.Context, predecessor *x509.Certificate) error {
	if o.rec.OrderMisses < maxMisses {
		if isUsable, err := o.resume(ctx); isUsable || err != nil {
			return err
		}
	}
	wanted := acme.Order{Profile: o.CA.Profile}
	for _, name := range o.site.Names {
		wanted.Identifiers = append(wanted.Identifiers, acme.Identifier{Type: "dns", Value: name})
	}
	if predecessor != nil && !o.isLeft(predecessor) {
		wanted.Replaces = o.idOf(ctx, predecessor)
	}
	created, err := o.create(ctx, wanted)
	if errors.Is(err, ErrReplaced) {
		if err = o.noteReplaced(ctx, predecessor); err != nil {
			return err
		}
		if isUsable, _ := o.resume(ctx); isUsable {
			return nil // it had been given up
		}
		if o.Replaces != wanted.Replaces {
			return ErrReplaced
		}
		wanted.Replaces = "" // by an own order, of other names or another profile
		created, err = o.create(ctx, wanted)
	}
	if err != nil {
		return err
	}
	o.Order = created
	o.rec.OrderURL, o.rec.OrderProfile, o.rec.OrderKey, o.rec.OrderMisses = o.Location, o.CA.Profile, "", 0
	return o.save(ctx)
}

// noteReplaced stores that the CA has a successor of a certificate, and since
// when.
func (o *order) noteReplaced(ctx context.Context, predecessor *x509.Certificate) error {
	serial := predecessor.SerialNumber.String()
	if o.rec.Replaced == serial {
		return nil
	}
	o.rec.Replaced, o.rec.ReplacedAt = serial, time.Now()
	return o.save(ctx)
}

// isLeft reports whether no other machine has installed the successor of a
// certificate, although it had the time. A time far ahead was noted while the
// clock was wrong.
func (o *order) isLeft(predecessor *x509.Certificate) bool {
	return time.Now().After(predecessor.NotAfter) ||
		o.rec.Replaced == predecessor.SerialNumber.String() && time.Since(o.rec.ReplacedAt).Abs() > otherMachineTime
}

// idOf returns the ID of a certificate for the CA; empty if nothing says that it
// is the CA's: neither a window, nor that the CA has issued the stored chain with
// the same key.
func (o *order) idOf(ctx context.Context, predecessor *x509.Certificate) string {
	if w := o.Window(ctx, predecessor); w.ID != "" {
		return w.ID
	}
	stored, issuer := o.rec.Leaf(), predecessor.AuthorityKeyId
	dir, err := o.client.GetDirectory(ctx)
	if err != nil || dir.RenewalInfo == "" || stored == nil || len(issuer) == 0 || !bytes.Equal(stored.AuthorityKeyId, issuer) {
		return ""
	}
	id, _ := acme.ARIUniqueIdentifier(predecessor) // empty with an error
	return id
}

// The problems that may mean that a CA does not take the certificate that an
// order is to replace, as one of another account.
var refusals = []string{acme.ProblemTypeMalformed, acme.ProblemTypeUnauthorized, acme.ProblemTypeNamespace + "conflict"}

// create makes an order. If the CA may not take the certificate that it is to
// replace, it is asked without.
func (o *order) create(ctx context.Context, wanted acme.Order) (acme.Order, error) {
	created, err := o.client.NewOrder(ctx, o.account, wanted)
	problem, ok := errors.AsType[acme.Problem](err)
	switch {
	case ok && wanted.Replaces != "" && problem.Type == acme.ProblemTypeAlreadyReplaced:
		return acme.Order{}, ErrReplaced
	case ok && wanted.Replaces != "" && slices.Contains(refusals, problem.Type):
		wanted.Replaces = ""
		return o.create(ctx, wanted)
	case err != nil:
		return acme.Order{}, fmt.Errorf("order: %w", err)
	}
	return created, nil
}

// isUsable reports whether an order that was begun is for the names of the site
// and the profile, and can be ended.
func (o *order) isUsable() bool {
	isOpen := o.Status == acme.StatusPending || o.Status == acme.StatusReady
	isFinal := o.Status == acme.StatusProcessing || o.Status == acme.StatusValid
	return (isOpen || isFinal && o.rec.OrderKey != "") &&
		o.rec.OrderProfile == o.CA.Profile && len(o.Identifiers) == len(o.site.Names) &&
		!slices.ContainsFunc(o.Identifiers, func(id acme.Identifier) bool { return !slices.Contains(o.site.Names, id.Value) })
}

// finalize has a CSR made and sends it to the CA.
func (o *order) finalize(ctx context.Context) error {
	der, err := o.csr(ctx)
	if err != nil {
		return local{err}
	}
	if o.Order, err = o.client.FinalizeOrder(ctx, o.account, o.Order, der); err != nil {
		return fmt.Errorf("finalize: %w", err)
	}
	return nil
}

// csr has a CSR made. The record has its key before the CA can have signed it.
func (o *order) csr(ctx context.Context) (der []byte, err error) {
	req := &csr.Request{CommonName: o.site.Names[0], SANs: o.site.Names[1:]}
	resp, err := o.Creator.CreateCdnCertificateSigningRequest(ctx, req)
	if err == nil {
		err = resp.Check(req)
	}
	if err != nil {
		return nil, err
	}
	parsed, err := resp.CertificateRequest()
	if err != nil {
		return nil, err
	}
	if o.rec.OrderKey, err = csr.PubMD5(parsed.PublicKey); err != nil {
		return nil, err
	}
	return parsed.Raw, o.rec.Save(ctx)
}

// download returns the chain of an order that was finalized, and its first
// certificate.
func (o *order) download(ctx context.Context) (chain []byte, leaf *x509.Certificate, err error) {
	for o.Status == acme.StatusProcessing {
		if err = cli.Sleep(ctx, time.Second); err != nil {
			return nil, nil, err
		}
		if o.Order, err = o.client.GetOrder(ctx, o.account, o.Order); err != nil {
			return nil, nil, fmt.Errorf("order %s: %w", o.rec.OrderURL, err)
		}
	}
	// The client asks for the certificate's window too. If the CA hangs then,
	// the chain is there all the same once ctx ends.
	ctx, cancel := context.WithTimeout(ctx, RequestTimeout)
	defer cancel()
	chains, err := o.client.GetCertificateChain(ctx, o.account, o.Certificate)
	if err != nil {
		return nil, nil, fmt.Errorf("download: %w", err)
	}
	leaf, err = parseChain(chains[0].ChainPEM)
	if err != nil {
		return nil, nil, fmt.Errorf("download: %w", err)
	}
	return chains[0].ChainPEM, leaf, nil
}

// parseChain returns the first certificate of a chain, all of which must be
// certificates.
func parseChain(chain []byte) (*x509.Certificate, error) {
	var der []byte
	for rest := chain; len(bytes.TrimSpace(rest)) > 0; {
		block, next := pem.Decode(rest)
		if block == nil {
			return nil, errors.New("the chain is damaged: want certificates in PEM")
		}
		der, rest = append(der, block.Bytes...), next
	}
	certs, err := x509.ParseCertificates(der)
	if err != nil {
		return nil, err
	}
	if len(certs) == 0 {
		return nil, errors.New("the chain is empty")
	}
	return certs[0], nil
}

// check returns an error unless leaf has the key of the CSR and the names of
// the site.
func (o *order) check(leaf *x509.Certificate) error {
	key, err := csr.PubMD5(leaf.PublicKey)
	switch {
	case err != nil:
		return fmt.Errorf("the CA's certificate: %w", err)
	case key != o.rec.OrderKey:
		return fmt.Errorf("the CA's certificate has the key %s, the CSR %s", key, o.rec.OrderKey)
	case !time.Now().Before(due.Time(leaf, due.Window{})):
		return fmt.Errorf("the CA's certificate is due already: it is valid from %s to %s", leaf.NotBefore, leaf.NotAfter)
	case !o.site.IsCoveredBy(leaf):
		return fmt.Errorf("the CA's certificate is for %v, not for %v", leaf.DNSNames, o.site.Names)
	}
	return nil
}
