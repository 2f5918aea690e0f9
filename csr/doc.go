// Package csr makes certificate signing requests (CSRs, PKCS #10) on this
// machine, with the parameters and the response of Alibaba Cloud CDN's
// operation CreateCdnCertificateSigningRequest.
//
// A [Request] has the names for the certificate. A [Generator] makes a key
// pair, stores the private key, and returns a [Response] with the CSR:
//
//	g := csr.Generator{Keys: csr.DirStore{Path: "keys"}}
//	resp, err := g.CreateCdnCertificateSigningRequest(ctx, &csr.Request{
//		CommonName: "example.com",
//		SANs:       []string{"www.example.com"},
//	})
//
// The CSR is resp.Csr, and its private key is in the file
// keys/<resp.PubMd5>.pem. A client of package cdn has the same method but
// leaves the key with the CDN.
//
// # Requests
//
// An invalid request is refused: nothing malformed is signed, and no name is
// left out. The error lists every mistake, as [FieldErrors]. [Request.Validate]
// returns the same error without making a CSR.
//
// Domain names are mapped by UTS #46, so that "Bücher.example" becomes
// "xn--bcher-kva.example". [Request.Normalize] returns a request as it would be
// in a CSR.
//
// # Keys
//
// A [KeySource] makes the keys: a [KeyType] one for each call, a [Pool] some
// ahead of time, since an RSA key takes 40 ms or more. If you have a key
// already, for example in an HSM, call [New].
//
// # Key stores
//
// A [KeyStore] keeps private keys by their [PubMD5]. A Generator returns no CSR
// before its key is stored. [DirStore] keeps keys in files, [MemStore] in
// memory. Test a store of your own with package csrtest.
//
// # Responses
//
// [Response.Check] reports whether a Response, the CDN's included, has a CSR
// with the names of a Request. [Response.CertificateRequest] parses that CSR.
// Package csrlint lists what a public CA would refuse in it: csrlint.Lint.
package csr
