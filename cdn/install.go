package cdn

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"github.com/cdncsr/cdncsr/csr"
)

// An install is the state of one call of Install.
type install struct {
	client *Client
	chain  *chain
	key    Secret // of OriginLocal
	noKey  error  // of OriginCDN: what Keys answered; nil without Keys
	done   Installation
}

// prepare does everything that needs no call to the CDN.
func (i *Installer) prepare(ctx context.Context, domain string, chain []byte) (*install, error) {
	if err := i.check(); err != nil {
		return nil, err
	}
	if ctx.Err() != nil {
		return nil, fmt.Errorf("cdn: %w", contextError(ctx))
	}
	ch, err := readChain(domain, chain, time.Now())
	if err != nil {
		return nil, err
	}
	in := &install{
		client: i.Client, chain: ch,
		done: Installation{Domain: ch.domain, PubMd5: ch.pubMd5, KeyOrigin: csr.OriginCDN},
	}
	key, err := i.findKey(ctx, ch.pubMd5)
	if errors.Is(err, fs.ErrNotExist) {
		in.noKey = err
		return in, nil
	}
	if err != nil || key == nil {
		return in, err
	}
	in.done.KeyOrigin = csr.OriginLocal
	in.key, err = encodeKey(key)
	return in, err
}

// findKey returns the key of that name, or nil without Keys. If Keys does not
// have it, the error matches fs.ErrNotExist.
func (i *Installer) findKey(ctx context.Context, pubMd5 string) (crypto.Signer, error) {
	if i.Keys == nil {
		return nil, nil
	}
	key, err := i.Keys.Get(ctx, pubMd5)
	switch {
	case err != nil:
		return nil, fmt.Errorf("cdn: key store: key %s: %w", pubMd5, err)
	case isNil(key):
		return nil, fmt.Errorf("cdn: key store: no key and no error for %s", pubMd5)
	}
	if own, err := csr.PubMD5(key.Public()); err != nil || own != pubMd5 {
		return nil, fmt.Errorf("cdn: key store: another key than %s", pubMd5)
	}
	return key, nil
}

// encodeKey returns key in one of the two forms that the CDN documents. Other
// keys can't be installed, such as one that does not leave its device.
func encodeKey(key crypto.Signer) (Secret, error) {
	var block pem.Block
	switch key := key.(type) {
	case *rsa.PrivateKey:
		if err := key.Validate(); err != nil || len(key.Primes) < 2 {
			return "", errors.New("cdn: private key: RSA key without its primes, or not a valid one")
		}
		block = pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}
	case *ecdsa.PrivateKey:
		der, err := x509.MarshalECPrivateKey(key)
		if err != nil {
			return "", fmt.Errorf("cdn: private key: %w", err)
		}
		block = pem.Block{Type: "EC PRIVATE KEY", Bytes: der}
	default:
		return "", fmt.Errorf("cdn: private key: %T: only RSA and ECDSA keys that are in memory can be installed", key)
	}
	return Secret(pem.EncodeToMemory(&block)), nil
}

// A domainState is what the CDN reports about a domain.
type domainState struct {
	info      CertInfo
	requestID string
	isKnown   bool // the CDN reported something
	hasLeaf   bool // HTTPS is on with the certificate, which may not be in force yet
	inForce   bool
	failed    bool
}

// String describes s without the certificate.
func (s domainState) String() string {
	return fmt.Sprintf("the CDN reports HTTPS %q, status %q, this certificate: %t",
		s.info.ServerCertificateStatus, s.info.Status, s.hasLeaf)
}

// describe asks the CDN about the domain.
func (in *install) describe(ctx context.Context) (domainState, error) {
	req := &DescribeDomainCertificateInfoRequest{DomainName: in.chain.domain}
	resp, err := in.client.DescribeDomainCertificateInfo(ctx, req)
	if err != nil {
		return domainState{}, err
	}
	state := domainState{requestID: resp.RequestId}
	for _, info := range resp.CertInfos.CertInfo {
		// The certificate is what counts, wherever in the list it is.
		if next := in.stateOf(info); next.isKnown && !state.inForce && (next.hasLeaf || !state.isKnown) {
			next.requestID = resp.RequestId
			state = next
		}
	}
	return state, nil
}

