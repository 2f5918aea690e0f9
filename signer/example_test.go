package signer_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/cdncsr/cdncsr/signer"
)

// Sign a call, then send the request with any HTTP client.
func Example() {
	endpoint := &url.URL{Scheme: "https", Host: "ecs.aliyuncs.com"}
	call := signer.Call{Action: "DescribeRegions", Version: "2014-05-26", Format: "XML"}
	in := signer.Input{
		Credentials: signer.Credentials{AccessKeyID: "testid", AccessKeySecret: "testsecret"},
		Time:        time.Date(2016, 2, 23, 12, 46, 24, 0, time.UTC), // leave it zero for the time of the call
		Nonce:       "3ee8c1b8-83d3-44af-a94f-4e0ad82fd6cf",          // leave it empty for a random one
	}
	req, err := signer.RPC{Method: http.MethodGet}.Sign(context.Background(), endpoint, call, in)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(req.Method, req.URL.Host, req.URL.Query().Get("Signature"))
	// Output: GET ecs.aliyuncs.com OLeaidS1JvxuMvnyHOwuJ+uX5qY=
}

// ACS3 sends the parameters in the URL and the signature in a header. The
// values are those of Alibaba Cloud's own example.
func ExampleACS3() {
	endpoint := &url.URL{Scheme: "https", Host: "ecs.cn-shanghai.aliyuncs.com"}
	call := signer.Call{
		Action: "RunInstances", Version: "2014-05-26",
		Params: map[string]string{
			"ImageId":  "win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd",
			"RegionId": "cn-shanghai",
		},
	}
	in := signer.Input{
		Credentials: signer.Credentials{AccessKeyID: "YourAccessKeyId", AccessKeySecret: "YourAccessKeySecret"},
		Time:        time.Date(2023, 10, 26, 10, 22, 32, 0, time.UTC),
		Nonce:       "3156853299f313e23d1673dc12e1703d",
	}
	req, err := signer.ACS3{}.Sign(context.Background(), endpoint, call, in)
	if err != nil {
		fmt.Println(err)
		return
	}
	authorization := req.Header.Get("Authorization")
	fmt.Println(req.Method, req.URL.Host, authorization[len(authorization)-64:])
	// Output: POST ecs.cn-shanghai.aliyuncs.com 06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0
}
