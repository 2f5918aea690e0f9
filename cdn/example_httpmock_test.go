package cdn_test

import (
	"context"
	"fmt"
	"log"
	"net/http"

	"github.com/jarcoal/httpmock"

	"github.com/cdncsr/cdncsr/cdn"
	"github.com/cdncsr/cdncsr/csr"
	"github.com/cdncsr/cdncsr/signer"
)

// A unit test with httpmock gives its transport to the client:
// httpmock.Activate does not reach a client that has its own. The mock checks
// nothing of what is sent; package cdntest does.
func ExampleNewClient_httpmock() {
	mock := httpmock.NewMockTransport()
	mock.RegisterResponder("POST", "https://cdn.aliyuncs.com/", httpmock.NewStringResponder(http.StatusOK,
		`{"RequestId": "0AEDAF20", "CommonName": "example.com", "Csr": "any CSR", "PubMd5": "629bf4fd"}`))

	creds := signer.Credentials{AccessKeyID: "testid", AccessKeySecret: "testsecret"}
	client, err := cdn.NewClient(cdn.StaticCredentials(creds), &cdn.Options{HTTPClient: &http.Client{Transport: mock}})
	if err != nil {
		log.Fatal(err)
	}
	resp, err := client.CreateCdnCertificateSigningRequest(context.Background(), &csr.Request{CommonName: "example.com"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(resp.Csr, "after", mock.GetTotalCallCount(), "call")
	// Output: any CSR after 1 call
}
