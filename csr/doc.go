// Package csr makes certificate signing requests (CSRs, PKCS #10, RFC 2986) on this machine, with the parameters and the
// answer of Alibaba Cloud CDN's operation CreateCdnCertificateSigningRequest.
//
// A [Request] says what to put into the CSR; a [Generator] makes a key, keeps it, and answers with a [Response]:
//
//	g := csr.Generator{Keys: csr.DirStore{Path: "keys"}}
//	resp, err := g.CreateCdnCertificateSigningRequest(ctx, &csr.Request{
//		CommonName: "example.com",
//		SANs:       []string{"www.example.com"},
//	})
//
// The CSR is resp.Csr; its private key is the file <resp.PubMd5>.pem in the directory keys. Package cdn has the same
// method on a client of the CDN, which then has the key.
//
// # Requests
//
// Nothing malformed is signed and nothing asked for is dropped: a request with a mistake is refused, and the error,
// [FieldErrors], has every mistake that there is. (What a public CA refuses besides, such as www.local, [Lint] tells.)
// Domain names are mapped by UTS #46 first, so "Bücher.example" becomes "xn--bcher-kva.example"; subject texts are put into
// NFC. An empty field takes the service's default. The caller's Request is never changed. [Request.Validate] checks
// without making anything.
//
// # Keys
//
// A [KeySource] hands out the keys. A [KeyType] makes one for each call; [RSA2048], the default, takes some 40 ms. A
// [Pool] makes keys ahead of time. A caller's own source may stand in front of an HSM or a KMS, and [New] makes a CSR for
// a single key that the caller has.
//
// # Key stores
//
// A [KeyStore] keeps the private keys. A CSR without its key is worthless, so Generator returns one only when the store
// has the key, durably. [DirStore] keeps keys in files and says what it promises on which systems; [MemStore] keeps them
// until the program ends. Whoever writes another one tests it with package csrtest.
//
// A key is found again by its [PubMD5], the handle that the CDN returns too.
//
// # CSRs from elsewhere
//
// [Response.CertificateRequest] parses the CSR of any Response, the CDN's included, and checks its signature. [Lint] tells
// what a public CA would refuse or change in any CSR.
package csr
