package cdn_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"time"

	"github.com/cdncsr/cdncsr/cdn"
	"github.com/cdncsr/cdncsr/cdn/cdntest"
	"github.com/cdncsr/cdncsr/csr"
	"github.com/cdncsr/cdncsr/signer"
)

// A CSR for a domain, from the CDN, or from this machine if the CDN can't be
// reached. Here a fake in this program answers: leave HTTPClient out to call the
// CDN, and use EnvCredentials.
func Example() {
	creds := signer.Credentials{AccessKeyID: "testid", AccessKeySecret: "testsecret"}
	fake := &cdntest.API{Credentials: []signer.Credentials{creds}}
	client, err := cdn.NewClient(cdn.StaticCredentials(creds), &cdn.Options{HTTPClient: &http.Client{Transport: fake}})
	if err != nil {
		log.Fatal(err)
	}
	creator := &cdn.Fallback{
		Primary:   client,
		Secondary: &csr.Generator{Keys: new(csr.MemStore)}, // csr.DirStore keeps the keys on disk
	}

	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	resp, err := creator.CreateCdnCertificateSigningRequest(ctx, &csr.Request{
		CommonName: "example.com",
		SANs:       []string{"www.example.com"},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("a CSR for", resp.CommonName)
	fmt.Println("the private key is with:", resp.Origin)
	// Output:
	// a CSR for example.com
	// the private key is with: CDN
}

// The CDN makes a key pair and a CSR for it.
func ExampleClient() {
	creds := signer.Credentials{AccessKeyID: "testid", AccessKeySecret: "testsecret"}
	fake := &cdntest.API{Credentials: []signer.Credentials{creds}} // in place of the CDN
	client, err := cdn.NewClient(cdn.StaticCredentials(creds), &cdn.Options{HTTPClient: &http.Client{Transport: fake}})
	if err != nil {
		log.Fatal(err)
	}

	resp, err := client.CreateCdnCertificateSigningRequest(context.Background(), &csr.Request{
		CommonName: "example.com",
		SANs:       []string{"www.example.com"},
	})
	if err != nil {
		log.Fatal(err)
	}
	parsed, err := resp.CertificateRequest() // the client itself does not parse the CSR
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(parsed.Subject.CommonName, parsed.DNSNames)
	fmt.Println("the private key is with:", resp.Origin)
	// Output:
	// example.com [example.com www.example.com]
	// the private key is with: CDN
}

// A program that is configured to use one place or the other has a CSRCreator.
func ExampleCSRCreator() {
	newCreator := func(mode string) (cdn.CSRCreator, error) {
		if mode == "local" {
			return &csr.Generator{Keys: new(csr.MemStore), Source: csr.P256}, nil // csr.DirStore keeps the keys on disk
		}
		return cdn.NewClient(cdn.EnvCredentials(), nil)
	}

	creator, err := newCreator("local")
	if err != nil {
		log.Fatal(err)
	}
	resp, err := creator.CreateCdnCertificateSigningRequest(context.Background(), &csr.Request{CommonName: "example.com"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(resp.CommonName, resp.Origin)
	// Output: example.com local
}