// stateOf returns what one entry of the CDN's answer says about the domain.
func (in *install) stateOf(info CertInfo) domainState {
	name := strings.TrimSuffix(strings.TrimPrefix(info.DomainName, "*"), ".")
	if name != "" && !strings.EqualFold(name, in.chain.domain) || info == (CertInfo{}) {
		return domainState{}
	}
	hasLeaf := string(firstCertificate(info.ServerCertificate)) == string(in.chain.leaf.Raw)
	isOn := strings.EqualFold(info.ServerCertificateStatus, "on")
	return domainState{
		info: info, isKnown: true, hasLeaf: hasLeaf && isOn,
		inForce: hasLeaf && isOn && strings.EqualFold(info.Status, "success"),
		failed:  strings.EqualFold(info.Status, "failed"),
	}
}

// Unverified: the operations' page contradicts itself, and nobody could try it
// without an account.
const (
	// csrCertificateBase64 is whether SetCdnDomainCSRCertificate takes the PEM
	// in base64. If the service can't read that, plain PEM is tried once.
	csrCertificateBase64 = true
	// csrCertificateChain is whether it takes the intermediates too.
	csrCertificateChain = true
)

// setCSRCertificate installs a certificate whose key the CDN has.
func (in *install) setCSRCertificate(ctx context.Context) error {
	certificate := in.chain.pem
	if !csrCertificateChain {
		certificate = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: in.chain.leaf.Raw}))
	}
	forms := []string{certificate}
	if csrCertificateBase64 {
		forms = []string{base64.StdEncoding.EncodeToString([]byte(certificate)), certificate}
	}
	var err error
	for _, form := range forms {
		var resp *SetCdnDomainCSRCertificateResponse
		resp, err = in.client.SetCdnDomainCSRCertificate(ctx, &SetCdnDomainCSRCertificateRequest{
			DomainName: in.chain.domain, ServerCertificate: form,
		})
		if err == nil {
			in.done.RequestId = resp.RequestId
			return nil
		}
		if !hasCode(err, "Certificate.DecodeError", "Certificate.FormatError") {
			break
		}
	}
	switch {
	case isLost(err):
		return in.resolve(ctx, err)
	case errors.Is(err, ErrKeyNotFound) && in.noKey != nil:
		return fmt.Errorf("%w; %w", err, in.noKey) // it may be the directory that is wrong
	}
	return err
}

// isLost reports whether an answer to the call that failed with err may have
// been lost, so that the service may have done its work.
func isLost(err error) bool {
	failed, ok := errors.AsType[*Error](err)
	return errors.Is(err, ErrUnavailable) || ok && failed.Attempts > 1
}

// upload installs a certificate with its key, which the service stores.
func (in *install) upload(ctx context.Context) error {
	in.done.CertName = certName(in.chain.leaf)
	resp, err := in.client.SetCdnDomainSSLCertificate(ctx, &SetCdnDomainSSLCertificateRequest{
		DomainName: in.chain.domain, SSLProtocol: "on", CertType: "upload", CertName: in.done.CertName,
		SSLPub: in.chain.pem, SSLPri: in.key,
	})
	switch {
	case err == nil:
		in.done.RequestId = resp.RequestId
		return nil
	case isLost(err), hasCode(err, "Certificate.Duplicated", "CertNameAlreadyExists", "CertificateContent.Duplicated"):
		return in.resolve(ctx, err)
	}
	return err
}

