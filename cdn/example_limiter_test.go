package cdn_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"time"

	"golang.org/x/time/rate"

	"github.com/cdncsr/cdncsr/cdn"
	"github.com/cdncsr/cdncsr/cdn/cdntest"
	"github.com/cdncsr/cdncsr/csr"
	"github.com/cdncsr/cdncsr/signer"
)

// The CDN limits an account, so the clients of one account share a limiter. This
// one allows two calls an hour, so that the third can't be in time.
func ExampleLimiter() {
	limiter := rate.NewLimiter(2.0/3600, 2) // rate.NewLimiter(100, 1) for an account that nothing else uses
	creds := signer.Credentials{AccessKeyID: "testid", AccessKeySecret: "testsecret"}
	fake := &cdntest.API{Credentials: []signer.Credentials{creds}} // in place of the CDN
	newClient := func(s signer.Signer) *cdn.Client {
		client, err := cdn.NewClient(cdn.StaticCredentials(creds), &cdn.Options{
			HTTPClient: &http.Client{Transport: fake},
			Signer:     s,
			Limiter:    limiter,
		})
		if err != nil {
			log.Fatal(err)
		}
		return client
	}
	first, second := newClient(signer.RPC{}), newClient(signer.ACS3{})

	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for _, client := range []*cdn.Client{first, second, first} {
		_, err := client.CreateCdnCertificateSigningRequest(ctx, &csr.Request{CommonName: "example.com"})
		fmt.Println("throttled:", errors.Is(err, cdn.ErrThrottled))
	}
	// Output:
	// throttled: false
	// throttled: false
	// throttled: true
}
