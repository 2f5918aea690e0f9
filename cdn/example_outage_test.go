package cdn_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"time"

	"github.com/cdncsr/cdncsr/cdn"
	"github.com/cdncsr/cdncsr/cdn/cdntest"
	"github.com/cdncsr/cdncsr/csr"
	"github.com/cdncsr/cdncsr/signer"
)

// This machine makes the CSR while the CDN is unavailable.
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
		Secondary: &csr.Generator{Keys: new(csr.MemStore)}, // csr.DirStore keeps the keys on disk
		OnFallback: func(_ context.Context, err error) {
			fmt.Println("the CDN is unavailable:", errors.Is(err, cdn.ErrUnavailable))
		},
	}

	fake.Inject(cdntest.Fault{Status: http.StatusServiceUnavailable, Code: "ServiceUnavailable"}) // for one call
	for range 2 {
		resp, err := creator.CreateCdnCertificateSigningRequest(context.Background(), &csr.Request{CommonName: "example.com"})
		if err != nil {
			log.Fatal(err)
		}
		switch resp.Origin { // once a CA has signed the CSR
		case csr.OriginLocal:
			fmt.Println("install it by SetCdnDomainSSLCertificate, with the key in the store")
		case csr.OriginCDN:
			fmt.Println("install it by SetCdnDomainCSRCertificate")
		}
	}
	// Output:
	// the CDN is unavailable: true
	// install it by SetCdnDomainSSLCertificate, with the key in the store
	// install it by SetCdnDomainCSRCertificate
}

// PrimaryTimeout bounds how long a CDN that swallows packets holds up a call.
// Without it, Primary has half of the time until the deadline.
func ExampleFallback_primaryTimeout() {
	silent := creator(func(ctx context.Context, _ *csr.Request) (*csr.Response, error) {
		<-ctx.Done() // in place of a CDN that swallows packets
		return nil, ctx.Err()
	})
	creator := &cdn.Fallback{
		Primary:        silent,
		Secondary:      &csr.Generator{Keys: new(csr.MemStore), Source: csr.P256},
		PrimaryTimeout: 50 * time.Millisecond, // a few seconds in a program
		OnFallback:     func(_ context.Context, err error) { fmt.Println(err) },
	}
	resp, err := creator.CreateCdnCertificateSigningRequest(context.Background(), &csr.Request{CommonName: "example.com"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("made:", resp.Origin)
	// Output:
	// cdn: unavailable: no answer within PrimaryTimeout, 50ms: context deadline exceeded
	// made: local
}

// With a Breaker in front of the client, only the first calls of an outage take
// the client's attempts.
func ExampleBreaker() {
	creds := signer.Credentials{AccessKeyID: "testid", AccessKeySecret: "testsecret"}
	fake := &cdntest.API{Credentials: []signer.Credentials{creds}} // in place of the CDN
	client, err := cdn.NewClient(cdn.StaticCredentials(creds), &cdn.Options{
		HTTPClient:  &http.Client{Transport: fake},
		MaxAttempts: 1,
		OnAttempt:   func(_ context.Context, a cdn.Attempt) { fmt.Println("the CDN answered", a.StatusCode) },
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
	// the CDN answered 502
	// made: local
	// the CDN answered 502
	// made: local
	// made: local
	// made: local
	// open: true
}
