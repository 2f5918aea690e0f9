// Command sdkv1 makes the call by github.com/aliyun/alibaba-cloud-sdk-go.
package main

import (
	"fmt"
	"os"

	"github.com/aliyun/alibaba-cloud-sdk-go/services/cdn"
)

func main() {
	client, err := cdn.NewClientWithAccessKey(
		"cn-hangzhou", os.Getenv("ALIBABA_CLOUD_ACCESS_KEY_ID"), os.Getenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET"))
	if err != nil {
		fmt.Println(err)
		return
	}
	request := cdn.CreateCreateCdnCertificateSigningRequestRequest()
	request.Domain = os.Getenv("ENDPOINT")
	request.CommonName = "example.com"
	answer, err := client.CreateCdnCertificateSigningRequest(request)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(answer.Csr)
}
