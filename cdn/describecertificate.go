package cdn

import (
	"context"
	"time"
)

// DescribeDomainCertificateInfoRequest holds the parameters of
// DescribeDomainCertificateInfo.
type DescribeDomainCertificateInfoRequest struct {
	DomainName string // required; a wildcard domain is written .example.com
}

// DescribeDomainCertificateInfoResponse describes the certificate of a domain.
type DescribeDomainCertificateInfoResponse struct {
	RequestId string
	CertInfos struct{ CertInfo []CertInfo } // may be empty
}

// CertInfo is the certificate of a domain. With HTTPS off most of its fields
// are empty.
type CertInfo struct {
	DomainName              string // a wildcard domain is .example.com
	ServerCertificateStatus string // HTTPS: "on" or "off"
	Status                  string // "success" once in force; "failed", "checking", "applying" and others
	ServerCertificate       string // the chain in PEM, leaf first
	CertId                  string // of a stored certificate
	CertName                string // of a stored certificate
	CertType                string // "free", "cas" or "upload"
	CertRegion              string // "cn-hangzhou" or "ap-southeast-1"
	CertDomainName          string // the names in the certificate, separated by commas
	CertOrg                 string // the CA
	CertStartTime           string // RFC 3339; see StartTime
	CertExpireTime          string // RFC 3339; see ExpireTime
	CertUpdateTime          string // RFC 3339; see UpdateTime
	CertLife                string // as text, such as "3 months"
	DomainCnameStatus       string // "ok", or what is wrong with the domain's CNAME
}

// UnmarshalJSON implements [json.Unmarshaler]. It accepts a number where a
// string is documented.
func (c *CertInfo) UnmarshalJSON(object []byte) error { return unmarshalTexts(object, c) }

// StartTime returns when the certificate becomes valid. It returns false if
// CertStartTime is empty or can't be read.
func (c CertInfo) StartTime() (time.Time, bool) { return parseTime(c.CertStartTime) }

// ExpireTime returns when the certificate expires. It returns false if
// CertExpireTime is empty or can't be read.
func (c CertInfo) ExpireTime() (time.Time, bool) { return parseTime(c.CertExpireTime) }

// UpdateTime returns when the certificate was installed. It returns false if
// CertUpdateTime is empty or can't be read.
func (c CertInfo) UpdateTime() (time.Time, bool) { return parseTime(c.CertUpdateTime) }

func parseTime(text string) (time.Time, bool) {
	t, err := time.Parse(time.RFC3339, text)
	return t, err == nil
}

// DescribeDomainCertificateInfo reports which certificate a domain has, and
// whether it is in force. See [Client] for the errors.
//
// The service allows an account 100 calls a second.
//
// See https://www.alibabacloud.com/help/en/cdn/developer-reference/api-cdn-2018-05-10-describedomaincertificateinfo
func (c *Client) DescribeDomainCertificateInfo(ctx context.Context, req *DescribeDomainCertificateInfoRequest) (*DescribeDomainCertificateInfoResponse, error) {
	if req == nil {
		return nil, errNilRequest()
	}
	var p params
	p.require("DomainName", req.DomainName)
	op, err := p.operation("DescribeDomainCertificateInfo")
	if err != nil {
		return nil, err
	}
	resp := new(DescribeDomainCertificateInfoResponse)
	return do(ctx, c, op, resp, &resp.RequestId)
}
