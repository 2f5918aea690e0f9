package cdntest

import (
	"context"
	"crypto"
	"crypto/x509"
	"encoding/base64"
	"time"

	"github.com/cdncsr/cdncsr/csr"
)

// checkSetCSRCertificate refuses missing parameters of
// SetCdnDomainCSRCertificate.
func checkSetCSRCertificate(c *call) *problem {
	if c.params["DomainName"] == "" {
		return missing("DomainName")
	}
	if c.params["ServerCertificate"] == "" {
		return badRequest("Certificate.MissingParameter", "You must specify the Certificate parameter.")
	}
	return nil
}

// setCSRCertificate installs a certificate whose key is in Keys under its
// public key's PubMd5. It does not store the certificate.
func setCSRCertificate(ctx context.Context, a *API, c *call) (any, *problem) {
	a.account.mu.Lock()
	defer a.account.mu.Unlock()
	d, p := a.account.configurable(c.params["DomainName"])
	if p != nil {
		return nil, p
	}
	cert, p := a.csrCertificate(ctx, d.name, c.params["ServerCertificate"])
	if p != nil {
		return nil, p
	}
	d.install(cert, "cas")
	return onlyRequestID{c.requestID}, nil
}

// csrCertificate returns the certificate that was sent for a domain, with its
// key.
func (a *API) csrCertificate(ctx context.Context, domain, sent string) (*certificate, *problem) {
	text := sent
	if !a.PlainServerCertificate {
		decoded, err := base64.StdEncoding.DecodeString(sent)
		if err != nil {
			return nil, badRequest("Certificate.DecodeError", "An error occurred while decoding the certificate.")
		}
		text = string(decoded)
	}
	chain, ok := parseChain(text)
	if !ok || len(text) > maxChain || !isOrdered(chain) {
		return nil, certificateFormat
	}
	if !covers(chain[0], domain) {
		return nil, badRequest("Certificate.MissMatch", "The certificate does not match the domain.")
	}
	if p := checkDates(chain[0], time.Now()); p != nil {
		return nil, p
	}
	key, err := a.keyOf(ctx, chain[0])
	if err != nil {
		return nil, badRequest("Certificate.NoPrivateKey", "The private key of the certificate does not exist.")
	}
	return &certificate{chain: chain, pem: text, key: key}, nil
}

// keyOf returns the private key of a certificate from Keys.
func (a *API) keyOf(ctx context.Context, cert *x509.Certificate) (crypto.Signer, error) {
	pubMd5, err := csr.PubMD5(cert.PublicKey)
	if err != nil {
		return nil, err
	}
	return a.Keys.Get(ctx, pubMd5)
}

var certificateFormat = badRequest("Certificate.FormatError", "The format of the certificate is invalid.")
