package cdntest

import (
	"context"
	"crypto/sha1"
	"encoding/hex"
	"strconv"
	"strings"
)

// certificateList is the response of DescribeCdnSSLCertificateList.
type certificateList struct {
	CertificateListModel struct {
		Count, PageNumber, PageSize int
		CertList                    struct{ Cert []listedCert }
	}
	RequestId string
}

type listedCert struct {
	CertName    string
	CertId      int64
	CertRegion  string
	Fingerprint string // SHA-1 of the leaf in DER, in lower-case hex
	Common      string
	Issuer      string
	LastTime    int64 // seconds since 1970; the pages disagree about its meaning
}

// The default page, and its largest size.
const (
	defaultPageSize = 20
	maxPageSize     = 1000
)

func checkListCertificates(c *call) *problem {
	if number(c, "PageNumber", 1) < 1 {
		return invalid("PageNumber")
	}
	if size := number(c, "PageSize", defaultPageSize); size < 1 || size > maxPageSize {
		return invalid("PageSize")
	}
	return nil
}

// number returns the value of a parameter: byDefault if it is missing, 0 if it
// is not a number.
func number(c *call, name string, byDefault int) int {
	text, given := c.params[name]
	if !given {
		return byDefault
	}
	n, err := strconv.ParseInt(text, 10, 32)
	if err != nil {
		return 0
	}
	return int(n)
}

// listCertificates returns a page of the stored certificates, oldest first,
// whose name contains SearchKeyword, ignoring case, and which are for
// DomainName. Count is the number on all pages.
func listCertificates(_ context.Context, a *API, c *call) (any, *problem) {
	domain, keyword := c.params["DomainName"], strings.ToLower(c.params["SearchKeyword"])
	a.account.mu.Lock()
	defer a.account.mu.Unlock()
	if domain != "" && a.account.find(domain) == nil {
		return nil, domainNotFound
	}
	var found []listedCert
	for _, cert := range a.account.stored {
		if strings.Contains(strings.ToLower(cert.name), keyword) && (domain == "" || covers(cert.chain[0], domain)) {
			found = append(found, cert.listed())
		}
	}
	resp := certificateList{RequestId: c.requestID}
	model := &resp.CertificateListModel
	model.Count = len(found)
	model.PageNumber, model.PageSize = number(c, "PageNumber", 1), number(c, "PageSize", defaultPageSize)
	from := min(int64(model.PageNumber-1)*int64(model.PageSize), int64(len(found)))
	model.CertList.Cert = append([]listedCert{}, found[from:min(from+int64(model.PageSize), int64(len(found)))]...)
	return resp, nil
}

func (c *certificate) listed() listedCert {
	leaf := c.chain[0]
	fingerprint := sha1.Sum(leaf.Raw)
	return listedCert{
		CertName: c.name, CertId: c.id, CertRegion: regionHangzhou,
		Fingerprint: hex.EncodeToString(fingerprint[:]),
		Common:      leaf.Subject.CommonName, Issuer: leaf.Issuer.CommonName,
		LastTime: c.stored.Unix(),
	}
}
