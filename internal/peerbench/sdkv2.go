package main

import (
	"encoding/hex"
	"strings"

	openapi "github.com/alibabacloud-go/darabonba-openapi/v2/client"
	openapiutil "github.com/alibabacloud-go/darabonba-openapi/v2/utils"
	"github.com/alibabacloud-go/tea/dara"
)

const acs3 = "ACS3-HMAC-SHA256"

// newV2 returns the generic call of
// github.com/alibabacloud-go/darabonba-openapi, which the second SDK's typed
// calls use.
func newV2(address string) (contender, error) {
	client, err := openapi.NewClient(&openapi.Config{
		AccessKeyId: dara.String(accessKeyID), AccessKeySecret: dara.String(accessSecret),
		Endpoint: dara.String(strings.TrimPrefix(address, "http://")), Protocol: dara.String("http"),
	})
	params := v2Params(actionName)
	return contender{name: sdkV2, do: func() error {
		request := &openapi.OpenApiRequest{Query: newV2Request(address, parameters).Query}
		result, err := client.CallApi(params, request, &dara.RuntimeOptions{})
		if err != nil {
			return err
		}
		if body, _ := result["body"].(map[string]any); body["Csr"] == nil {
			return errNoCSR
		}
		return nil
	}}, err
}

func v2Params(action string) *openapi.Params {
	return &openapi.Params{
		Action: dara.String(action), Version: dara.String(actionVersion), Protocol: dara.String("HTTP"),
		Pathname: dara.String("/"), Method: dara.String("POST"), AuthType: dara.String("AK"), Style: dara.String("RPC"),
		ReqBodyType: dara.String("formData"), BodyType: dara.String("json"),
	}
}

// newV2Signer returns what signs a request whose parameters are set. It makes
// the time, the nonce and the hash of the empty body, but no http.Request.
func newV2Signer() (contender, error) {
	request := newV2Request(endpoint.Host, parameters)
	return contender{name: sdkV2, base: sdkV2, do: func() error {
		hash := dara.String(hex.EncodeToString(openapiutil.Hash(nil, dara.String(acs3))))
		request.Headers["x-acs-date"] = openapiutil.GetTimestamp()
		request.Headers["x-acs-signature-nonce"] = openapiutil.GetNonce()
		request.Headers["x-acs-content-sha256"] = hash
		request.Headers["Authorization"] = openapiutil.GetAuthorization(
			request, dara.String(acs3), hash, dara.String(accessKeyID), dara.String(accessSecret))
		return nil
	}}, nil
}

// newV2Request returns the second SDK's request, not signed.
func newV2Request(host string, params map[string]string) *dara.Request {
	request := dara.NewRequest()
	request.Method, request.Pathname = dara.String("POST"), dara.String("/")
	request.Query = map[string]*string{}
	for name, value := range params {
		request.Query[name] = dara.String(value)
	}
	request.Headers = map[string]*string{
		"host": dara.String(host), "x-acs-version": dara.String(actionVersion), "x-acs-action": dara.String(actionName),
	}
	return request
}
