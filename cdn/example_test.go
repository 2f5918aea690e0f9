package cdn_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"time"

	"github.com/jarcoal/httpmock"

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

// errors.Is says what to correct: the request, the credentials, or nothing.
// errors.As has the details.
func ExampleError() {
	right := signer.Credentials{AccessKeyID: "testid", AccessKeySecret: "testsecret"}
	wrong := signer.Credentials{AccessKeyID: "testid", AccessKeySecret: "mistyped"}
	fake := &cdntest.API{Credentials: []signer.Credentials{right}} // in place of the CDN
	client, err := cdn.NewClient(cdn.StaticCredentials(wrong), &cdn.Options{HTTPClient: &http.Client{Transport: fake}})
	if err != nil {
		log.Fatal(err)
	}

	for _, country := range []string{"CHN", "CN"} {
		_, err = client.CreateCdnCertificateSigningRequest(context.Background(), &csr.Request{
			CommonName: "example.com",
			Country:    country,
		})
		switch {
		case errors.Is(err, cdn.ErrInvalidRequest):
			var mistakes csr.FieldErrors // if it was refused before it was sent
			if errors.As(err, &mistakes) {
				fmt.Println("correct the field", mistakes[0].Field+":", mistakes[0].Reason)
			}
		case errors.Is(err, cdn.ErrDenied):
			var refused *cdn.Error
			if errors.As(err, &refused) {
				fmt.Println("refused:", refused.StatusCode, refused.Code, "after", refused.Attempts, "attempt")
			}
		case errors.Is(err, cdn.ErrThrottled), errors.Is(err, cdn.ErrUnavailable):
			fmt.Println("try later")
		}
	}
	// Output:
	// correct the field Country: is not of 2 characters, such as CN
	// refused: 400 SignatureDoesNotMatch after 1 attempt
}

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
