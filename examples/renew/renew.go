package main

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/cdncsr/cdncsr/cdn"
	"github.com/cdncsr/cdncsr/csr"
	"github.com/cdncsr/cdncsr/examples/internal/cli"
)

// A site is a domain of the CDN and the names of its certificate, of which it
// is the first.
type site struct {
	domain string
	names  []string
}

// host returns a name to ask the edge servers for. A wildcard has no address of
// its own; the name below it is one that hardly has another certificate.
func (s site) host() string {
	if strings.HasPrefix(s.domain, "*") {
		return cli.WildcardLabel + s.domain[1:]
	}
	return s.domain
}

// isCoveredBy reports whether leaf has the site's names.
func (s site) isCoveredBy(leaf *x509.Certificate) bool {
	return !slices.ContainsFunc(s.names, func(name string) bool {
		return !slices.ContainsFunc(leaf.DNSNames, func(known string) bool { return strings.EqualFold(known, name) })
	})
}

// A renewer keeps the certificates of sites in force.
type renewer struct {
	ca        *ca
	installer *cdn.Installer
	edge      cdn.Edge
	state     state
	wait      time.Duration // until a certificate is served
	dryRun    bool
}

// An outcome is what was done for a site.
type outcome struct {
	did  string
	next time.Time // when it is due again; zero if that is not known
}

// otherMachineTime is how long another machine may take to install what it
// ordered.
const otherMachineTime = time.Hour

// errElsewhere means that another machine has installed a certificate that the
// edge servers do not present yet, or did not a moment ago.
var errElsewhere = errors.New("another machine has renewed it meanwhile")

// renew does what a site needs: nothing, install a chain that was issued
// before, or order one and install that.
func (r *renewer) renew(ctx context.Context, s site) (outcome, error) {
	rec, err := r.state.load(s.domain)
	if err != nil {
		return outcome{}, err
	}
	served, unproved, err := r.served(ctx, s)
	if err != nil {
		return outcome{}, err
	}
	due := r.due(ctx, s, served, rec)
	if time.Now().Before(due) {
		if !r.dryRun && unproved == nil {
			err = rec.succeed()
		}
		return outcome{"kept", due}, errors.Join(unproved, err)
	}
	did := "installed"
	due = r.due(ctx, s, rec.leaf(), rec)
	if !time.Now().Before(due) || rec.leaf().Equal(served) {
		did = "renewed"
	}
	if r.dryRun {
		return outcome{did: "would be " + did}, nil
	}
	if did == "renewed" {
		if err := r.order(ctx, s, served, rec); err != nil {
			return afterOrder(err, unproved)
		}
		due = dueTime(rec.leaf(), nil)
	}
	if err := r.install(ctx, s, rec); err != nil {
		return outcome{}, err
	}
	return outcome{did, due}, rec.succeed()
}

// leaf returns the certificate of the stored chain; nil if there is none that
// can be read.
func (r *record) leaf() *x509.Certificate {
	leaf, err := cli.Leaf([]byte(r.Chain))
	if err != nil {
		return nil
	}
	return leaf
}

// due returns when leaf is to be renewed: now if there is none, if it does not
// have the site's names, or if it is a stored one of the staging CA, which no
// browser trusts, and the CA is another now.
func (r *renewer) due(ctx context.Context, s site, leaf *x509.Certificate, rec *record) time.Time {
	const staging = "letsencrypt-staging"
	forTests := rec.ChainCA == directories[staging] && r.ca.client.Directory != rec.ChainCA
	if leaf == nil || !s.isCoveredBy(leaf) || forTests && leaf.Equal(rec.leaf()) {
		return time.Time{}
	}
	return dueTime(leaf, r.ca.window(ctx, leaf))
}

// served returns the certificate that ends first of those that the edge servers
// present, or one that is not for the site. If none presents one, it is what the
// CDN reports, and unproved says why the edges do not prove that; both are nil
// if the domain has none.
func (r *renewer) served(ctx context.Context, s site) (leaf *x509.Certificate, unproved, err error) {
	leaves, edgeErr := r.edge.Leaf(ctx, s.host())
	var first *x509.Certificate
	for _, leaf := range leaves {
		if first == nil || !s.isCoveredBy(leaf) || s.isCoveredBy(first) && leaf.NotAfter.Before(first.NotAfter) {
			first = leaf
		}
	}
	if first != nil || ctx.Err() != nil {
		return first, nil, context.Cause(ctx)
	}
	reported, err := r.reported(ctx, s)
	if err != nil {
		return nil, nil, fmt.Errorf("%w; the edges: %w", err, edgeErr)
	}
	if reported == nil {
		return nil, nil, nil
	}
	return reported, fmt.Errorf("in force by the CDN's report, but no edge presents it: %w", edgeErr), nil
}

