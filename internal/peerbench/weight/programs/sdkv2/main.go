// Command sdkv2 makes the call by the generic client of
// github.com/alibabacloud-go/darabonba-openapi.
package main

import (
	"fmt"
	"os"

	openapi "github.com/alibabacloud-go/darabonba-openapi/v2/client"
	"github.com/alibabacloud-go/tea/dara"
)

func main() {
	client, err := openapi.NewClient(&openapi.Config{
		AccessKeyId: dara.String(os.Getenv("ALIBABA_CLOUD_ACCESS_KEY_ID")), AccessKeySecret: dara.String(os.Getenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET")),
		Endpoint: dara.String(os.Getenv("ENDPOINT")),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	params := &openapi.Params{
		Action: dara.String("CreateCdnCertificateSigningRequest"), Version: dara.String("2018-05-10"), Protocol: dara.String("HTTPS"),
		Pathname: dara.String("/"), Method: dara.String("POST"), AuthType: dara.String("AK"), Style: dara.String("RPC"),
		ReqBodyType: dara.String("formData"), BodyType: dara.String("json"),
	}
	request := &openapi.OpenApiRequest{Query: map[string]*string{"CommonName": dara.String("example.com")}}
	answer, err := client.CallApi(params, request, &dara.RuntimeOptions{})
	fmt.Println(answer, err)
}
