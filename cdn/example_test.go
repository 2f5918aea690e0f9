package cdn_test

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

// The CDN makes a key pair and a CSR for it. Here a fake in this program answers; leave HTTPClient out to ask the CDN, and take
// EnvCredentials.
func ExampleClient() {
	creds := signer.Credentials{AccessKeyID: "testid", AccessKeySecret: "testsecret"}
	fake := &cdntest.API{Credentials: []signer.Credentials{creds}}
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
	parsed, err := resp.CertificateRequest() // the client itself takes a CSR as it comes
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(parsed.Subject.CommonName, parsed.DNSNames)
	fmt.Println("the private key is with:", resp.Origin)
	// Output:
	// example.com [example.com www.example.com]
	// the private key is with: CDN
}

// Programs that choose by configuration hold a CSRCreator.
func ExampleCSRCreator() {
	newCreator := func(mode string) (cdn.CSRCreator, error) {
		if mode == "local" {
			return &csr.Generator{Keys: new(csr.MemStore), Source: csr.P256}, nil // DirStore where the keys are to last
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
