package cdntest

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/cdncsr/cdncsr/csr"
)

// checkCreateCSR checks what the page of CreateCdnCertificateSigningRequest
// documents.
func checkCreateCSR(c *call) *problem {
	if c.params["CommonName"] == "" {
		return missing("CommonName")
	}
	if country := c.params["Country"]; country != "" && utf8.RuneCountInString(country) != 2 {
		return badRequest("InvalidValue.Malformed", "Country must be 2 characters.")
	}
	return nil
}

// createCSR generates a key pair, keeps the private key in Keys and answers
// with a CSR. How the service checks the other parameters is not documented;
// createCSR checks them as package csr does.
func createCSR(ctx context.Context, a *API, c *call) (any, *problem) {
	req := &csr.Request{
		CommonName:       c.params["CommonName"],
		Organization:     c.params["Organization"],
		OrganizationUnit: c.params["OrganizationUnit"],
		Country:          c.params["Country"],
		State:            c.params["State"],
		City:             c.params["City"],
		Email:            c.params["Email"],
	}
	if sans := c.params["SANs"]; sans != "" {
		req.SANs = strings.Split(sans, ",")
	}
	generator := csr.Generator{Keys: boundedStore{&a.Keys, &a.made}, Source: a.Source}
	resp, err := generator.CreateCdnCertificateSigningRequest(ctx, req)
	if errors.Is(err, csr.ErrInvalidRequest) {
		_, mistakes, _ := strings.Cut(err.Error(), "invalid request: ") // the client says that itself
		return nil, badRequest("InvalidParameter", mistakes)
	}
	if err != nil {
		return nil, &problem{http.StatusInternalServerError, "Internal.KeyError", "Failed to generate rsa key."}
	}
	resp.RequestId = c.requestID
	return resp, nil
}
