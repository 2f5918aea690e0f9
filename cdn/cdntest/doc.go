// Package cdntest is a fake of Alibaba Cloud CDN for tests: of its API, as strict
// as the documentation, and of its edge.
//
// [API] is the fake, an [http.Handler] and an [http.RoundTripper]. [Server] serves
// one on loopback for a test:
//
//	srv := cdntest.NewServer(t)
//	client := srv.NewClient(t, nil)
//	resp, err := client.CreateCdnCertificateSigningRequest(ctx, &csr.Request{CommonName: "example.com"})
//
// As a RoundTripper it needs no socket, so it works inside a bubble of
// testing/synctest, where time is virtual:
//
//	api := &cdntest.API{Credentials: []signer.Credentials{creds}}
//	client, err := cdn.NewClient(cdn.StaticCredentials(creds), &cdn.Options{HTTPClient: &http.Client{Transport: api}})
//
// # What it checks
//
// The gateway checks the access key, the signature (RPC or ACS3, with the
// parameters in the query or in a form), its method and version, the timestamp (15
// minutes either way), the nonce, the security token, the path, the operation and
// the version of the API. It reads requests with code of its own and not with
// package signer, so that it notices a mistake there. Behind it each operation
// checks its parameters as its page documents.
//
// # Faults
//
// [API.Inject] makes requests fail: with any status, code, header or body, with a
// delay, or with a connection that breaks before or after the work is done.
package cdntest
