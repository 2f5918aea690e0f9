// Package site has the domains of the CDN that get certificates, and finds out
// which certificates they have.
package site

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/cdncsr/cdncsr/cdn"
	"github.com/cdncsr/cdncsr/csr"
	"github.com/cdncsr/cdncsr/examples/internal/cli"
)

// A Site is a domain of the CDN and the names of its certificate, of which it
// is the first.
type Site struct {
	Domain string
	Names  []string
}

// Read parses the sites in args, each DOMAIN[,SAN...], and in the lines of the
// file list, unless that is empty. In a list, # begins a comment. It returns an
// error if there is no site, or a domain is there twice.
func Read(args []string, list string) ([]Site, error) {
	if list != "" {
		data, err := os.ReadFile(list)
		if err != nil {
			return nil, fmt.Errorf("list: %w", err)
		}
		args = slices.Clone(args)
		for line := range strings.Lines(string(data)) {
			if line, _, _ = strings.Cut(line, "#"); strings.TrimSpace(line) != "" {
				args = append(args, strings.TrimSpace(line))
			}
		}
	}
	var sites []Site
	seen := map[string]bool{}
	for _, arg := range args {
		s, err := parse(arg)
		if err != nil {
			return nil, fmt.Errorf("%q: %w", arg, err)
		}
		if seen[s.Domain] {
			return nil, fmt.Errorf("%s is there twice", s.Domain)
		}
		seen[s.Domain] = true
		sites = append(sites, s)
	}
	if len(sites) == 0 {
		return nil, errors.New("no DOMAIN")
	}
	return sites, nil
}

// parse parses DOMAIN[,SAN...].
func parse(text string) (Site, error) {
	names := strings.Split(text, ",")
	for i := range names {
		names[i] = strings.TrimSpace(names[i])
	}
	if strings.HasPrefix(names[0], ".") {
		names[0] = "*" + names[0] // as the CDN writes a wildcard domain
	}
	normal, err := (&csr.Request{CommonName: names[0], SANs: names[1:]}).Normalize()
	if err != nil {
		return Site{}, err
	}
	domain := normal.CommonName
	others := slices.DeleteFunc(normal.SANs, func(san string) bool { return san == domain })
	return Site{domain, append([]string{domain}, others...)}, nil
}

// HasWildcard reports whether one of the names is a wildcard.
func (s Site) HasWildcard() bool {
	return slices.ContainsFunc(s.Names, func(name string) bool { return strings.HasPrefix(name, "*") })
}

// Host returns a name to ask the edge servers for. A wildcard has no address of
// its own; the name below it is one that hardly has another certificate.
func (s Site) Host() string {
	if strings.HasPrefix(s.Domain, "*") {
		return cli.WildcardLabel + s.Domain[1:]
	}
	return s.Domain
}

// IsCoveredBy reports whether leaf has all names.
func (s Site) IsCoveredBy(leaf *x509.Certificate) bool {
	return !slices.ContainsFunc(s.Names, func(name string) bool {
		return !slices.ContainsFunc(leaf.DNSNames, func(known string) bool { return strings.EqualFold(known, name) })
	})
}

// Served returns the certificate that ends first of those that the edge servers
// present, or one that does not have all names. If none presents one, it
// returns nil and an error that says why.
func (s Site) Served(ctx context.Context, edge *cdn.Edge) (*x509.Certificate, error) {
	leaves, err := edge.Leaf(ctx, s.Host())
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	var first *x509.Certificate
	for _, leaf := range leaves {
		if first == nil || !s.IsCoveredBy(leaf) || s.IsCoveredBy(first) && leaf.NotAfter.Before(first.NotAfter) {
			first = leaf
		}
	}
	if first == nil {
		return nil, err
	}
	return first, nil
}

// Reported returns the certificate that the CDN reports to be in force on the
// domain, or on its way; nil without one that can be read. A domain that the CDN
// does not know is an error.
func (s Site) Reported(ctx context.Context, client *cdn.Client) (*x509.Certificate, error) {
	domain := strings.TrimPrefix(s.Domain, "*") // as the CDN writes it
	resp, err := client.DescribeDomainCertificateInfo(ctx, &cdn.DescribeDomainCertificateInfoRequest{DomainName: domain})
	if err != nil {
		return nil, err
	}
	for _, info := range resp.CertInfos.CertInfo {
		name := strings.TrimSuffix(strings.TrimPrefix(info.DomainName, "*"), ".")
		if name != "" && !strings.EqualFold(name, domain) ||
			!strings.EqualFold(info.ServerCertificateStatus, "on") || strings.EqualFold(info.Status, "failed") {
			continue
		}
		if leaf, err := cli.Leaf([]byte(info.ServerCertificate)); err == nil {
			return leaf, nil
		}
	}
	return nil, nil
}
