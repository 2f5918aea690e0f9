// Package signer signs calls of Alibaba Cloud's RPC-style APIs.
//
// It has a [Signer] for each of the two signatures: [RPC] is signature version
// 1.0 (HMAC-SHA1), which is sent among the parameters; [ACS3] is
// ACS3-HMAC-SHA256, which is sent in headers. Both turn a [Call] and an [Input]
// into an [http.Request] that is ready to be sent:
//
//	call := signer.Call{Action: "DescribeRegions", Version: "2014-05-26"}
//	in := signer.Input{Credentials: signer.Credentials{AccessKeyID: "testid", AccessKeySecret: "testsecret"}}
//	req, err := signer.RPC{}.Sign(ctx, endpoint, call, in)
//
// If Input.Time and Input.Nonce are set, the same input gives the same request.
// Send a request once: the service refuses a nonce that it has seen, and a time
// that differs from its own by more than 15 minutes. Sign again for each retry.
//
// # The string to sign
//
// When the service refuses a signature, compare the string that it signed with
// the one that was signed here, which [RPC.StringToSign] and
// [ACS3.CanonicalRequest] return. Do not log it: it contains the access key's
// ID, every parameter and the security token.
//
// # Secrets
//
// [Credentials] show only their AccessKeyID to fmt, log/slog and encoding/json.
// URLs end up in logs, so RPC sends a POST by default: with GET the URL
// contains the signature and the security token. ACS3 always puts the
// parameters of the call into the URL.
//
// The package imports only the standard library.
package signer
