package cdn_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"

	"github.com/cdncsr/cdncsr/cdn"
	"github.com/cdncsr/cdncsr/cdn/cdntest"
	"github.com/cdncsr/cdncsr/csr"
	"github.com/cdncsr/cdncsr/signer"
)

// This machine makes the CSR while the CDN can't.
func ExampleFallback() {
	creds := signer.Credentials{AccessKeyID: "testid", AccessKeySecret: "testsecret"}
	fake := &cdntest.API{Credentials: []signer.Credentials{creds}} // in place of the CDN
	client, err := cdn.NewClient(cdn.StaticCredentials(creds), &cdn.Options{
		HTTPClient:  &http.Client{Transport: fake},
		MaxAttempts: 1,
	})
	if err != nil {
		log.Fatal(err)
	}
	creator := &cdn.Fallback{
		Primary:   client,
		Secondary: &csr.Generator{Keys: new(csr.MemStore)}, // DirStore where the keys are to last
		OnFallback: func(_ context.Context, err error) {
			fmt.Println("not made by the CDN, unavailable:", errors.Is(err, cdn.ErrUnavailable))
		},
	}

	fake.Inject(cdntest.Fault{Status: http.StatusServiceUnavailable, Code: "ServiceUnavailable"}) // for one call
	for range 2 {
		resp, err := creator.CreateCdnCertificateSigningRequest(context.Background(), &csr.Request{CommonName: "example.com"})
		if err != nil {
			log.Fatal(err)
		}
		switch resp.Origin { // what follows once a CA has signed the CSR
		case csr.OriginLocal:
			fmt.Println("to be installed by SetCdnDomainSSLCertificate with the key of the store")
		case csr.OriginCDN:
			fmt.Println("to be installed by SetCdnDomainCSRCertificate")
		}
	}
	// Output:
	// not made by the CDN, unavailable: true
	// to be installed by SetCdnDomainSSLCertificate with the key of the store
	// to be installed by SetCdnDomainCSRCertificate
}

// A Breaker before the Fallback: in an outage only the first calls cost the attempts of the client.
func ExampleBreaker() {
	creds := signer.Credentials{AccessKeyID: "testid", AccessKeySecret: "testsecret"}
	fake := &cdntest.API{Credentials: []signer.Credentials{creds}} // in place of the CDN
	client, err := cdn.NewClient(cdn.StaticCredentials(creds), &cdn.Options{
		HTTPClient:  &http.Client{Transport: fake},
		MaxAttempts: 1,
		OnAttempt:   func(_ context.Context, a cdn.Attempt) { fmt.Println("asked the CDN:", a.StatusCode) },
	})
	if err != nil {
		log.Fatal(err)
	}
	breaker, err := cdn.NewBreaker(client, &cdn.BreakerOptions{Failures: 2})
	if err != nil {
		log.Fatal(err)
	}
	creator := &cdn.Fallback{Primary: breaker, Secondary: &csr.Generator{Keys: new(csr.MemStore), Source: csr.P256}}

	outage := cdntest.Fault{Status: http.StatusBadGateway}
	fake.Inject(outage, outage)
	for range 4 {
		resp, err := creator.CreateCdnCertificateSigningRequest(context.Background(), &csr.Request{CommonName: "example.com"})
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println("made:", resp.Origin)
	}
	fmt.Println("open:", breaker.IsOpen())
	// Output:
	// asked the CDN: 502
	// made: local
	// asked the CDN: 502
	// made: local
	// made: local
	// made: local
	// open: true
}
