// Quickstart is the first program of the README. It makes a CSR for
// example.com; the environment variable CSR_MODE decides where.
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/cdncsr/cdncsr/cdn"
	"github.com/cdncsr/cdncsr/csr"
)

func main() {
	creator, err := newCreator(os.Getenv("CSR_MODE"))
	if err != nil {
		log.Fatal(err)
	}
	resp, err := request(context.Background(), creator, "example.com")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("CSR for %s, key %s (%s):\n%s", resp.CommonName, resp.PubMd5, resp.Origin, resp.Csr)
}

func newCreator(mode string) (cdn.CSRCreator, error) {
	client, err := cdn.NewClient(cdn.EnvCredentials(), &cdn.Options{Endpoint: os.Getenv("CDN_ENDPOINT")}) // "": the CDN's
	if err != nil {
		return nil, err
	}
	local := &csr.Generator{Keys: csr.DirStore{Path: "keys"}} // a file for each private key; keep them out of git
	switch mode {
	case "", "local":
		return local, nil
	case "remote":
		return client, nil
	case "fallback":
		return &cdn.Fallback{Primary: client, Secondary: local}, nil
	}
	return nil, fmt.Errorf("CSR_MODE %q: want local, remote or fallback", mode)
}

func request(ctx context.Context, c cdn.CSRCreator, domain string) (*csr.Response, error) {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	return c.CreateCdnCertificateSigningRequest(ctx, &csr.Request{CommonName: domain, SANs: []string{"www." + domain}})
}
