package main

import (
	"github.com/cdncsr/cdncsr/csr"
	"github.com/cdncsr/cdncsr/signer"
)

// A contender is one way to do what is measured.
type contender struct {
	name string
	base string       // the contender whose CPU time it is compared with
	do   func() error // does it once
}

// Names of contenders, as the tables show them.
const (
	floorName      = "net/http alone"
	byHand         = "written by hand"
	libraryRPC     = "this library, RPC"
	libraryACS3    = "this library, ACS3"
	sdkV1          = "SDK v1"
	sdkV2          = "SDK v2 (darabonba)"
	accessKeyID    = "testid"
	accessSecret   = "testsecret"
	actionName     = "CreateCdnCertificateSigningRequest"
	actionVersion  = "2018-05-10"
	requestedNames = "www.example.com,*.example.com"
)

// The call of all contenders.
var (
	asked = csr.Request{
		CommonName: "example.com", SANs: []string{"www.example.com", "*.example.com"},
		Organization: "Example & Co", Country: "CN", State: "Zhejiang", City: "Hangzhou",
	}
	parameters = map[string]string{
		"CommonName": "example.com", "SANs": requestedNames,
		"Organization": "Example & Co", "Country": "CN", "State": "Zhejiang", "City": "Hangzhou",
	}
	creds = signer.Credentials{AccessKeyID: accessKeyID, AccessKeySecret: accessSecret}
)

// newClients returns whole calls of the service at url.
func newClients(url string) ([]contender, error) {
	var all []contender
	for _, build := range []func(url string) (contender, error){newFloor, newByHand, newLibraryRPC, newLibraryACS3, newV1, newV2} {
		c, err := build(url)
		if err != nil {
			return nil, err
		}
		c.base = floorName
		all = append(all, c)
	}
	return all, nil
}

// newSigners returns what signs without sending: each SDK, and this library's
// signer of the same signature, which builds the http.Request too.
func newSigners() ([]contender, error) {
	var all []contender
	for _, build := range []func() (contender, error){newV1Signer, newRPCSigner, newV2Signer, newACS3Signer} {
		c, err := build()
		if err != nil {
			return nil, err
		}
		all = append(all, c)
	}
	return all, nil
}
