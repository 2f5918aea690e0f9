// Package cdn gets customers' domains on Alibaba Cloud CDN their certificates:
// it has CSRs made, installs what a CA issued, and proves what is served.
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
// # Who has the private key
//
// The CDN keeps the keys of its CSRs. A [csr.Generator] answers the same call
// on this machine, and a [Fallback] does so while the CDN can't, with a
// [Breaker] at no cost. An [Installer] that knows the key store finds out which.
// An [Edge] asks the edge servers what they present.
//
// # Errors
//
// Every failed call is an [*Error] of one kind, such as [ErrUnavailable], or
// [csr.FieldErrors] before anything is sent; see [Client].
//
// # Retries and limits
//
// A call is tried up to four times, signed anew each time, when the service or
// the network fails or it throttles. Attempts share a limiter for each operation
// and a budget of retries. [Options].OnAttempt and Logger show each attempt.
//
// Package [github.com/cdncsr/cdncsr/cdn/cdntest] is a fake CDN for tests.
//
// # Unverified
//
// Nobody could check without an account how SetCdnDomainCSRCertificate wants
// its certificate: base64 is sent, and plain PEM once if that is refused.
package cdn
