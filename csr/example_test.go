package csr_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log"
	"math/big"
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

	// Output:
	// example.com local
	// [example.com www.example.com] SHA256-RSA
}

func ExampleRequest_Validate() {
	err := (&csr.Request{
		CommonName: "https://example.com/",
		SANs:       []string{"www.example.com", "192.168.1.1"},
		Country:    "CHN",
	}).Validate()

	if invalid, ok := errors.AsType[csr.FieldErrors](err); ok {
		for _, e := range invalid {
			fmt.Printf("%s %q %s\n", e.Field, e.Value, e.Reason)
		}
	}
	// Output:
	// CommonName "https://example.com/" is a URL: write only "example.com"
	// SANs[1] "192.168.1.1" is an IP address
	// Country "CHN" is not two letters A-Z as in ISO 3166-1
}

func ExampleRequest_Normalize() {
	req, err := (&csr.Request{
		CommonName: "Bücher.EXAMPLE",
		SANs:       []string{"www.bücher.example", "WWW.Bücher.Example"},
		Country:    "de",
	}).Normalize()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(req.CommonName, req.SANs, req.Country)
	// Output: xn--bcher-kva.example [www.xn--bcher-kva.example] DE
}

func ExampleResponse_Check() {
	key, err := csr.P256.NewKey(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	resp, err := csr.New(&csr.Request{CommonName: "example.com"}, key)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(resp.Check(&csr.Request{CommonName: "Example.com"}))
	fmt.Println(resp.Check(&csr.Request{CommonName: "example.com", SANs: []string{"www.example.com"}}))
	// Output:
	// <nil>
	// csr: check Csr: it lacks the name "www.example.com"
}

// issue returns a certificate for a CSR, as a CA does.
func issue(request *x509.CertificateRequest) (*x509.Certificate, error) {
	caKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: request.DNSNames}
	der, err := x509.CreateCertificate(rand.Reader, template, template, request.PublicKey, caKey)
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}

// The certificate is enough to find its key: the store's name of the key is the
// PubMD5 of the public key.
func ExampleDirStore_Get() {
	dir, err := os.MkdirTemp("", "keys")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	keys := csr.DirStore{Path: dir}

	g := csr.Generator{Keys: keys}
	resp, err := g.CreateCdnCertificateSigningRequest(context.Background(), &csr.Request{CommonName: "example.com"})
	if err != nil {
		log.Fatal(err)
	}
	request, err := resp.CertificateRequest()
	if err != nil {
		log.Fatal(err)
	}
	certificate, err := issue(request) // perhaps days later, in another process
	if err != nil {
		log.Fatal(err)
	}

	pubMd5, err := csr.PubMD5(certificate.PublicKey)
	if err != nil {
		log.Fatal(err)
	}
	key, err := keys.Get(context.Background(), pubMd5)
	if errors.Is(err, fs.ErrNotExist) {
		log.Fatal("the key is elsewhere, such as with the CDN")
	}
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%T\n", key)
	// Output: *rsa.PrivateKey
}

// An hsmKey is a key in an HSM: it signs there, and never leaves.
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
