package main

import (
	"strings"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth/credentials"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"
	sdkcdn "github.com/aliyun/alibaba-cloud-sdk-go/services/cdn"
)

// newV1 returns the typed call of github.com/aliyun/alibaba-cloud-sdk-go, with
// its default transport.
func newV1(address string) (contender, error) {
	client, err := newSDKClient()
	return contender{name: sdkV1, do: func() error {
		request := sdkcdn.CreateCreateCdnCertificateSigningRequestRequest()
		request.Domain = strings.TrimPrefix(address, "http://")
		request.CommonName, request.SANs = asked.CommonName, requestedNames
		request.Organization, request.Country, request.State, request.City = asked.Organization, asked.Country, asked.State, asked.City
		resp, err := client.CreateCdnCertificateSigningRequest(request)
		if err == nil && resp.Csr == "" {
			err = errNoCSR
		}
		return err
	}}, err
}

func newSDKClient() (*sdkcdn.Client, error) {
	return sdkcdn.NewClientWithAccessKey("cn-hangzhou", accessKeyID, accessSecret)
}

// newV1Signer returns what signs a request whose parameters are set. It makes
// no http.Request.
func newV1Signer() (contender, error) {
	provider := credentials.NewStaticAKCredentialsProvider(accessKeyID, accessSecret)
	request := &requests.RpcRequest{}
	request.InitWithApiInfo("Cdn", actionVersion, actionName, "", "")
	for name, value := range parameters {
		request.QueryParams[name] = value
	}
	return contender{name: sdkV1, base: sdkV1, do: func() error {
		return auth.Sign(request, nil, "cn-hangzhou", provider)
	}}, nil
}
