package errortexts

import "path"

// An exception is a fragment that is not in the golden file.
type exception struct {
	in     string // its folder; or the files in which every text is an exception, as path.Match has it
	text   string // empty for files
	reason string
}

// Reasons that several exceptions share.
const (
	noError  = "not said to a user: "
	cantFail = "can't fail: "
	progress = "says what was done, not what failed"
)

// exceptions are all there are. One that is not needed any more fails the test.
var exceptions = []exception{
	{"signer", " Credential=", noError + "a part of the header Authorization"},
	{"csr/lint*.go", "", "a finding of Lint, not an error: csr's own samples provoke each of them"},
	{"csr", "-----BEGIN ", noError + "how PEM begins"},
	{"csr", "encode the subject: ", cantFail + "the subject is of checked strings"},
	{"csr", "encode the names: ", cantFail + "the names are of checked strings"},
	{"csr", "idna: ", noError + "taken off the error of another package"},
	{"csr", "was replaced while it was opened", "needs another process between two system calls"},
	{"csr", "csr: write XML: ", cantFail + "it is written to memory"},
	{"cdn", "cdn: no verdict", noError + "a mark for the circuit breaker, which no call returns"},
	{"cdn", "string to sign is:", noError + "looked for in what the service says"},
	{"examples/create", "create: the private key is ", progress},
	{"examples/create", "write the response as ", cantFail + "a response is of strings"},
	{"examples/create", "Usage: create [flags] COMMON-NAME [SAN...]\n\n", "the usage that -h shows"},
	{"examples/bulk", " done", progress},
	{"examples/bulk", " a second, ", progress},
	{"examples/bulk", "Usage: bulk [flags] FILE.csv|FILE.jsonl\n\n", "the usage that -h shows"},
	{"examples/fakecdn", "listening on http://", progress},
	{"examples/service", "POST /csrs/{domain}", noError + "a route"},
	{"examples/service", "GET /healthz", noError + "a route"},
	{"examples/service", "GET /metrics", noError + "a route"},
	{"examples/quickstart", "CSR for ", progress},
	{"examples/quickstart", ", key ", progress},
	{"examples/internal/cli", "; install the signed certificate with it by SetCdnDomainSSLCertificate", progress},
	{"examples/internal/cli", "with the CDN; install the signed certificate by SetCdnDomainCSRCertificate", progress},
}

// exceptionFor is the exception that f is.
func exceptionFor(f fragment) (exception, bool) {
	for _, except := range exceptions {
		if except.in == f.folder && except.text == f.text {
			return except, true
		}
		if ok, err := path.Match(except.in, f.folder+"/"+f.file); except.text == "" && ok && err == nil {
			return except, true
		}
	}
	return exception{}, false
}
