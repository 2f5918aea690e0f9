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

// order stands for the code under test. It takes any cdn.CSRCreator.
func order(ctx context.Context, creator cdn.CSRCreator, domain string) (csrText string, err error) {
	resp, err := creator.CreateCdnCertificateSigningRequest(ctx,
		&csr.Request{CommonName: domain, SANs: []string{"www." + domain}})
	if err != nil {
		return "", fmt.Errorf("order a certificate for %s: %w", domain, err)
	}
	return resp.Csr, nil
}

// A unit test without a socket uses the fake as the client's transport, makes
// it fail once, and prints what it was asked. A test that has a testing.TB can
// call NewServer and Server.NewClient instead.
func Example() {
	creds := signer.Credentials{AccessKeyID: "testid", AccessKeySecret: "testsecret"}
	fake := &cdntest.API{
		Credentials: []signer.Credentials{creds},
		Source:      csr.P256, // takes less time than RSA
		OnRequest: func(r cdntest.Request) {
			fmt.Println(r.Signature, r.Params["CommonName"], r.Params["SANs"], r.StatusCode)
		},
	}
	client, err := cdn.NewClient(cdn.StaticCredentials(creds), &cdn.Options{HTTPClient: &http.Client{Transport: fake}})
	if err != nil {
		log.Fatal(err)
	}

	fake.Inject(cdntest.Fault{Status: http.StatusServiceUnavailable, Code: "ServiceUnavailable"})
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

// A fault is for the next request, or for the next one that it matches.
func ExampleAPI_Inject() {
	creds := signer.Credentials{AccessKeyID: "testid", AccessKeySecret: "testsecret"}
	fake := &cdntest.API{Credentials: []signer.Credentials{creds}, Source: csr.P256}
	client, err := cdn.NewClient(cdn.StaticCredentials(creds), &cdn.Options{
		HTTPClient:  &http.Client{Transport: fake},
		MaxAttempts: 1,
	})
	if err != nil {
		log.Fatal(err)
	}

	named := func(domain string) func(map[string]string) bool {
		return func(params map[string]string) bool { return params["CommonName"] == domain }
	}
	fake.Inject(
		cdntest.Fault{Match: named("cut.example"), Drop: cdntest.DropConnection},
		cdntest.Fault{Match: named("denied.example"), Status: http.StatusForbidden, Code: "Forbidden.RAM"},
		cdntest.Fault{Match: named("proxy.example"), Status: http.StatusBadGateway, Body: []byte("<html>no upstream</html>")},
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
