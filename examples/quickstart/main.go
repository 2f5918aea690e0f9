// Quickstart is the first program of the README: it makes a CSR wherever the environment says.
package main

import (
	"context"
	"fmt"
	"log"
	"log/slog"
	"os"

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

// newCreator decides who makes CSRs. The rest of the program sees the interface alone.
func newCreator(mode string) (cdn.CSRCreator, error) {
	client, err := cdn.NewClient(cdn.EnvCredentials(), &cdn.Options{Endpoint: os.Getenv("CDN_ENDPOINT")}) // empty: the CDN's
	if err != nil {
		return nil, err
	}
	local := &csr.Generator{Keys: csr.DirStore{Path: "keys"}} // one file per private key; keep them out of git
	switch mode {
	case "", "local":
		return local, nil
	case "remote":
		return client, nil
	case "fallback":
		return &cdn.Fallback{Primary: client, Secondary: local, OnFallback: func(ctx context.Context, err error) {
			slog.WarnContext(ctx, "the CDN could not serve, this machine makes the CSR", "error", err)
		}}, nil
	}
	return nil, fmt.Errorf("CSR_MODE %q: want local, remote or fallback", mode)
}

// request asks for a CSR for a domain and its www name.
func request(ctx context.Context, creator cdn.CSRCreator, domain string) (*csr.Response, error) {
	return creator.CreateCdnCertificateSigningRequest(ctx, &csr.Request{CommonName: domain, SANs: []string{"www." + domain}})
}
