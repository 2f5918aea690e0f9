package main

import (
	"cmp"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/cdncsr/cdncsr/cdn"
	"github.com/cdncsr/cdncsr/csr"
	"github.com/cdncsr/cdncsr/examples/internal/cli"
	"github.com/cdncsr/cdncsr/examples/renew/internal/due"
	"github.com/cdncsr/cdncsr/examples/renew/internal/http01"
	"github.com/cdncsr/cdncsr/examples/renew/internal/issue"
	"github.com/cdncsr/cdncsr/examples/renew/internal/site"
	"github.com/cdncsr/cdncsr/examples/renew/internal/state"
)

// A renewer keeps the certificates of sites in force.
type renewer struct {
	ca        *issue.CA
	installer cdn.Installer
	ownKeys   bool // whether this machine may make keys
	edge      cdn.Edge
	wait      time.Duration // until a certificate is served
	staging   state.Folder  // the staging CA's
	proofs    http01.Handler
	dryRun    bool
	logf      func(format string, args ...any) // prints what is no failure
}

// errElsewhere means that the CDN has a newer certificate than the edge servers
// and this machine.
var errElsewhere = errors.New("another machine has renewed it meanwhile")

// begin begins a pass. It returns an error if the folder of the keys can't be
// read.
func (r *renewer) begin(ctx context.Context) error {
	r.ca.Begin(ctx)
	return cli.CheckKeys(ctx, r.installer.Keys)
}

// renew does what a site needs: nothing, install a chain that was issued
// before, or order one and install that. It returns what it did.
func (r *renewer) renew(ctx context.Context, s site.Site) (string, error) {
	rec, err := r.ca.State.Load(s.Domain)
	if err != nil {
		return "", err
	}
	served, edgeErr := s.Served(ctx, &r.edge)
	if at := r.due(ctx, s, served); time.Now().Before(at) {
		if !r.dryRun {
			err = rec.Succeed(ctx)
		}
		return "kept" + nextAt(at), err
	}
	reported, err := s.Reported(ctx, r.installer.Client)
	if err != nil {
		return "", errors.Join(err, edgeErr)
	}
	stored := rec.Leaf()
	if time.Now().Before(r.due(ctx, s, reported)) && (served == nil || !reported.Equal(stored)) {
		return kept(s, served, edgeErr, errElsewhere)
	}
	did, isStored := "installed", time.Now().Before(r.due(ctx, s, stored))
	if !isStored {
		did = "renewed"
	}
	if r.dryRun {
		if pause := rec.CheckPause(time.Now()); pause != nil && !isStored {
			did += ", but " + pause.Error()
		}
		return "would be " + did, nil
	}
	if !isStored {
		err = r.ca.Order(ctx, s, cmp.Or(served, reported), rec)
	}
	if errors.Is(err, issue.ErrReplaced) {
		return kept(s, served, edgeErr, err)
	}
	if err == nil {
		err = r.install(ctx, s, rec)
	}
	if err != nil {
		return "", err
	}
	return did + nextAt(r.due(ctx, s, rec.Leaf())), rec.Succeed(ctx)
}

func nextAt(at time.Time) string { return ", next " + at.UTC().Format(time.RFC3339) }

// due returns when leaf is to be renewed: now if there is none, if it does not
// have the site's names, or if it is the staging CA's, which no browser trusts,
// and the CA is another now.
func (r *renewer) due(ctx context.Context, s site.Site, leaf *x509.Certificate) time.Time {
	if leaf == nil || !s.IsCoveredBy(leaf) {
		return time.Time{}
	}
	if r.staging != r.ca.State {
		rec, err := r.staging.Load(s.Domain)
		if err == nil && leaf.Equal(rec.Leaf()) || issue.IsStaging(leaf) {
			return time.Time{}
		}
	}
	return due.Time(leaf, r.ca.Window(ctx, leaf))
}

// kept returns that a site is left to another machine. That is a failure if the
// edge servers present no certificate meanwhile, or one that has expired or lacks
// a name.
func kept(s site.Site, served *x509.Certificate, edgeErr, why error) (string, error) {
	switch {
	case served == nil:
		return "", fmt.Errorf("in force by the CDN's report, but no edge presents it: %w", edgeErr)
	case time.Now().After(served.NotAfter):
		return "", fmt.Errorf("%w, but the edges present one that expired on %s", why, served.NotAfter.UTC().Format(time.RFC3339))
	case !s.IsCoveredBy(served):
		return "", fmt.Errorf("%w, but the edges present one for %v", why, served.DNSNames)
	}
	return "kept: " + why.Error(), nil
}

// install puts the stored chain on the domain of a site and waits until it is
// served. A chain whose key is lost, or that can't be installed anywhere, is
// forgotten, so that another is ordered.
func (r *renewer) install(ctx context.Context, s site.Site, rec *state.Record) error {
	ctx, cancel := context.WithTimeout(ctx, r.wait)
	defer cancel()
	chain, leaf := []byte(rec.Chain), rec.Leaf()
	if time.Now().Before(leaf.NotBefore) {
		return fmt.Errorf("the clock of this machine is behind: the certificate is not valid before %s", leaf.NotBefore.UTC().Format(time.RFC3339))
	}
	done, err := r.installer.Install(ctx, s.Domain, chain)
	if isOfChain(err) || errors.Is(err, cdn.ErrKeyNotFound) {
		rec.Chain = ""
		return rec.Fail(ctx, time.Now(), time.Time{}, err)
	}
	if err != nil {
		return err
	}
	if r.ownKeys && done.KeyOrigin == csr.OriginCDN {
		r.logf("%s: the CDN has the key of this certificate, not -keys", s.Domain)
	}
	r.logf("%s: installed, waiting up to %s until it is served", s.Domain, r.wait)
	if err := r.installer.Wait(ctx, s.Domain, chain); err != nil {
		return err
	}
	return r.edge.Wait(ctx, s.Host(), leaf)
}

// isOfChain reports whether err is about a mistake in a chain.
func isOfChain(err error) bool {
	fields, _ := errors.AsType[csr.FieldErrors](err)
	return slices.ContainsFunc(fields, func(e *csr.FieldError) bool { return strings.HasPrefix(e.Field, "Chain") })
}
