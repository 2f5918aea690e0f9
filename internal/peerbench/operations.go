package main

import (
	"context"
	"errors"
	"strings"

	"github.com/cdncsr/cdncsr/cdn"
	"github.com/cdncsr/cdncsr/signer"
)

// setAction is the operation that is compared with the first one.
const setAction = "SetCdnDomainCSRCertificate"

// setRequest has a certificate that makes its parameters as long as those of
// the first operation.
var setRequest = cdn.SetCdnDomainCSRCertificateRequest{
	DomainName: "example.com", ServerCertificate: strings.Repeat("Q", size(parameters)-len("example.com")),
}

// size returns the length of all values.
func size(params map[string]string) (n int) {
	for _, value := range params {
		n += len(value)
	}
	return n
}

// newOperations returns the calls of two operations by one client of this
// library.
func newOperations(address string) ([]contender, error) {
	client, err := newClient(address, signer.RPC{})
	if err != nil {
		return nil, err
	}
	create := func() error {
		resp, err := client.CreateCdnCertificateSigningRequest(context.Background(), &asked)
		if err == nil && resp.Csr == "" {
			err = errNoCSR
		}
		return err
	}
	set := func() error {
		resp, err := client.SetCdnDomainCSRCertificate(context.Background(), &setRequest)
		if err == nil && resp.RequestId == "" {
			err = errors.New("the answer has no request ID")
		}
		return err
	}
	return []contender{{actionName, actionName, create}, {setAction, actionName, set}}, nil
}
