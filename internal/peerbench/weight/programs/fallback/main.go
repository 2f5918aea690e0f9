// Command fallback makes the call by this library, and the CSR on this machine
// if the CDN is unavailable.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/cdncsr/cdncsr/cdn"
	"github.com/cdncsr/cdncsr/csr"
)

func main() {
	client, err := cdn.NewClient(cdn.EnvCredentials(), &cdn.Options{Endpoint: os.Getenv("ENDPOINT")})
	if err != nil {
		fmt.Println(err)
		return
	}
	local := &csr.Generator{Keys: csr.DirStore{Path: "keys"}}
	creator := &cdn.Fallback{Primary: client, Secondary: local}
	answer, err := creator.CreateCdnCertificateSigningRequest(context.Background(), &csr.Request{CommonName: "example.com"})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(answer.Csr)
}
