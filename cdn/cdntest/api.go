package cdntest

import (
	"sync"

	"github.com/cdncsr/cdncsr/csr"
	"github.com/cdncsr/cdncsr/signer"
)

// API is the fake, an [http.Handler] and an [http.RoundTripper]. It is safe for
// concurrent use; its fields must be set before the first call. The zero value
// accepts no access key and answers every call with
// InvalidAccessKeyId.NotFound.
type API struct {
	// Credentials lists the access keys that the API accepts, temporary ones
	// with their security tokens.
	Credentials []signer.Credentials

	// Source makes the keys of the CSRs. If nil, csr.RSA2048 is used, as the
	// service does; csr.P256 takes less time.
	Source csr.KeySource

	// Keys has the private keys of the newest 10,000 CSRs, by the PubMd5 of the
	// response. Older keys are dropped, so that memory does not grow without
	// bound, but an installed certificate keeps its key.
	Keys csr.MemStore

	// PlainServerCertificate makes SetCdnDomainCSRCertificate take the
	// certificate in PEM. By default it takes base64 of the PEM, as the
	// operation's page says. The example on that page is plain PEM, and it
	// could not be checked which is right.
	PlainServerCertificate bool

	// OnRequest, if non-nil, is called for each request, after the operation's
	// work and before a Fault's Wait and the answer. Calls do not overlap, so it
	// must not make a request of its own.
	OnRequest func(Request)

	account   account
	faults    faults
	mu        sync.Mutex // guards nonces
	nonces    nonces
	made      keyring
	reporting sync.Mutex // locked while OnRequest runs
}

// A Request describes a request to the API and its answer. It contains no
// secret.
type Request struct {
	Method    string // of HTTP
	Signature string // "RPC" or "ACS3"; empty if the request was not signed
	Action    string // the operation's name

	// Params has the operation's own parameters. The value of SSLPri, and any
	// value that contains a private key, is "[redacted]".
	Params map[string]string

	StatusCode  int    // of the answer; 0 if a Fault dropped the request
	Code        string // of the error; empty after success, and for a Fault without a Code
	RequestId   string
	SecretInURL bool // a private key was in the URL, where proxies and servers log it
}
