// Command client makes the call by this library, without keys of its own.
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
	answer, err := client.CreateCdnCertificateSigningRequest(context.Background(), &csr.Request{CommonName: "example.com"})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(answer.Csr)
}
