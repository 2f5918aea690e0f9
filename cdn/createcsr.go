package cdn

import (
	"context"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/cdncsr/cdncsr/csr"
)

// CreateCdnCertificateSigningRequest asks the CDN for a key pair and a CSR;
// the CDN keeps the private key. Only the fields that req sets are sent. Each
// call makes a new key pair, so a call that failed may have left an unused key
// at the service; it is safe to call again.
//
// A request that the service documents as wrong is refused with
// [csr.FieldErrors] before anything is sent; [csr.Request.Validate] checks
// more. See [Client] for the other errors. The answer is not checked: call
// [csr.Response.Check] to make sure that the CSR is for req.
//
// The service allows an account 100 calls a second.
//
// See https://www.alibabacloud.com/help/en/cdn/developer-reference/api-cdn-2018-05-10-createcdncertificatesigningrequest
func (c *Client) CreateCdnCertificateSigningRequest(ctx context.Context, req *csr.Request) (*csr.Response, error) {
	op, err := createCSR(req)
	if err != nil {
		return nil, err
	}
	resp := new(csr.Response)
	err = c.call(ctx, op, response{value: resp, id: &resp.RequestId, required: &resp.Csr, requiredName: "Csr"})
	if err != nil {
		return nil, err
	}
	resp.Origin = csr.OriginCDN
	return resp, nil
}

func createCSR(req *csr.Request) (operation, error) {
	if req == nil {
		return operation{}, errNilRequest()
	}
	var p params
	p.require("CommonName", req.CommonName)
	setSANs(&p, req.SANs)
	p.set("Organization", req.Organization)
	p.set("OrganizationUnit", req.OrganizationUnit)
	if n := utf8.RuneCountInString(req.Country); n != 0 && n != 2 && lineMistake(req.Country) == "" {
		p.refuse("Country", req.Country, "is not of 2 characters, such as CN")
	} else {
		p.set("Country", req.Country)
	}
	p.set("State", req.State)
	p.set("City", req.City)
	p.set("Email", req.Email)
	return p.operation("CreateCdnCertificateSigningRequest")
}

// setSANs joins sans with commas, as the service wants them.
func setSANs(p *params, sans []string) {
	for i, san := range sans {
		reason := lineMistake(san)
		switch {
		case san == "":
			reason = "is empty"
		case strings.Contains(san, ","):
			reason = "has a comma, which separates names on the wire"
		}
		if reason != "" {
			p.refuse("SANs["+strconv.Itoa(i)+"]", san, reason)
		}
	}
	p.setRaw("SANs", strings.Join(sans, ","))
}
