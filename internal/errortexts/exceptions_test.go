package errortexts

// An exception is a text of a folder's source that is not in the golden file.
type exception struct{ folder, text, reason string }

// Reasons that several exceptions share.
const (
	noError  = "not said to a user: "
	cantFail = "can't fail: "
	progress = "says what was done, not what failed"
)

// exceptions are all there are. One that is not needed any more fails the test.
var exceptions = []exception{
	{"signer", " Credential=", noError + "a part of the header Authorization"},
	{"csr", "-----BEGIN ", noError + "how PEM begins"},
	{"csr", "encode the subject: %w", cantFail + "the subject is of checked strings"},
	{"csr", "encode the names: %w", cantFail + "the names are of checked strings"},
	{"csr", "is not in its ASCII form, ", "a guard: no name that is ASCII and in lower case is mapped to another"},
	{"csr", "was replaced while it was opened", "needs another process between two system calls"},
	{"csr", ": run as the directory's owner, or name another directory", "root is refused nothing; csr's own test of it runs another user"},
	{"csr", "csr: write XML: %w", cantFail + "it is written to memory"},
	{"cdn", "cdn: no verdict", noError + "a mark for the circuit breaker, which no call returns"},
	{"cdn", "string to sign is:", noError + "looked for in what the service says"},
	{"examples/create", "create: the private key is ", progress},
	{"examples/create", "write the response as %s: %w", cantFail + "a response is of strings"},
	{"examples/create", "Usage: create [flags] COMMON-NAME [SAN...]\n\n", "the usage that -h shows"},
	{"examples/bulk", "%d of %d done", progress},
	{"examples/bulk", "%s, %.0f a second, %s left", progress},
	{"examples/bulk", "Usage: bulk [flags] FILE.csv|FILE.jsonl\n\nThe first line of FILE.csv names the columns, such as CommonName,SANs,Organization; " +
		"a line of FILE.jsonl is\n{\"CommonName\": \"example.com\", \"SANs\": [\"www.example.com\"]}.\n\n", "the usage that -h shows"},
	{"examples/fakecdn", "listening on http://%s\n", progress},
	{"examples/service", "POST /csrs/{domain}", noError + "a route"},
	{"examples/service", "GET /healthz", noError + "a route"},
	{"examples/service", "GET /metrics", noError + "a route"},
	{"examples/quickstart", "CSR for %s, key %s (%s):\n%s", progress},
	{"examples/internal/cli", "requests were under way %s after the end was asked for: they were cut off", "takes those 30 s"},
	{"examples/internal/cli", "; install the signed certificate with it by SetCdnDomainSSLCertificate", progress},
	{"examples/internal/cli", "with the CDN; install the signed certificate by SetCdnDomainCSRCertificate", progress},
}

// exceptionOf is the exception that a text is; without a reason it is none.
func exceptionOf(s sourceText) exception {
	for _, except := range exceptions {
		if except.folder == s.folder && except.text == s.format {
			return except
		}
	}
	return exception{}
}
