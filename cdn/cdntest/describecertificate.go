package cdntest

import (
	"context"
	"crypto/x509"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// certificateInfo is the response of DescribeDomainCertificateInfo.
type certificateInfo struct {
	CertInfos struct{ CertInfo []certInfo }
	RequestId string
}

// certInfo has the documented fields, all of them strings.
type certInfo struct {
	DomainName, ServerCertificateStatus, Status, ServerCertificate  string
	CertId, CertName, CertType, CertRegion, CertDomainName, CertOrg string
	CertStartTime, CertExpireTime, CertUpdateTime, CertLife         string
	DomainCnameStatus                                               string
}

func checkDomainName(c *call) *problem {
	if c.params["DomainName"] == "" {
		return missing("DomainName")
	}
	return nil
}

// describeCertificate shows the certificate of a domain, whether it is online
// or not. A certificate is in effect at once.
func describeCertificate(_ context.Context, a *API, c *call) (any, *problem) {
	a.account.mu.Lock()
	defer a.account.mu.Unlock()
	d := a.account.find(c.params["DomainName"])
	if d == nil {
		return nil, domainNotFound
	}
	resp := certificateInfo{RequestId: c.requestID}
	resp.CertInfos.CertInfo = []certInfo{d.info()}
	return resp, nil
}

// info describes the domain's certificate. If HTTPS is off, all fields but the
// name and the status are empty.
func (d *domain) info() certInfo {
	in := d.current()
	if in == nil {
		return certInfo{DomainName: d.name, ServerCertificateStatus: "off"}
	}
	leaf := in.chain[0]
	info := certInfo{
		DomainName:              d.name,
		ServerCertificateStatus: "on",
		Status:                  "success",
		ServerCertificate:       in.pem,
		CertName:                in.name,
		CertType:                in.certType,
		CertDomainName:          strings.Join(leaf.DNSNames, ","),
		CertOrg:                 issuer(leaf),
		CertStartTime:           leaf.NotBefore.UTC().Format(time.RFC3339),
		CertExpireTime:          leaf.NotAfter.UTC().Format(time.RFC3339),
		CertUpdateTime:          in.at.UTC().Format(time.RFC3339),
		CertLife:                life(leaf),
		DomainCnameStatus:       "ok",
	}
	if in.id != 0 {
		info.CertId, info.CertRegion = strconv.FormatInt(in.id, 10), regionHangzhou
	}
	return info
}

// issuer returns the name of the CA: its organization, or its common name.
func issuer(cert *x509.Certificate) string {
	if names := cert.Issuer.Organization; len(names) > 0 {
		return names[0]
	}
	return cert.Issuer.CommonName
}

// life returns how long a certificate is valid, as in "3 months".
func life(cert *x509.Certificate) string {
	const month = 30 * 24 * time.Hour
	months := int(cert.NotAfter.Sub(cert.NotBefore).Round(month) / month)
	if months < 12 {
		return fmt.Sprintf("%d months", months)
	}
	return fmt.Sprintf("%d years", months/12)
}
