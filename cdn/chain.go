package cdn

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cdncsr/cdncsr/csr"
)

// Bounds of a chain. The service documents that a certificate may be too long,
// but not from which length on.
const (
	maxChainBytes = 64 << 10
	maxChainCerts = 10
)

// A chain is a certificate chain that was checked for a domain, in the form in
// which it is sent.
type chain struct {
	domain string // as the CDN writes it
	leaf   *x509.Certificate
	pubMd5 string
	pem    string // leaf first, without a root, without blank lines
}

// readChain checks a domain, and a chain in PEM for it. The error is
// csr.FieldErrors with every mistake.
func readChain(domain string, data []byte, now time.Time) (*chain, error) {
	var r chainReader
	name := r.readDomain(domain)
	if r.readPEM(data) {
		r.checkOrder()
		r.checkDates(now)
		r.checkLeaf(name)
	}
	if err := r.errs.Err(); err != nil {
		return nil, err
	}
	pubMd5, err := csr.PubMD5(r.certs[0].PublicKey)
	if err != nil {
		return nil, fmt.Errorf("cdn: chain: %w", err)
	}
	return &chain{domain: strings.TrimPrefix(name, "*"), leaf: r.certs[0], pubMd5: pubMd5, pem: r.encode()}, nil
}

// A chainReader collects the certificates of a chain and the mistakes in it.
type chainReader struct {
	certs []*x509.Certificate
	errs  csr.FieldErrors
}

// refuse records a mistake in the chain.
func (r *chainReader) refuse(format string, args ...any) {
	r.errs = append(r.errs, &csr.FieldError{Field: "Chain", Reason: fmt.Sprintf(format, args...)})
}

// refuseCert records a mistake in the certificate with index i.
func (r *chainReader) refuseCert(i int, format string, args ...any) {
	e := &csr.FieldError{Field: "Chain[" + strconv.Itoa(i) + "]", Reason: fmt.Sprintf(format, args...)}
	if i < len(r.certs) {
		e.Value = r.certs[i].Subject.String()
	}
	r.errs = append(r.errs, e)
}

// readDomain returns a domain in its ASCII form. A wildcard domain may be given
// as *.example.com or .example.com, and is returned as *.example.com.
func (r *chainReader) readDomain(domain string) string {
	name := domain
	if strings.HasPrefix(name, ".") {
		name = "*" + name
	}
	const placeholder = "placeholder.invalid" // required; the domain is a SAN, which may be longer than a CommonName
	normal, err := (&csr.Request{CommonName: placeholder, SANs: []string{name}}).Normalize()
	if mistake, ok := errors.AsType[*csr.FieldError](err); ok {
		r.errs = append(r.errs, &csr.FieldError{Field: "Domain", Value: domain, Reason: mistake.Reason})
		return ""
	}
	return normal.SANs[0]
}

// readPEM reads the certificates and skips text between them. It reports
// whether there is at least one and all could be read.
func (r *chainReader) readPEM(data []byte) bool {
	if len(data) > maxChainBytes {
		r.refuse("has %d bytes, more than %d", len(data), maxChainBytes)
		return false
	}
	rest := bytes.TrimPrefix(data, []byte("\ufeff"))
	blocks := 0
	for {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		r.readBlock(blocks, block)
		blocks++
	}
	switch begun := bytes.Count(data, []byte("-----BEGIN ")); {
	case begun > blocks:
		r.refuse("has a PEM block that is damaged: %d begin, %d are whole", begun, blocks)
	case blocks == 0:
		r.refuse("has no certificate in PEM")
	case blocks > maxChainCerts:
		r.refuse("has %d certificates, more than %d", blocks, maxChainCerts)
	default:
		return len(r.certs) == blocks
	}
	return false
}

func (r *chainReader) readBlock(i int, block *pem.Block) {
	switch {
	case strings.Contains(block.Type, "PRIVATE KEY"):
		r.refuseCert(i, "is a private key, which belongs in the key store only")
		return
	case block.Type != "CERTIFICATE":
		r.refuseCert(i, "is a block %q, not CERTIFICATE", block.Type)
		return
	case len(block.Headers) > 0:
		r.refuseCert(i, "has PEM headers")
		return
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		r.refuseCert(i, "is not a certificate: %v", err)
		return
	}
	r.certs = append(r.certs, cert)
}

