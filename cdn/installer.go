package cdn

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cdncsr/cdncsr/csr"
)

// An Installer puts certificates on domains of the CDN. If Keys has the private
// key of a certificate, under its PubMd5, the Installer uploads both
// (SetCdnDomainSSLCertificate). If not, the CDN must have the key
// (SetCdnDomainCSRCertificate).
//
// An Installer is safe for concurrent use. Its errors are those of [Client];
// an error of Keys is wrapped.
type Installer struct {
	// Client makes the calls. It is required. If Keys is set, the client must
	// sign with signer.RPC{}, the default, which keeps a private key out of the
	// URL.
	Client *Client

	// Keys has the keys that were made on this machine. If nil, the CDN must
	// have every key.
	Keys csr.KeyStore
}

// An Installation is the result of Install.
type Installation struct {
	Domain    string     // as the CDN writes it: .example.com for *.example.com
	PubMd5    string     // csr.PubMD5 of the certificate's public key
	KeyOrigin csr.Origin // OriginCDN or OriginLocal: who has the key, and so which call was made
	CertName  string     // of a stored certificate; empty if the CDN has the key
	RequestId string     // of the call that installed it, or that found it installed
	Already   bool       // the certificate was in force on the domain already, and nothing was changed
}

// Install puts a certificate on a domain. A wildcard domain may be written
// *.example.com or, as the CDN does, .example.com. The chain is in PEM: the
// domain's certificate first, each certificate signed by the next. A root at
// the end is not sent.
//
// Install checks the chain before it sends anything: the order and the
// signatures, that every certificate is valid now, and that the first one is
// for the domain. The error is [csr.FieldErrors] with every mistake, in the
// fields Domain, Chain and Chain[i]. If neither Keys nor the CDN has the key,
// the error matches [ErrKeyNotFound].
//
// Installing twice is harmless, and one certificate serves many domains: the
// service stores it once, under a name made of its SHA-256. If an answer is
// lost, Install asks the CDN whether the certificate was installed.
//
// When Install returns, the CDN has accepted the certificate; [Installer.Wait]
// and [Edge.Wait] wait until it is in force and served.
func (i *Installer) Install(ctx context.Context, domain string, chain []byte) (*Installation, error) {
	in, err := i.prepare(ctx, domain, chain)
	if err != nil {
		return nil, err
	}
	state, err := in.describe(ctx)
	if err != nil {
		return nil, err
	}
	if state.inForce {
		in.done.Already, in.done.CertName, in.done.RequestId = true, state.info.CertName, state.requestID
		return &in.done, nil
	}
	if in.done.KeyOrigin == csr.OriginLocal {
		err = in.upload(ctx)
	} else {
		err = in.setCSRCertificate(ctx)
	}
	if err != nil {
		return nil, err
	}
	return &in.done, nil
}

// Wait returns nil when the CDN reports that the certificate is in force on the
// domain. It checks the chain as Install does, and keeps asking, with growing
// pauses, until ctx ends; the error then says what the CDN reported last. It
// returns an error earlier if the CDN reports that the installation failed, or
// if a call fails with an error other than [ErrUnavailable] and [ErrThrottled].
func (i *Installer) Wait(ctx context.Context, domain string, chain []byte) error {
	if err := i.check(); err != nil {
		return err
	}
	ch, err := readChain(domain, chain, time.Now())
	if err != nil {
		return err
	}
	in := &install{client: i.Client, chain: ch}
	pauses := newPauses()
	last := errors.New("the CDN was not asked")
	for ctx.Err() == nil {
		state, err := in.describe(ctx)
		switch {
		case err == nil && state.inForce:
			return nil
		case err == nil && state.failed:
			return fmt.Errorf("cdn: wait for %s: %s", ch.domain, state)
		case err == nil:
			last = errors.New(state.String())
		case ctx.Err() == nil && !errors.Is(err, ErrUnavailable) && !errors.Is(err, ErrThrottled):
			return err
		case ctx.Err() == nil:
			last = err
		}
		sleep(ctx, pauses.NextBackOff()) // the loop checks ctx
	}
	return fmt.Errorf("cdn: wait for %s: %w; before that: %w", ch.domain, contextError(ctx), last)
}

func (i *Installer) check() error {
	switch {
	case i == nil || i.Client == nil:
		return errors.New("cdn: Installer.Client is nil")
	case i.Keys != nil && isNil(i.Keys):
		return fmt.Errorf("cdn: Installer.Keys holds a nil %T", i.Keys)
	}
	return nil
}
