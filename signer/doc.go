// Package signer signs calls of Alibaba Cloud's RPC-style APIs.
//
// There are two signatures, and a [Signer] for each: [RPC] is signature version 1.0 (HMAC-SHA1), which travels among
// the parameters; [ACS3] is ACS3-HMAC-SHA256, which travels in headers. Both turn a [Call] and an [Input] into an
// [http.Request] that is ready to be sent:
//
//	call := signer.Call{Action: "DescribeRegions", Version: "2014-05-26"}
//	in := signer.Input{Credentials: signer.Credentials{AccessKeyID: "testid", AccessKeySecret: "testsecret"}}
//	req, err := signer.RPC{}.Sign(ctx, endpoint, call, in)
//
// Signing is a pure function of call, credentials, time and nonce: once Input.Time and Input.Nonce are set, the same
// input gives the same bytes. A request is good for one attempt: the service refuses a nonce that it has seen, and a
// time that is more than 15 minutes from its own, so sign anew for each retry.
//
// # Looking at what is signed
//
// A signature that the service refuses is found by comparing what was signed. [RPC.StringToSign] and
// [ACS3.CanonicalRequest] show it. They hold the access key's ID, every parameter and the security token: compare them,
// don't log them.
//
// # Secrets
//
// [Credentials] shows its ID alone to fmt, log/slog and encoding/json. [RPC] with method GET puts everything into the
// URL, the signature and the security token too; URLs end in logs, so POST is the default.
//
// The package needs nothing but the standard library.
package signer
