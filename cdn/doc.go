// Package cdn offers one call of Alibaba Cloud CDN, CreateCdnCertificateSigningRequest: a certificate signing request (CSR)
// for a customer's domain.
//
// [Client] sends the call to the CDN, which makes the key pair and keeps the private key; [csr.Generator] answers the same
// call on this machine, where a key store keeps it. Both are a [CSRCreator], and so is [Fallback], which asks the second
// where the first could not serve:
//
//	client, err := cdn.NewClient(cdn.EnvCredentials(), nil)
//	if err != nil {
//		return err
//	}
//	resp, err := client.CreateCdnCertificateSigningRequest(ctx, &csr.Request{
//		CommonName: "example.com",
//		SANs:       []string{"www.example.com"},
//	})
//
// # Where the key is
//
// [csr.Response].Origin tells who made a CSR, and so what follows once a CA has signed it: a certificate for a key of the CDN
// is installed by SetCdnDomainCSRCertificate, one for a key of this machine by SetCdnDomainSSLCertificate, together with the
// key that the store has under the Response's PubMd5.
//
// # Errors
//
// A request that the service documents as wrong is refused with [csr.FieldErrors] before anything is sent. Every other failure,
// but for that of the Signer, is an [*Error], which keeps the service's code, its request ID and the number of attempts, and
// matches one of [ErrUnavailable], [ErrThrottled], [ErrDenied], [ErrInvalidRequest] and [ErrNoCredentials] with errors.Is. When
// the context ends, its error is wrapped, and the last answer's beside it. No error holds a credential, a signature or a signed
// URL.
//
// # Retries and limits
//
// A call is tried up to four times, signed anew each time, after a failure of the service or the network and after throttling:
// when the service says, or else after a wait of 100 ms that doubles, half more or less by chance. What the service refuses is
// not tried again, except after a clock that was wrong or a security token that ran out, which are put right first. A wait of
// more than 20 s, or past the context's deadline, is not begun. All calls of a client share a limiter of 100 attempts a second,
// and a budget that lets a failing service have few retries.
//
// # Outages
//
// A [Fallback] asks its second creator at the price of the first one's attempts. With a [Breaker] between, calls fail over
// at once after a few of them have found the CDN unavailable.
//
// # Watching
//
// [Options].Logger gets a record an attempt at debug level, [Options].OnAttempt the same as a struct, for metrics and spans.
//
// # Testing
//
// Package [github.com/cdncsr/cdncsr/cdn/cdntest] is a fake CDN that checks what it is sent.
package cdn
