package cdntest_test

import (
	"context"
	"fmt"
	"log"
	"net/http"

	"github.com/cdncsr/cdncsr/cdn"
	"github.com/cdncsr/cdncsr/cdn/cdntest"
	"github.com/cdncsr/cdncsr/csr"
	"github.com/cdncsr/cdncsr/signer"
)

// order stands for the code that is to be tested: it takes whoever makes CSRs.
func order(ctx context.Context, creator cdn.CSRCreator, domain string) (csrText string, err error) {
	resp, err := creator.CreateCdnCertificateSigningRequest(ctx, &csr.Request{CommonName: domain, SANs: []string{"www." + domain}})
	if err != nil {
		return "", fmt.Errorf("order a certificate for %s: %w", domain, err)
	}
	return resp.Csr, nil
}

// A unit test without a socket: the fake is the client's transport, is told to fail once, and tells what it was asked. In a test
// with a testing.TB, NewServer and its NewClient do the first half.
func Example() {
	creds := signer.Credentials{AccessKeyID: "testid", AccessKeySecret: "testsecret"}
	fake := &cdntest.API{
		Credentials: []signer.Credentials{creds},
		Source:      csr.P256, // takes less time than RSA
		OnCall: func(call cdntest.Call) {
			fmt.Println(call.Signature, call.CommonName, call.SANs, call.StatusCode)
		},
	}
	client, err := cdn.NewClient(cdn.StaticCredentials(creds), &cdn.Options{HTTPClient: &http.Client{Transport: fake}})
	if err != nil {
		log.Fatal(err)
	}

	fake.Script(cdntest.Fault{Status: http.StatusServiceUnavailable, Code: "ServiceUnavailable"})
	text, err := order(context.Background(), client, "example.com")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(text[:35])
	// Output:
	// RPC example.com www.example.com 503
	// RPC example.com www.example.com 200
	// -----BEGIN CERTIFICATE REQUEST-----
}

// Faults are for the next calls, or for those of one name.
func ExampleAPI_Script() {
	creds := signer.Credentials{AccessKeyID: "testid", AccessKeySecret: "testsecret"}
	fake := &cdntest.API{Credentials: []signer.Credentials{creds}, Source: csr.P256}
	client, err := cdn.NewClient(cdn.StaticCredentials(creds), &cdn.Options{
		HTTPClient:  &http.Client{Transport: fake},
		MaxAttempts: 1,
	})
	if err != nil {
		log.Fatal(err)
	}

	fake.Script(
		cdntest.Fault{CommonName: "cut.example", Cut: cdntest.CutBefore},
		cdntest.Fault{CommonName: "denied.example", Status: http.StatusForbidden, Code: "Forbidden.RAM"},
		cdntest.Fault{CommonName: "proxy.example", Status: http.StatusBadGateway, Body: []byte("<html>no upstream</html>")},
	)
	for _, domain := range []string{"proxy.example", "denied.example", "cut.example", "fine.example"} {
		_, err := order(context.Background(), client, domain)
		fmt.Println(domain, err == nil)
	}
	// Output:
	// proxy.example false
	// denied.example false
	// cut.example false
	// fine.example true
}
