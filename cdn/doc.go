// Package cdn puts HTTPS certificates on domains of Alibaba Cloud CDN: it
// requests CSRs, installs the certificates that a CA issues, and checks which
// certificates the edge servers present.
//
// A [Client] makes the calls and an [Installer] puts certificates on domains:
//
//	client, err := cdn.NewClient(cdn.EnvCredentials(), nil)
//	…
//	resp, err := client.CreateCdnCertificateSigningRequest(ctx, &csr.Request{CommonName: "example.com"})
//	… // a CA signs resp.Csr; chain is what it issued
//	installer := &cdn.Installer{Client: client}
//	done, err := installer.Install(ctx, "example.com", chain)
//
// # Private keys
//
// The CDN keeps the private key of a CSR that it makes. A [csr.Generator] makes
// the CSR on this machine instead, and keeps the key in its key store. A
// [Fallback] uses it while the CDN is unavailable; with a [Breaker], callers
// then do not wait for the CDN.
//
// # Errors
//
// A call that fails returns an [*Error] of one kind, such as [ErrUnavailable].
// An invalid request is not sent: the error is [csr.FieldErrors].
//
// # Retries and limits
//
// A call is tried up to four times, signed anew each time, if the network or
// the service fails or the service throttles it. The calls of a client share a
// limiter for each operation, and a retry budget. See [Options].
//
// Package [github.com/cdncsr/cdncsr/cdn/cdntest] is a fake CDN for tests.
//
// # Unverified
//
// How SetCdnDomainCSRCertificate wants its certificate could not be checked
// without an account: the Installer sends base64, and plain PEM if refused.
package cdn
