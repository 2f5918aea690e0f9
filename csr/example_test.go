package csr_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log"
	"os"

	"github.com/cdncsr/cdncsr/csr"
)

func Example() {
	dir, err := os.MkdirTemp("", "keys")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)

	g := csr.Generator{Keys: csr.DirStore{Path: dir}}
	resp, err := g.CreateCdnCertificateSigningRequest(context.Background(), &csr.Request{
		CommonName: "example.com",
		SANs:       []string{"www.example.com"},
	})
	if err != nil {
		log.Fatal(err)
	}
	request, err := resp.CertificateRequest()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(resp.CommonName, resp.Origin)
	fmt.Println(request.DNSNames, request.SignatureAlgorithm)

	key, err := g.Keys.Get(context.Background(), resp.PubMd5) // when the certificate is there
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%T\n", key)
	// Output:
	// example.com local
	// [example.com www.example.com] SHA256-RSA
	// *rsa.PrivateKey
}

func ExampleRequest_Validate() {
	err := (&csr.Request{
		CommonName: "https://example.com/",
		SANs:       []string{"www.example.com", "192.168.1.1"},
		Country:    "CHN",
	}).Validate()

	var mistakes csr.FieldErrors
	if errors.As(err, &mistakes) {
		for _, m := range mistakes {
			fmt.Printf("%s %q %s\n", m.Field, m.Value, m.Reason)
		}
	}
	// Output:
	// CommonName "https://example.com/" is a URL: write only "example.com"
	// SANs[1] "192.168.1.1" is an IP address
	// Country "CHN" is not two letters A-Z as in ISO 3166-1
}

// hsmKey is a key in an HSM: it can be asked to sign, and never leaves.
type hsmKey struct{ inside *ecdsa.PrivateKey }

func (k hsmKey) Public() crypto.PublicKey { return k.inside.Public() }

func (k hsmKey) Sign(rand io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	return k.inside.Sign(rand, digest, opts)
}

func ExampleNew() {
	inside, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		log.Fatal(err)
	}
	resp, err := csr.New(&csr.Request{CommonName: "Bücher.example"}, hsmKey{inside})
	if err != nil {
		log.Fatal(err)
	}
	request, err := resp.CertificateRequest()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(resp.CommonName, request.SignatureAlgorithm)
	// Output: xn--bcher-kva.example ECDSA-SHA384
}

func ExamplePool() {
	pool, err := csr.NewPool(csr.RSA2048, 4) // starts to make keys
	if err != nil {
		log.Fatal(err)
	}
	defer pool.Close()

	g := csr.Generator{Keys: new(csr.MemStore), Source: pool}
	for _, name := range []string{"a.example", "b.example"} {
		resp, err := g.CreateCdnCertificateSigningRequest(context.Background(), &csr.Request{CommonName: name})
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(resp.CommonName)
	}
	// Output:
	// a.example
	// b.example
}

func ExampleLint() {
	key, err := csr.P256.NewKey(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	resp, err := csr.New(&csr.Request{CommonName: "*.co.uk"}, key)
	if err != nil {
		log.Fatal(err)
	}
	for _, finding := range csr.Lint([]byte(resp.Csr)) {
		fmt.Println(finding)
	}
	// Output:
	// subject-ou: subject.OU: no certificate has had a unit since 2022 (changed by BR 7.1.2.7.2 to 7.1.2.7.4)
	// name-wildcard: SAN[0]: "*.co.uk" covers every domain under the public suffix "co.uk" (refused by BR 3.2.2.6)
}
