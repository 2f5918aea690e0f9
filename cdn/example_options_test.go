package cdn_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/cdncsr/cdncsr/cdn"
	"github.com/cdncsr/cdncsr/cdn/cdntest"
	"github.com/cdncsr/cdncsr/csr"
	"github.com/cdncsr/cdncsr/signer"
)

// cached returns a source that keeps credentials until a minute before they
// expire. The lock makes callers wait for one fetch instead of each making
// their own.
func cached(fetch func(context.Context) (signer.Credentials, time.Time, error)) cdn.CredentialFunc {
	var (
		mu      sync.Mutex
		creds   signer.Credentials
		expires time.Time
	)
	return func(ctx context.Context) (signer.Credentials, error) {
		mu.Lock()
		defer mu.Unlock()
		if time.Until(expires) > time.Minute {
			return creds, nil
		}
		var err error
		creds, expires, err = fetch(ctx)
		return creds, err
	}
}

// The client asks its source at each call, so a source that fetches
// credentials caches them.
func ExampleCredentialFunc() {
	temporary := signer.Credentials{AccessKeyID: "STS.id", AccessKeySecret: "secret", SecurityToken: "token"}
	source := cached(func(context.Context) (signer.Credentials, time.Time, error) { // a secret manager's client
		fmt.Println("fetched")
		return temporary, time.Now().Add(time.Hour), nil
	})
	fake := &cdntest.API{Credentials: []signer.Credentials{temporary}, Source: csr.P256} // in place of the CDN
	client, err := cdn.NewClient(source, &cdn.Options{HTTPClient: &http.Client{Transport: fake}})
	if err != nil {
		log.Fatal(err)
	}
	for range 2 {
		resp, err := client.CreateCdnCertificateSigningRequest(context.Background(), &csr.Request{CommonName: "example.com"})
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(resp.CommonName)
	}
	// Output:
	// fetched
	// example.com
	// example.com
}

// A client signs with ACS3-HMAC-SHA256, the signature of Alibaba Cloud's newer
// SDKs, if it is given that signer. Its parameters are in the URL, so the
// operation that uploads a private key is refused.
func ExampleOptions_signer() {
	creds := signer.Credentials{AccessKeyID: "testid", AccessKeySecret: "testsecret"}
	fake := &cdntest.API{ // in place of the CDN
		Credentials: []signer.Credentials{creds},
		Source:      csr.P256,
		OnRequest:   func(r cdntest.Request) { fmt.Println("signed with", r.Signature) },
	}
	client, err := cdn.NewClient(cdn.StaticCredentials(creds), &cdn.Options{
		HTTPClient: &http.Client{Transport: fake},
		Signer:     signer.ACS3{},
	})
	if err != nil {
		log.Fatal(err)
	}
	resp, err := client.CreateCdnCertificateSigningRequest(context.Background(), &csr.Request{CommonName: "example.com"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(resp.CommonName)
	// Output:
	// signed with ACS3
	// example.com
}

// Machines near Frankfurt use the endpoint that serves that region.
func ExampleEndpointForRegion() {
	for _, region := range []string{"eu-central-1", "cn-hangzhou"} {
		fmt.Println(region, cdn.EndpointForRegion(region))
	}
	_, err := cdn.NewClient(cdn.EnvCredentials(), &cdn.Options{Endpoint: cdn.EndpointForRegion("eu-central-1")})
	if err != nil {
		log.Fatal(err)
	}
	// Output:
	// eu-central-1 https://cdn.ap-southeast-1.aliyuncs.com
	// cn-hangzhou https://cdn.aliyuncs.com
}

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
