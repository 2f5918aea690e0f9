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
	"github.com/cdncsr/cdncsr/examples/internal/cli"
)

// A site is a domain of the CDN and the names of its certificate, of which it
// is the first.
type site struct {
	domain string
	names  []string
}

// host returns a name to ask the edge servers for.
func (s site) host() string {
	if strings.HasPrefix(s.domain, "*") {
		return "www" + s.domain[1:] // a wildcard has no address of its own
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

// renew does what a site needs: nothing, install a chain that was issued
// before, or order one and install that.
func (r *renewer) renew(ctx context.Context, s site) (outcome, error) {
	served, err := r.served(ctx, s)
	if err != nil {
		return outcome{}, err
	}
	due := time.Now()
	if served != nil && s.isCoveredBy(served) {
		due = r.due(ctx, served)
	}
	if time.Now().Before(due) {
		return outcome{"kept", due}, nil
	}
	chain, next, err := r.unserved(ctx, s, served)
	if err != nil {
		return outcome{}, err
	}
	did := "installed"
	if chain == nil {
		if r.dryRun {
			return outcome{did: "would order a certificate and install it"}, nil
		}
		if chain, err = r.order(ctx, s, served, due); err != nil {
			return afterOrder(err)
		}
		leaf, err := cli.Leaf(chain)
		if err != nil {
			return outcome{}, err
		}
		did, next = "renewed", dueTime(leaf, nil)
	}
	if r.dryRun {
		return outcome{"would install the certificate that was issued before", next}, nil
	}
	return outcome{did, next}, r.install(ctx, s, chain)
}

// served returns the certificate that is due first of those that the edge
// servers present. If none can be asked, it is what the CDN reports; nil if the
// domain has none.
func (r *renewer) served(ctx context.Context, s site) (*x509.Certificate, error) {
	leaves, edgeErr := r.edge.Leaf(ctx, s.host())
	var first *x509.Certificate
	for _, leaf := range leaves {
		if first == nil || leaf.NotAfter.Before(first.NotAfter) {
			first = leaf
		}
	}
	if first != nil || ctx.Err() != nil {
		return first, ctx.Err()
	}
	domain := strings.TrimPrefix(s.domain, "*") // as the CDN writes it
	resp, err := r.installer.Client.DescribeDomainCertificateInfo(ctx, &cdn.DescribeDomainCertificateInfoRequest{DomainName: domain})
	if err != nil {
		return nil, fmt.Errorf("%w; the edges: %w", err, edgeErr)
	}
	for _, info := range resp.CertInfos.CertInfo {
		if block, _ := pem.Decode([]byte(info.ServerCertificate)); block != nil && info.ServerCertificateStatus == "on" {
			return x509.ParseCertificate(block.Bytes)
		}
	}
	return nil, nil
}

// due returns when leaf is to be renewed.
func (r *renewer) due(ctx context.Context, leaf *x509.Certificate) time.Time {
	return dueTime(leaf, r.ca.window(ctx, leaf))
}

// unserved returns the chain that was issued last for a site, if it is still
// good and not served, and when it is due; nil if there is none such.
func (r *renewer) unserved(ctx context.Context, s site, served *x509.Certificate) (chain []byte, due time.Time, err error) {
	chain, err = r.state.chain(s.domain)
	if err != nil || chain == nil {
		return nil, time.Time{}, err
	}
	leaf, err := cli.Leaf(chain)
	if err != nil || !s.isCoveredBy(leaf) || leaf.Equal(served) {
		return nil, time.Time{}, nil // as good as none
	}
	if due = r.due(ctx, leaf); !time.Now().Before(due) {
		return nil, time.Time{}, nil
	}
	return chain, due, nil
}

// errWaits is the error of a site whose orders failed not long ago.
type errWaits struct{ failures }

func (e errWaits) Error() string {
	return fmt.Sprintf("no order before %s, after %d that failed: %s", e.Until.Format(time.RFC3339), e.Count, e.Last)
}

// errElsewhere means that another machine has installed a certificate meanwhile.
var errElsewhere = errors.New("another machine has renewed it meanwhile")

// order gets a chain for a site and keeps it.
func (r *renewer) order(ctx context.Context, s site, served *x509.Certificate, due time.Time) ([]byte, error) {
	f, err := r.state.failures(s.domain)
	if err != nil {
		return nil, err
	}
	if time.Now().Before(f.Until) {
		return nil, errWaits{f}
	}
	if now, err := r.served(ctx, s); err != nil || now != nil && !now.Equal(served) {
		return nil, errors.Join(err, errElsewhere)
	}
	chain, err := r.ca.order(ctx, s.names, served)
	if errors.Is(err, errReplaced) && time.Now().After(due.Add(served.NotAfter.Sub(due)/2)) {
		chain, err = r.ca.order(ctx, s.names, nil) // the other machine had half of the time that was left
	}
	switch {
	case err == nil:
		return chain, errors.Join(r.state.saveChain(s.domain, chain), r.state.clearFailures(s.domain))
	case errors.Is(err, errReplaced), ctx.Err() != nil:
		return nil, err
	}
	f, saveErr := r.state.saveFailure(s.domain, f, time.Now(), err)
	if saveErr != nil {
		return nil, errors.Join(err, saveErr)
	}
	return nil, fmt.Errorf("%w; no other order before %s", err, f.Until.Format(time.RFC3339))
}

// afterOrder tells an order that another machine made from one that failed.
func afterOrder(err error) (outcome, error) {
	if errors.Is(err, errReplaced) || errors.Is(err, errElsewhere) {
		return outcome{did: "kept: " + err.Error()}, nil
	}
	return outcome{}, err
}

// install puts a chain on the domain of a site and waits until it is served.
func (r *renewer) install(ctx context.Context, s site, chain []byte) error {
	leaf, err := cli.Leaf(chain)
	if err != nil {
		return err
	}
	if _, err := r.installer.Install(ctx, s.domain, chain); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, r.wait)
	defer cancel()
	if err := r.installer.Wait(ctx, s.domain, chain); err != nil {
		return err
	}
	return r.edge.Wait(ctx, s.host(), leaf)
}