// reported returns the certificate that the CDN reports to be in force on the
// domain of a site; nil without one. A domain that the CDN does not know is an
// error.
func (r *renewer) reported(ctx context.Context, s site) (*x509.Certificate, error) {
	domain := strings.TrimPrefix(s.domain, "*") // as the CDN writes it
	resp, err := r.installer.Client.DescribeDomainCertificateInfo(ctx, &cdn.DescribeDomainCertificateInfoRequest{DomainName: domain})
	if err != nil {
		return nil, err
	}
	for _, info := range resp.CertInfos.CertInfo {
		if block, _ := pem.Decode([]byte(info.ServerCertificate)); block != nil && strings.EqualFold(info.ServerCertificateStatus, "on") {
			return x509.ParseCertificate(block.Bytes)
		}
	}
	return nil, nil
}

// order gets a chain for a site, unless its orders failed not long ago or
// another machine has been faster.
func (r *renewer) order(ctx context.Context, s site, served *x509.Certificate, rec *record) error {
	if rec.isWaiting(time.Now()) {
		return fmt.Errorf("no order before %s, after %d that failed: %s", rec.RetryAt.UTC().Format(time.RFC3339), rec.Failures, rec.LastFailure)
	}
	if err := r.lookAgain(ctx, s, served, rec); err != nil {
		return err
	}
	orderCtx, retryAfter := withRetryAfter(ctx)
	err := r.ca.order(orderCtx, s, served, rec)
	if errors.Is(err, errReplaced) && rec.Replaced != served.SerialNumber.String() {
		rec.Replaced, rec.ReplacedAt = served.SerialNumber.String(), time.Now()
		return errors.Join(err, rec.save())
	}
	if errors.Is(err, errReplaced) && time.Since(rec.ReplacedAt) > otherMachineTime {
		err = r.ca.order(orderCtx, s, nil, rec)
	}
	if err == nil || errors.Is(err, errReplaced) || ctx.Err() != nil {
		return err
	}
	if saveErr := rec.fail(time.Now(), *retryAfter, err); saveErr != nil {
		return errors.Join(err, saveErr)
	}
	return fmt.Errorf("%w; no other order before %s", err, rec.RetryAt.UTC().Format(time.RFC3339))
}

// lookAgain looks at the edge servers and at the CDN right before an order. A
// certificate that can't be installed is not ordered.
func (r *renewer) lookAgain(ctx context.Context, s site, served *x509.Certificate, rec *record) error {
	now, _, err := r.served(ctx, s)
	if err != nil {
		return err
	}
	reported, err := r.reported(ctx, s)
	if err != nil {
		return err
	}
	if now != nil && !now.Equal(served) || time.Now().Before(r.due(ctx, s, reported, rec)) {
		return errElsewhere
	}
	return nil
}

// afterOrder tells an order that another machine made from one that failed. The
// certificate is kept then, which is a failure too if it is unproved.
func afterOrder(err, unproved error) (outcome, error) {
	if errors.Is(err, errReplaced) || errors.Is(err, errElsewhere) {
		return outcome{did: "kept: " + err.Error()}, unproved
	}
	return outcome{}, err
}

// install puts the stored chain on the domain of a site and waits until it is
// served. A chain whose key is lost, or that can't be installed, is forgotten, so
// that another is ordered.
func (r *renewer) install(ctx context.Context, s site, rec *record) error {
	ctx, cancel := context.WithTimeout(ctx, r.wait)
	defer cancel()
	chain := []byte(rec.Chain)
	_, err := r.installer.Install(ctx, s.domain, chain)
	_, isRefused := errors.AsType[csr.FieldErrors](err)
	if errors.Is(err, cdn.ErrKeyNotFound) || isRefused {
		rec.Chain, rec.ChainCA = "", ""
		return errors.Join(err, rec.fail(time.Now(), time.Time{}, err))
	}
	if err != nil {
		return err
	}
	if err := r.installer.Wait(ctx, s.domain, chain); err != nil {
		return err
	}
	return r.edge.Wait(ctx, s.host(), rec.leaf())
}
