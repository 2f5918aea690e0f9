package cdntest

import (
	"sync"

	"github.com/cdncsr/cdncsr/csr"
	"github.com/cdncsr/cdncsr/signer"
)

// API is the fake, an [http.Handler] and an [http.RoundTripper]. It is safe for
// concurrent use; its fields must be set before the first call. The zero value
// knows no access key and answers every call with InvalidAccessKeyId.NotFound.
type API struct {
	// Credentials lists the access keys that the API accepts, temporary ones
	// with their security tokens.
	Credentials []signer.Credentials

	// Source makes the keys of the CSRs. If nil, csr.RSA2048 is used, as by the
	// service; csr.P256 takes less time.
	Source csr.KeySource

	// Keys holds the private keys of the CSRs, by the PubMd5 of the response:
	// those of the newest 10,000 CSRs, so that an API under load does not grow
	// without end. An installed certificate has its key all the same.
	Keys csr.MemStore

	// PlainServerCertificate makes SetCdnDomainCSRCertificate take the
	// certificate in PEM. The default is what the operation's page says, base64
	// of the PEM; the page's own example is plain, and nobody could check which
	// is true.
	PlainServerCertificate bool

	// OnRequest, if non-nil, is called before each request is answered, after
	// the work is done and before a Fault's Wait. Calls do not overlap.
	OnRequest func(Request)

	account   account
	faults    faults
	mu        sync.Mutex // guards nonces
	nonces    nonces
	made      keyring
	reporting sync.Mutex // held while OnRequest runs
}

// A Request is a request that the API got, and how it was answered. It holds no
// secret.
type Request struct {
	Method    string // of HTTP
	Signature string // "RPC" or "ACS3"; empty if the request was not signed
	Action    string // the operation's name

	// Params holds the operation's own parameters. "[redacted]" stands for the
	// value of SSLPri, and for any value that contains a private key.
	Params map[string]string

	StatusCode  int    // of the answer; 0 if a Fault dropped the request
	Code        string // the error's; empty for a success, and for a Fault without a Code
	RequestId   string
	SecretInURL bool // a private key was in the URL, where proxies and servers log it
}
