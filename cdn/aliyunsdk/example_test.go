package aliyunsdk_test

import (
	"context"
	"fmt"
	"log"
	"net/http"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth/credentials"

	"github.com/cdncsr/cdncsr/cdn"
	"github.com/cdncsr/cdncsr/cdn/aliyunsdk"
	"github.com/cdncsr/cdncsr/cdn/cdntest"
	"github.com/cdncsr/cdncsr/csr"
	"github.com/cdncsr/cdncsr/signer"
)

// The client signs with the credentials of an SDK's provider. Here a fake in
// this program answers; leave HTTPClient out to call the CDN.
func ExampleCredentials() {
	fake := &cdntest.API{Credentials: []signer.Credentials{{AccessKeyID: "testid", AccessKeySecret: "testsecret"}}}
	provider := credentials.NewStaticAKCredentialsProvider("testid", "testsecret") // or a role's, a profile's, OIDC's
	client, err := cdn.NewClient(aliyunsdk.Credentials(provider), &cdn.Options{HTTPClient: &http.Client{Transport: fake}})
	if err != nil {
		log.Fatal(err)
	}
	resp, err := client.CreateCdnCertificateSigningRequest(context.Background(), &csr.Request{CommonName: "example.com"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(resp.CommonName, resp.Origin)
	// Output: example.com CDN
}
