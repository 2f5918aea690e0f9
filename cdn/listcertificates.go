package cdn

import "context"

// DescribeCdnSSLCertificateListRequest holds the parameters of
// DescribeCdnSSLCertificateList.
type DescribeCdnSSLCertificateListRequest struct {
	DomainName    string // certificates that fit this domain; empty for all
	SearchKeyword string // a part of the certificates' names; empty for all
	PageNumber    int64  // from 1; the default is 1
	PageSize      int64  // 1 to 1000; if zero, the service chooses
}

// DescribeCdnSSLCertificateListResponse has a page of the certificates that
// the account stores.
type DescribeCdnSSLCertificateListResponse struct {
	RequestId            string
	CertificateListModel struct {
		Count, PageNumber, PageSize int64                       // Count is of all pages
		CertList                    struct{ Cert []StoredCert } // may be empty
	}
}

// StoredCert is a certificate that the account stores.
type StoredCert struct {
	CertId      int64
	CertName    string
	CertRegion  string // "cn-hangzhou" or "ap-southeast-1"
	Common      string // the subject's common name
	Fingerprint string // SHA-1 of the certificate in hex
	Issuer      string
	LastTime    int64 // the service's pages contradict each other on its meaning
}

// UnmarshalJSON implements [json.Unmarshaler]. It accepts a number for a string
// and a string for a number.
func (c *StoredCert) UnmarshalJSON(object []byte) error { return unmarshalTexts(object, c) }

// DescribeCdnSSLCertificateList lists the certificates that the account stores,
// a page at a time. See [Client] for the errors.
//
// See https://www.alibabacloud.com/help/en/cdn/developer-reference/api-cdn-2018-05-10-describecdnsslcertificatelist
func (c *Client) DescribeCdnSSLCertificateList(ctx context.Context, req *DescribeCdnSSLCertificateListRequest) (*DescribeCdnSSLCertificateListResponse, error) {
	if req == nil {
		return nil, errNilRequest()
	}
	var p params
	p.set("DomainName", req.DomainName)
	p.set("SearchKeyword", req.SearchKeyword)
	p.setInt("PageNumber", req.PageNumber, 1, 1<<31-1)
	p.setInt("PageSize", req.PageSize, 1, 1000)
	op, err := p.operation("DescribeCdnSSLCertificateList")
	if err != nil {
		return nil, err
	}
	resp := new(DescribeCdnSSLCertificateListResponse)
	return do(ctx, c, op, resp, &resp.RequestId)
}