// certName returns the name under which a certificate is uploaded: the same in
// every run, on every machine and for every domain.
func certName(leaf *x509.Certificate) string {
	sum := sha256.Sum256(leaf.Raw)
	return "cdncsr-" + hex.EncodeToString(sum[:16])
}

// hasCode reports whether err is an *Error with one of codes.
func hasCode(err error, codes ...string) bool {
	failed, ok := errors.AsType[*Error](err)
	if !ok {
		return false
	}
	for _, code := range codes {
		if strings.EqualFold(failed.Code, code) {
			return true
		}
	}
	return false
}

// resolveRounds is how often resolve asks the CDN: an installation becomes
// visible some time after it was made.
const resolveRounds = 4

// resolve completes an installation whose answer was lost, or that the service
// refused because it stores the certificate already. It returns lost, the error
// of that call, if the certificate is neither on the domain nor among the stored
// ones, and the error of a question that the service refuses.
func (in *install) resolve(ctx context.Context, lost error) error {
	pauses := newPauses()
	var last error
	for round := range resolveRounds {
		if round > 0 {
			sleep(ctx, pauses.NextBackOff())
		}
		var done bool
		done, last = in.lookUp(ctx)
		switch {
		case done:
			return nil
		case ctx.Err() != nil:
			return fmt.Errorf("cdn: %w; before that: %w", contextError(ctx), lost)
		case last != nil && !isLost(last) && !errors.Is(last, ErrThrottled):
			return lookUpError(last, lost)
		}
	}
	if last != nil {
		return lookUpError(last, lost)
	}
	return lost
}

// lookUpError returns the error of a look-up that was made because of lost.
func lookUpError(err, lost error) error {
	return fmt.Errorf("%w; looked up because of: %w", err, kindless{lost})
}

// lookUp reports whether the certificate is on the domain. If it is stored, it
// is installed.
func (in *install) lookUp(ctx context.Context) (done bool, err error) {
	state, err := in.describe(ctx)
	if err != nil {
		return false, err
	}
	if state.hasLeaf && !state.failed {
		in.done.RequestId = state.requestID
		return true, nil
	}
	if in.done.KeyOrigin != csr.OriginLocal {
		return false, nil
	}
	stored, err := in.findStored(ctx)
	if err != nil || stored == nil {
		return false, err
	}
	err = in.installStored(ctx, stored)
	return err == nil, err
}

// installStored installs a certificate that the service stores.
func (in *install) installStored(ctx context.Context, stored *StoredCert) error {
	resp, err := in.client.SetCdnDomainSSLCertificate(ctx, &SetCdnDomainSSLCertificateRequest{
		DomainName: in.chain.domain, SSLProtocol: "on", CertType: "cas",
		CertName: stored.CertName, CertId: stored.CertId, CertRegion: stored.CertRegion,
	})
	if err != nil {
		return err
	}
	in.done.CertName, in.done.RequestId = stored.CertName, resp.RequestId
	return nil
}

// findStored returns the stored certificate, or nil. It searches by name, and
// then through all of them by fingerprint.
func (in *install) findStored(ctx context.Context) (*StoredCert, error) {
	const pageSize, maxPages = 1000, 100
	sum := sha1.Sum(in.chain.leaf.Raw)
	fingerprint := hex.EncodeToString(sum[:])
	for _, keyword := range []string{in.done.CertName, ""} {
		for page := int64(1); page <= maxPages; page++ {
			resp, err := in.client.DescribeCdnSSLCertificateList(ctx, &DescribeCdnSSLCertificateListRequest{
				SearchKeyword: keyword, PageNumber: page, PageSize: pageSize,
			})
			if err != nil {
				return nil, err
			}
			list := resp.CertificateListModel
			for _, cert := range list.CertList.Cert {
				if cert.CertId != 0 && strings.EqualFold(cert.Fingerprint, fingerprint) {
					return &cert, nil
				}
			}
			if len(list.CertList.Cert) < pageSize { // Count is not always a number
				break
			}
		}
	}
	return nil, nil
}
