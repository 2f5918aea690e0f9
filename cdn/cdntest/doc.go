// Package cdntest is a fake CDN for tests: it answers CreateCdnCertificateSigningRequest as the real one does, and checks
// what is sent to it.
//
// [API] is the fake, an [http.Handler] and an [http.RoundTripper]; [Server] serves one on loopback for a test:
//
//	srv := cdntest.NewServer(t)
//	client := srv.NewClient(t, nil)
//	resp, err := client.CreateCdnCertificateSigningRequest(ctx, &csr.Request{CommonName: "example.com"})
//
// As a RoundTripper it needs no socket, so it works inside a bubble of testing/synctest, where time is virtual:
//
//	api := &cdntest.API{Credentials: []signer.Credentials{creds}}
//	client, err := cdn.NewClient(cdn.StaticCredentials(creds), &cdn.Options{HTTPClient: &http.Client{Transport: api}})
//
// # What it checks
//
// The access key, the signature (RPC or ACS3, with the parameters in the query or in a form), its method and version, the
// timestamp (15 minutes either way), the nonce, the security token, the action, the API version, CommonName and Country.
// It reads requests with code of its own and not with package signer, so a mistake there is seen. What the real service
// makes of the other parameters is not documented: the fake makes a CSR by package csr, and so refuses what that does.
//
// # Faults
//
// [API.Script] makes the next calls go wrong: any status, code, header or body, a wait, a cut connection.
package cdntest
