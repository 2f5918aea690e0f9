package cdn

import "context"

// SetCdnDomainCSRCertificateRequest holds the parameters of
// SetCdnDomainCSRCertificate.
type SetCdnDomainCSRCertificateRequest struct {
	DomainName        string // required; a wildcard domain is written .example.com
	ServerCertificate string // required: the certificate in PEM, encoded in base64 as documented
}

// SetCdnDomainCSRCertificateResponse holds the response parameters of
// SetCdnDomainCSRCertificate.
type SetCdnDomainCSRCertificateResponse struct{ RequestId string }

// SetCdnDomainCSRCertificate installs a certificate that a CA issued for a CSR
// of the CDN, which has the private key. The certificate is sent as it is in
// req; an [Installer] checks and encodes it. If the CDN does not have the key,
// the error matches [ErrKeyNotFound]. See [Client] for the other errors.
//
// The service allows an account 100 calls a second.
//
// See https://www.alibabacloud.com/help/en/cdn/developer-reference/api-cdn-2018-05-10-setcdndomaincsrcertificate
func (c *Client) SetCdnDomainCSRCertificate(ctx context.Context, req *SetCdnDomainCSRCertificateRequest) (*SetCdnDomainCSRCertificateResponse, error) {
	if req == nil {
		return nil, errNilRequest()
	}
	var p params
	p.require("DomainName", req.DomainName)
	p.requireText("ServerCertificate", req.ServerCertificate)
	op, err := p.operation("SetCdnDomainCSRCertificate")
	if err != nil {
		return nil, err
	}
	resp := new(SetCdnDomainCSRCertificateResponse)
	return do(ctx, c, op, resp, &resp.RequestId)
}
