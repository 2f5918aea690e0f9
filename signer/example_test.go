package signer_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/cdncsr/cdncsr/signer"
)

// A call is signed, then sent with any HTTP client.
func Example() {
	endpoint := &url.URL{Scheme: "https", Host: "ecs.aliyuncs.com"}
	call := signer.Call{Action: "DescribeRegions", Version: "2014-05-26", Format: "XML"}
	in := signer.Input{
		Credentials: signer.Credentials{AccessKeyID: "testid", AccessKeySecret: "testsecret"},
		Time:        time.Date(2016, 2, 23, 12, 46, 24, 0, time.UTC), // leave it zero for now
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
