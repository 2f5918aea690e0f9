package cdn

import (
	"context"
	"fmt"
	"math"
	"unicode/utf8"
)

// SetCdnDomainSSLCertificateRequest holds the parameters of
// SetCdnDomainSSLCertificate. Each call replaces the whole setting: an empty
// field does not keep its earlier value.
type SetCdnDomainSSLCertificateRequest struct {
	DomainName  string // required; a wildcard domain is written .example.com
	SSLProtocol string // required: "on" or "off"
	CertType    string // "upload", or "cas" for a stored certificate; the default is "upload"
	CertName    string // of an uploaded certificate, at most 128 characters; if empty, the service chooses
	CertId      int64  // of a stored certificate; required with cas
	CertRegion  string // of a stored certificate: "cn-hangzhou", the service's default, or "ap-southeast-1"
	SSLPub      string // the chain in PEM, leaf first; required with on and upload
	SSLPri      Secret // the private key in PEM, PKCS #1 or SEC 1; required with on and upload
}

// SetCdnDomainSSLCertificateResponse holds the response parameters of
// SetCdnDomainSSLCertificate.
type SetCdnDomainSSLCertificateResponse struct{ RequestId string }

// SetCdnDomainSSLCertificate installs a certificate with its private key, or
// one that is stored already, or switches HTTPS off. A private key is sent in
// the body only: if the signer would put it into the URL, as signer.ACS3 does,
// the call is refused. See [Client] for the errors.
//
// Each upload stores a certificate under a name that must be new. The service
// allows an account 30 calls a second.
//
// See https://www.alibabacloud.com/help/en/cdn/developer-reference/api-cdn-2018-05-10-setcdndomainsslcertificate
func (c *Client) SetCdnDomainSSLCertificate(ctx context.Context, req *SetCdnDomainSSLCertificateRequest) (*SetCdnDomainSSLCertificateResponse, error) {
	op, err := setSSLCertificate(req)
	if err != nil {
		return nil, err
	}
	resp := new(SetCdnDomainSSLCertificateResponse)
	return do(ctx, c, op, resp, &resp.RequestId)
}

func setSSLCertificate(req *SetCdnDomainSSLCertificateRequest) (operation, error) {
	if req == nil {
		return operation{}, errNilRequest()
	}
	var p params
	p.require("DomainName", req.DomainName)
	if req.SSLProtocol == "" {
		p.refuse("SSLProtocol", "", "is required")
	}
	p.setEnum("SSLProtocol", req.SSLProtocol, "on", "off")
	p.setEnum("CertType", req.CertType, "upload", "cas")
	p.set("CertName", req.CertName)
	if n := utf8.RuneCountInString(req.CertName); n > 128 {
		p.refuse("CertName", req.CertName, fmt.Sprintf("has %d characters, more than 128", n))
	}
	isOn, isStored := req.SSLProtocol == "on", req.CertType == "cas"
	if req.CertId == 0 && isOn && isStored {
		p.refuse("CertId", "", "is required with CertType cas")
	}
	p.setInt("CertId", req.CertId, 1, math.MaxInt64)
	p.setEnum("CertRegion", req.CertRegion, "cn-hangzhou", "ap-southeast-1")
	if req.SSLPub == "" && isOn && !isStored {
		p.refuse("SSLPub", "", "is required without CertType cas")
	}
	p.setText("SSLPub", req.SSLPub)
	if req.SSLPri == "" && isOn && !isStored {
		p.refuse("SSLPri", "", "is required without CertType cas")
	}
	p.setSecret("SSLPri", req.SSLPri)
	return p.operation("SetCdnDomainSSLCertificate")
}