// checkOrder checks that each certificate is signed by the next.
func (r *chainReader) checkOrder() {
	for i, cert := range r.certs[:len(r.certs)-1] {
		if isSelfSigned(cert) {
			r.refuseCert(i, "is self-signed, so that no certificate belongs behind it")
			continue
		}
		if !bytes.Equal(cert.RawIssuer, r.certs[i+1].RawSubject) {
			r.refuseCert(i, "is not signed by the next certificate, %q, but by %q", r.certs[i+1].Subject.String(), cert.Issuer.String())
			continue
		}
		if err := cert.CheckSignatureFrom(r.certs[i+1]); err != nil {
			r.refuseCert(i, "is not signed by the next certificate, %q: %v", r.certs[i+1].Subject.String(), err)
		}
	}
}

func isSelfSigned(cert *x509.Certificate) bool {
	return bytes.Equal(cert.RawIssuer, cert.RawSubject) &&
		cert.CheckSignature(cert.SignatureAlgorithm, cert.RawTBSCertificate, cert.Signature) == nil
}

func (r *chainReader) checkDates(now time.Time) {
	for i, cert := range r.certs {
		switch {
		case now.Before(cert.NotBefore):
			r.refuseCert(i, "is not valid before %s", cert.NotBefore.UTC().Format(time.RFC3339))
		case now.After(cert.NotAfter):
			r.refuseCert(i, "expired at %s", cert.NotAfter.UTC().Format(time.RFC3339))
		}
	}
}

// checkLeaf checks that the first certificate can be installed on a domain. If
// name is empty, the domain is invalid and is not compared.
func (r *chainReader) checkLeaf(name string) {
	leaf := r.certs[0]
	if leaf.IsCA {
		r.refuseCert(0, "is a CA certificate; the domain's own comes first")
	}
	if _, err := csr.PubMD5(leaf.PublicKey); err != nil {
		r.refuseCert(0, "has a key of algorithm %s, which can't be installed", leaf.PublicKeyAlgorithm)
	}
	if !isForServers(leaf) {
		r.refuseCert(0, "is not for servers (extended key usage)")
	}
	switch {
	case len(leaf.DNSNames) == 0:
		r.refuseCert(0, "has no domain names (subject alternative names)")
	case name != "" && !covers(leaf.DNSNames, name):
		r.refuseCert(0, "is for %s, not for %s", strings.Join(leaf.DNSNames, ", "), name)
	}
}

// isForServers reports whether leaf may be used by a TLS server (RFC 5280
// section 4.2.1.12).
func isForServers(leaf *x509.Certificate) bool {
	return len(leaf.ExtKeyUsage)+len(leaf.UnknownExtKeyUsage) == 0 ||
		slices.Contains(leaf.ExtKeyUsage, x509.ExtKeyUsageServerAuth) || slices.Contains(leaf.ExtKeyUsage, x509.ExtKeyUsageAny)
}

// covers reports whether one of names is name, or a wildcard for it (RFC 6125
// section 6.4.3). A wildcard domain is covered by itself alone.
func covers(names []string, name string) bool {
	_, parent, _ := strings.Cut(name, ".")
	return slices.ContainsFunc(names, func(known string) bool {
		return strings.EqualFold(known, name) || strings.EqualFold(known, "*."+parent)
	})
}

// encode returns the chain in PEM, without a root.
func (r *chainReader) encode() string {
	certs := r.certs
	if last := len(certs) - 1; last > 0 && isSelfSigned(certs[last]) {
		certs = certs[:last]
	}
	var b bytes.Buffer
	for _, cert := range certs {
		_ = pem.Encode(&b, &pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw}) // a bytes.Buffer takes everything
	}
	return b.String()
}

// firstCertificate returns the first certificate of a text in PEM, or nil.
func firstCertificate(text string) []byte {
	block, _ := pem.Decode([]byte(strings.TrimLeft(text, "\ufeff \t\r\n")))
	if block == nil {
		return nil
	}
	return block.Bytes
}
