package aliyunsdk_test

import (
	"flag"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth/credentials"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"
	"pgregory.net/rapid"

	"github.com/cdncsr/cdncsr/signer"
)

// An rpcRequest is the SDK's, without the empty parameter SignatureType that
// the SDK adds and no signature needs: the SDK asks for the parameters again
// and signs those.
type rpcRequest struct{ *requests.RpcRequest }

func (r rpcRequest) GetQueryParams() map[string]string {
	params := r.RpcRequest.GetQueryParams()
	delete(params, "SignatureType")
	return params
}

// A drawnCall is a call of any operation with any parameters, and how it is
// signed.
type drawnCall struct {
	call   signer.Call
	creds  signer.Credentials
	method string
	inForm map[string]bool // which parameters the SDK sends in the body
}

func drawCall(t *rapid.T) drawnCall {
	graphic := rapid.StringMatching(`[!-~]{1,40}`)
	anything := rapid.OneOf(
		rapid.String(),
		rapid.StringMatching(`[ -~]{0,20}`),
		rapid.StringMatching(`[%&=+*~ /?#\x00-\x1f]{0,6}`),
		rapid.Map(rapid.SliceOfN(rapid.Byte(), 0, 20), func(b []byte) string { return string(b) }),
	)
	params := rapid.MapOfN(anything.Filter(isOperationsOwn), anything, 0, 20).Draw(t, "params")
	inForm := map[string]bool{}
	for name := range params {
		inForm[name] = rapid.Bool().Draw(t, "in form")
	}
	return drawnCall{
		call: signer.Call{
			Action: graphic.Draw(t, "action"), Version: graphic.Draw(t, "version"),
			Format: rapid.SampledFrom([]string{"JSON", "XML"}).Draw(t, "format"), Params: params,
		},
		creds: signer.Credentials{
			AccessKeyID: graphic.Draw(t, "ID"), AccessKeySecret: graphic.Draw(t, "secret"),
			SecurityToken: rapid.OneOf(rapid.Just(""), graphic).Draw(t, "token"),
		},
		method: rapid.SampledFrom([]string{http.MethodGet, http.MethodPost}).Draw(t, "method"),
		inForm: inForm,
	}
}

// isOperationsOwn reports whether a parameter of this name belongs to the
// operation. The SDK sets RegionId in every call.
func isOperationsOwn(name string) bool {
	switch name {
	case "", "Action", "Version", "Format", "AccessKeyId", "SecurityToken", "Timestamp", "RegionId":
		return false
	}
	return !strings.HasPrefix(name, "Signature")
}

// signedBySDK returns c, signed by the SDK.
func (c drawnCall) signedBySDK(t *rapid.T) rpcRequest {
	request := rpcRequest{&requests.RpcRequest{}}
	request.InitWithApiInfo("Cdn", c.call.Version, c.call.Action, "", "")
	request.Method, request.AcceptFormat = c.method, c.call.Format
	for name, value := range c.call.Params {
		if c.inForm[name] {
			request.FormParams[name] = value
		} else {
			request.QueryParams[name] = value
		}
	}
	provider := credentials.NewStaticSTSCredentialsProvider(c.creds.AccessKeyID, c.creds.AccessKeySecret, c.creds.SecurityToken)
	if err := auth.Sign(request, nil, "cn-hangzhou", provider); err != nil {
		t.Fatal(err)
	}
	return request
}

func TestOracle_WhatTheSDKSigns(t *testing.T) {
	endpoint := &url.URL{Scheme: "https", Host: "cdn.aliyuncs.com"}
	rapid.Check(t, func(t *rapid.T) {
		c := drawCall(t)
		theirs := c.signedBySDK(t)
		sent := theirs.GetQueryParams()

		c.call.Params["RegionId"] = "cn-hangzhou"
		signed, err := time.Parse(time.RFC3339, sent["Timestamp"])
		if err != nil {
			t.Fatal(err)
		}
		in := signer.Input{Credentials: c.creds, Time: signed, Nonce: sent["SignatureNonce"]}
		rpc := signer.RPC{Method: c.method}
		if ours := rpc.StringToSign(c.call, in); ours != theirs.GetStringToSign() {
			t.Fatalf("the string to sign is\n%s\nwant that of the SDK\n%s", ours, theirs.GetStringToSign())
		}
		req, err := rpc.Sign(t.Context(), endpoint, c.call, in)
		if err != nil {
			t.Fatal(err)
		}
		if err := req.ParseForm(); err != nil {
			t.Fatal(err)
		}
		if ours := req.Form.Get("Signature"); ours != sent["Signature"] {
			t.Fatalf("the signature is %q, want that of the SDK, %q", ours, sent["Signature"])
		}
		if want := len(sent) + len(theirs.GetFormParams()); len(req.Form) != want {
			t.Fatalf("%d parameters are sent, want %d as by the SDK", len(req.Form), want)
		}
	})
}

// setChecks makes rapid try more than its default of 100 inputs. A flag of the
// command line overrides it.
func setChecks() { must(flag.Set("rapid.checks", "10000")) }
