// Package cdntest provides a fake of Alibaba Cloud CDN for tests: its API,
// which is as strict as the documentation, and its edge servers.
//
// [API] is the fake, an [http.Handler] and an [http.RoundTripper]. [Server]
// serves one on loopback for a test:
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
// # Requests
//
// The API checks the access key, the signature (RPC or ACS3), the timestamp (15
// minutes either way), the nonce, the security token, the path, the operation
// and its version. It does not use package signer to read requests, so that it
// notices a mistake there. [API.Inject] makes requests fail: with any status,
// code, header or body, with a late answer, or with a connection that breaks
// before or after the operation's work.
//
// # Certificates
//
// [API.AddDomain] adds a domain to the account. SetCdnDomainCSRCertificate and
// SetCdnDomainSSLCertificate install a certificate on it, and
// DescribeDomainCertificateInfo and DescribeCdnSSLCertificateList show it, with
// the checks and codes of their pages. [Server.StartEdge] starts an [Edge] that
// presents it. Where the pages say nothing, the fake assumes:
//
//   - SetCdnDomainCSRCertificate switches HTTPS on. The certificate's CertType is
//     "cas"; it is not stored, so it has no name and no ID. If it has expired,
//     the code is Certificate.Expired, as in SetCdnDomainSSLCertificate.
//   - If a certificate is not valid yet, the code is Certificate.StatusError. If
//     a chain is in the wrong order, it is Certificate.FormatError. A chain of
//     more than 64 KiB is too long.
//   - If a name is stored already, the code is Certificate.Duplicated for the
//     same content and CertNameAlreadyExists for another. If only the content is
//     stored already, it is CertificateContent.Duplicated, but an upload without
//     a name is stored again.
//   - SetCdnDomainSSLCertificate accepts a certificate for other names than the
//     domain, since the CDN reports that state of a domain.
//   - A CertType of cas without a usable CertId is an upload.
//   - A certificate is in force at once: its Status is "success".
package cdntest
