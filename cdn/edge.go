package cdn

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"
)

// An Edge asks the CDN's edge servers which certificate they present. The zero
// value asks the real ones, at port 443 of the addresses that the system's
// resolver returns.
//
// An Edge compares certificates; it does not verify that they are trusted.
type Edge struct {
	// Resolver finds the addresses of a name. If nil, net.DefaultResolver is
	// used.
	Resolver interface {
		LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
	}

	// Dialer connects to an address. If nil, a net.Dialer is used. It should
	// return when its context ends; the Edge does not wait for it any longer.
	Dialer interface {
		DialContext(ctx context.Context, network, address string) (net.Conn, error)
	}

	// Port is the port of the edge servers. If empty, it is 443.
	Port string
}

const (
	edgeTimeout  = 10 * time.Second // for one address
	edgesAtATime = 16
)

// Leaf returns the certificate that each address of host, IPv4 and IPv6,
// presents for that name (SNI). An address that presents none within 10 s is
// missing from the map, and the error says why; the map has the other addresses
// even so.
//
// Host is a domain name; its ASCII form is looked up and asked for. It must not
// be a wildcard, which has no address; use a name below it.
func (e *Edge) Leaf(ctx context.Context, host string) (map[netip.Addr]*x509.Certificate, error) {
	host, err := e.check(host)
	if err != nil {
		return nil, err
	}
	answers, err := e.ask(ctx, host)
	if err != nil {
		return nil, err
	}
	leaves := map[netip.Addr]*x509.Certificate{}
	var errs []error
	for _, a := range answers {
		if a.err != nil {
			errs = append(errs, fmt.Errorf("cdn: edge %s: %w", a.addr, a.err))
			continue
		}
		leaves[a.addr] = a.leaf
	}
	return leaves, errors.Join(errs...)
}

// Wait returns nil when every address of host presents leaf. It keeps asking,
// with growing pauses, until ctx ends; the error then says what each address
// presents. An address that this machine has no route to, such as an IPv6
// address on a machine without IPv6, is ignored if another address presents
// leaf.
func (e *Edge) Wait(ctx context.Context, host string, leaf *x509.Certificate) error {
	host, err := e.check(host)
	if err != nil {
		return err
	}
	if leaf == nil {
		return errors.New("cdn: edge: nil certificate")
	}
	pauses := newPauses()
	last := "no address was asked"
	for ctx.Err() == nil {
		answers, err := e.ask(ctx, host)
		switch {
		case err == nil && allPresent(answers, leaf):
			return nil
		case ctx.Err() == nil || answers != nil:
			last = describeAnswers(answers, err)
		}
		sleep(ctx, pauses.NextBackOff()) // the loop checks ctx
	}
	return fmt.Errorf("cdn: edge: %s: %w; want %s, last: %s", host, contextError(ctx), describeLeaf(leaf), last)
}

// check returns host in its ASCII form, or an error if it can't be asked for. A
// dot at the end, which makes a name absolute, is kept for the resolver.
func (e *Edge) check(host string) (string, error) {
	if e.Dialer != nil && isNil(e.Dialer) {
		return "", fmt.Errorf("cdn: Edge.Dialer holds a nil %T", e.Dialer)
	}
	if _, err := netip.ParseAddr(host); err == nil {
		return "", fmt.Errorf("cdn: edge: host %q is an address, not a name", host)
	}
	name, absolute := strings.CutSuffix(host, ".")
	var r chainReader // so that an Edge takes the names that an Installer takes
	name = r.readDomain(name)
	switch {
	case len(r.errs) > 0:
		return "", fmt.Errorf("cdn: edge: host %q %s", host, r.errs[0].Reason)
	case strings.HasPrefix(name, "*"):
		return "", fmt.Errorf("cdn: edge: host %q is a wildcard: ask a name below it", host)
	case absolute:
		name += "."
	}
	return name, nil
}

// An edgeAnswer is what one address answered.
type edgeAnswer struct {
	addr netip.Addr
	leaf *x509.Certificate
	err  error
}

// ask asks every address of host, in the order of the addresses.
func (e *Edge) ask(ctx context.Context, host string) ([]edgeAnswer, error) {
	addrs, err := e.lookup(ctx, host)
	if err != nil {
		return nil, fmt.Errorf("cdn: edge: %w", err)
	}
	answers := make([]edgeAnswer, len(addrs))
	panics := make(chan any, len(addrs))
	running := make(chan struct{}, edgesAtATime)
	var group sync.WaitGroup
	for i, addr := range addrs {
		running <- struct{}{}
		group.Go(func() {
			defer func() {
				<-running
				if v := recover(); v != nil {
					panics <- v
				}
			}()
			answers[i] = edgeAnswer{addr, nil, errDialerEnded} // if it ends this goroutine
			leaf, err := e.leafOf(ctx, host, addr)
			answers[i] = edgeAnswer{addr, leaf, err}
		})
	}
	group.Wait()
	select {
	case v := <-panics:
		panic(v) // in the caller's goroutine, who may recover
	default:
		return answers, nil
	}
}

func (e *Edge) lookup(ctx context.Context, host string) ([]netip.Addr, error) {
	resolver := e.Resolver
	if resolver == nil {
		resolver = net.DefaultResolver
	}
	found, err := resolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return nil, err
	}
	addrs := map[netip.Addr]struct{}{}
	for _, addr := range found {
		addrs[addr.Unmap()] = struct{}{}
	}
	if len(addrs) == 0 {
		return nil, fmt.Errorf("%s has no address", host)
	}
	return slices.SortedFunc(maps.Keys(addrs), netip.Addr.Compare), nil
}

// allPresent reports whether at least one address presents leaf, and no other
// address that this machine has a route to presents anything else.
func allPresent(answers []edgeAnswer, leaf *x509.Certificate) bool {
	some := false
	for _, a := range answers {
		switch {
		case a.err != nil && isNoRoute(a.err):
		case a.err != nil || !a.leaf.Equal(leaf):
			return false
		default:
			some = true
		}
	}
	return some
}

// describeAnswers says what each address presents.
func describeAnswers(answers []edgeAnswer, err error) string {
	if err != nil {
		return err.Error()
	}
	texts := make([]string, len(answers))
	for i, a := range answers {
		if a.err != nil {
			texts[i] = fmt.Sprintf("%s: %v", a.addr, a.err)
			continue
		}
		texts[i] = fmt.Sprintf("%s presents %s", a.addr, describeLeaf(a.leaf))
	}
	return strings.Join(texts, ", ")
}

func describeLeaf(leaf *x509.Certificate) string {
	return fmt.Sprintf("serial %x (%s to %s)", leaf.SerialNumber,
		leaf.NotBefore.UTC().Format(time.RFC3339), leaf.NotAfter.UTC().Format(time.RFC3339))
}
