package cdntest

import (
	"bytes"
	"context"
	"crypto"
	"crypto/x509"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// The region where certificates are stored, and the other one of the service.
const (
	regionHangzhou  = "cn-hangzhou"
	regionSingapore = "ap-southeast-1"
)

// firstCertID is the ID of the first stored certificate.
const firstCertID = 9002448

// checkSetSSLCertificate refuses parameters against the page of
// SetCdnDomainSSLCertificate, and a private key in the URL.
func checkSetSSLCertificate(c *call) *problem {
	switch {
	case c.secretInURL:
		return invalidSSLPri
	case c.params["DomainName"] == "":
		return missing("DomainName")
	case c.params["SSLProtocol"] == "":
		return missing("SSLProtocol")
	case c.params["SSLProtocol"] == "off":
		return nil
	case c.params["SSLProtocol"] != "on":
		return badRequest("InvalidSSLProtocol.ValueNotSupported", "The specified SSLProtocol is invalid.")
	}
	if p := checkCertName(c); p != nil {
		return p
	}
	switch c.params["CertType"] {
	case "", "upload":
		return checkUpload(c)
	case "cas":
		return checkCAS(c)
	}
	return parameterError
}

var parameterError = badRequest("SetDomainCertificate.ParameterError", "The specified parameters are invalid.")

// checkCertName refuses an empty name, and one that breaks the rules of the
// console: letters, digits, ".", "_" and "-".
func checkCertName(c *call) *problem {
	name, given := c.params["CertName"]
	switch {
	case !given:
		return nil
	case name == "":
		return &problem{http.StatusNotFound, "CertName.MissingParameter", "You must specify CertName."}
	case utf8.RuneCountInString(name) > 128:
		return badRequest("InvalidCertName.TooLong", "The length of the certificate name cannot exceed 128 characters.")
	case strings.ContainsFunc(name, func(r rune) bool {
		return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-", r)
	}):
		return parameterError
	}
	return nil
}

func checkUpload(c *call) *problem {
	if c.params["SSLPri"] == "" {
		return badRequest("SSLPri.MissingParameter", "The SSLPri parameter is required.")
	}
	if c.params["SSLPub"] == "" {
		return badRequest("SSLPub.MissingParameter", "The SSLPub parameter is required.")
	}
	return nil
}

// checkCAS falls back to an upload without a usable CertId, as the service
// seems to do.
func checkCAS(c *call) *problem {
	if storedID(c) == 0 {
		return checkUpload(c)
	}
	switch c.params["CertRegion"] {
	case "", regionHangzhou, regionSingapore:
		return nil
	}
	return badRequest("Abs.CertRegion.ValueNotSupported", "CertRegion is not supported.")
}

// storedID returns the ID of the stored certificate to install, or 0.
func storedID(c *call) int64 {
	id, err := strconv.ParseInt(c.params["CertId"], 10, 64)
	if err != nil || c.params["CertType"] != "cas" {
		return 0
	}
	return id
}

// setSSLCertificate switches HTTPS off, installs a stored certificate, or
// stores one and installs it.
func setSSLCertificate(_ context.Context, a *API, c *call) (any, *problem) {
	a.account.mu.Lock()
	defer a.account.mu.Unlock()
	d, p := a.account.configurable(c.params["DomainName"])
	if p != nil {
		return nil, p
	}
	id := storedID(c)
	switch {
	case c.params["SSLProtocol"] == "off":
		d.installed = nil
	case id != 0:
		p = a.account.installStored(d, id, c.params["CertRegion"])
	default:
		p = a.account.upload(d, c)
	}
	if p != nil {
		return nil, p
	}
	return onlyRequestID{c.requestID}, nil
}

// readUpload returns the certificate and the key of the call.
func readUpload(c *call) (*certificate, *problem) {
	text := c.params["SSLPub"]
	if len(text) > maxChain {
		return nil, badRequest("InvalidCertificate.TooLong", "The maximum length of the certificate is exceeded.")
	}
	chain, ok := parseChain(text)
	if !ok {
		return nil, badRequest("InvalidSSLPub", "The specified SSLPub is invalid.")
	}
	if !isOrdered(chain) {
		return nil, certificateFormat
	}
	key, p := parseKey(c.params["SSLPri"])
	if p != nil {
		return nil, p
	}
	public, ok := key.Public().(interface{ Equal(crypto.PublicKey) bool })
	if !ok || !public.Equal(chain[0].PublicKey) {
		return nil, badRequest("Certificate.MissMatch", "The SSLPri does not match the certificate.")
	}
	if p := checkDates(chain[0], time.Now()); p != nil {
		return nil, p
	}
	return &certificate{chain: chain, pem: text, key: key, name: c.params["CertName"]}, nil
}

// checkDates refuses a certificate that has expired or is not valid yet.
func checkDates(leaf *x509.Certificate, now time.Time) *problem {
	switch {
	case now.After(leaf.NotAfter):
		return badRequest("Certificate.Expired", "The certificate has expired.")
	case now.Before(leaf.NotBefore):
		return badRequest("Certificate.StatusError", "The status of the certificate is invalid.")
	}
	return nil
}

// upload stores the certificate of the call and installs it.
func (a *account) upload(d *domain, c *call) *problem {
	cert, p := readUpload(c)
	if p != nil {
		return p
	}
	if p := a.duplicate(cert); p != nil {
		return p
	}
	cert.id, cert.stored = firstCertID+int64(len(a.stored)), time.Now()
	if cert.name == "" {
		cert.name = "cert-" + strconv.FormatInt(cert.id, 10)
	}
	a.stored = append(a.stored, cert)
	d.install(cert, "upload")
	return nil
}

// duplicate refuses a certificate whose name is taken or, if the caller named
// it, whose content is stored. Without a name each upload is stored anew, since
// tools upload one certificate for several domains that way.
func (a *account) duplicate(cert *certificate) *problem {
	if cert.name == "" {
		return nil
	}
	sameContent := func(other *certificate) bool { return bytes.Equal(other.chain[0].Raw, cert.chain[0].Raw) }
	if i := slices.IndexFunc(a.stored, func(other *certificate) bool { return other.name == cert.name }); i >= 0 {
		if sameContent(a.stored[i]) {
			return badRequest("Certificate.Duplicated", "The certificate name already exists.")
		}
		return badRequest("CertNameAlreadyExists", "The CertName already exists.")
	}
	if slices.ContainsFunc(a.stored, sameContent) {
		return badRequest("CertificateContent.Duplicated", "The certificate has been uploaded; do not upload again.")
	}
	return nil
}

// installStored installs a stored certificate. All are in regionHangzhou.
func (a *account) installStored(d *domain, id int64, region string) *problem {
	i := slices.IndexFunc(a.stored, func(cert *certificate) bool { return cert.id == id })
	if i < 0 || region == regionSingapore {
		return badRequest("Certificate.NotFind", "The certificate does not exist.")
	}
	if p := checkDates(a.stored[i].chain[0], time.Now()); p != nil {
		return p
	}
	d.install(a.stored[i], "cas")
	return nil
}
