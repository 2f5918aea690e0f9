package cdntest

import (
	"crypto"
	"crypto/x509"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// AddDomain adds a domain to the account: online, without a certificate. If the
// account has the domain already, AddDomain does nothing. Here and in SetOnline
// and Certificate, a wildcard domain may be written .example.com, as the CDN
// does, or *.example.com; a request must use .example.com.
func (a *API) AddDomain(name string) {
	name = domainName(name)
	a.account.mu.Lock()
	defer a.account.mu.Unlock()
	if a.account.domains == nil {
		a.account.domains = make(map[string]*domain)
	}
	if a.account.domains[name] == nil {
		a.account.domains[name] = &domain{name: name, online: true}
	}
}

// SetOnline takes a domain offline or brings it back online. An offline domain
// can't be configured, and the edge does not serve it. SetOnline panics if the
// domain was not added.
func (a *API) SetOnline(name string, online bool) {
	a.account.mu.Lock()
	defer a.account.mu.Unlock()
	d := a.account.find(domainName(name))
	if d == nil {
		panic(fmt.Sprintf("cdntest: SetOnline: domain %q: not added", name))
	}
	d.online = online
}

// Stored returns the number of stored certificates, whether a domain uses them
// or not.
func (a *API) Stored() int {
	a.account.mu.Lock()
	defer a.account.mu.Unlock()
	return len(a.account.stored)
}

// Certificate returns what is installed on a domain, or nil.
func (a *API) Certificate(domain string) *Installed {
	a.account.mu.Lock()
	defer a.account.mu.Unlock()
	d := a.account.find(domainName(domain))
	if d == nil || d.current() == nil {
		return nil
	}
	in := d.current()
	return &Installed{Chain: slices.Clone(in.chain), Key: in.key, CertName: in.name, CertType: in.certType}
}

// Installed is a certificate on a domain.
type Installed struct {
	Chain    []*x509.Certificate // leaf first
	Key      crypto.Signer       // of the leaf
	CertName string              // empty if the CDN made the key
	CertType string              // "upload" or "cas"
}

// domainName returns name as the CDN writes it.
func domainName(name string) string {
	return strings.ToLower(strings.TrimPrefix(name, "*"))
}

// An account has the domains and the stored certificates of the API.
type account struct {
	mu      sync.Mutex
	domains map[string]*domain
	stored  []*certificate // oldest first
}

// A domain is a domain name that the CDN accelerates.
type domain struct {
	name      string
	online    bool
	installed []installation // oldest first; empty if HTTPS is off
}

// maxInstalled is how many installations of a domain are kept, for edges that
// still serve an earlier one.
const maxInstalled = 16

// A certificate is a chain and its private key.
type certificate struct {
	chain  []*x509.Certificate // leaf first
	pem    string              // the chain as it was sent
	key    crypto.Signer
	id     int64  // of a stored one
	name   string // of a stored one
	stored time.Time
}

// An installation is a certificate on a domain.
type installation struct {
	*certificate
	certType string
	at       time.Time
}

// current returns the newest installation, or nil if HTTPS is off.
func (d *domain) current() *installation {
	if len(d.installed) == 0 {
		return nil
	}
	return &d.installed[len(d.installed)-1]
}

func (d *domain) install(cert *certificate, certType string) {
	d.installed = append(d.installed, installation{cert, certType, time.Now()})
	if len(d.installed) > maxInstalled {
		d.installed = slices.Delete(d.installed, 0, 1)
	}
}

// find returns the domain of that name, or nil.
func (a *account) find(name string) *domain { return a.domains[strings.ToLower(name)] }

// configurable returns the domain of that name, which must be online.
func (a *account) configurable(name string) (*domain, *problem) {
	d := a.find(name)
	if d == nil {
		return nil, domainNotFound
	}
	if !d.online {
		return nil, badRequest("InvalidDomain.Offline", "The domain provided is offline.")
	}
	return d, nil
}

var domainNotFound = &problem{
	http.StatusNotFound, "InvalidDomain.NotFound", "The domain provided does not belong to you.",
}
