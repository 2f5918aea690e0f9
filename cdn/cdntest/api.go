package cdntest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/cdncsr/cdncsr/csr"
	"github.com/cdncsr/cdncsr/signer"
)

// API is the fake. It may be used by many goroutines; its fields are set before the first call. The zero value knows no
// access keys, and so answers every call with InvalidAccessKeyId.NotFound.
type API struct {
	// Credentials are the access keys that it knows, temporary ones with their security tokens.
	Credentials []signer.Credentials

	// Source makes the keys of the CSRs. Nil is csr.RSA2048, as the service; csr.P256 takes less time.
	Source csr.KeySource

	// Keys keeps the private keys of the CSRs that it made, under the PubMd5 of their answers.
	Keys csr.MemStore

	// OnCall is told of each call before its answer is sent, one at a time. Nil tells no one.
	OnCall func(Call)

	mu     sync.Mutex
	faults []Fault
	nonces nonces
	calls  sync.Mutex // held while OnCall is told
}

// Call is a call and how it was answered. It holds nothing secret.
type Call struct {
	Method     string // of HTTP
	Signature  string // "RPC" or "ACS3"; empty if there was none
	Action     string
	CommonName string
	SANs       string // as they were sent, joined with commas
	StatusCode int
	Code       string // the error's; empty if a CSR was made, and if a Fault without a Code took the answer's place
	RequestId  string
}

// Format and parameter names of the answers.
const (
	formatJSON = "JSON"
	formatXML  = "XML"
)

// The one operation that the fake knows.
const (
	action  = "CreateCdnCertificateSigningRequest"
	version = "2018-05-10"
)

// answer checks a request and carries it out, or does what is scripted for it.
func (a *API) answer(r *http.Request) reply {
	requestID := strings.ToUpper(uuid.NewString())
	m, problem := read(r)
	if problem == nil {
		problem = a.check(m)
	}
	if problem == nil {
		problem = m.checkParameters()
	}
	out := reply{format: m.format, requestID: requestID, host: m.host}
	if problem != nil {
		out.problem = problem
	} else if fault, ok := a.nextFault(m.params.Get("CommonName")); ok {
		out = out.scripted(fault)
	}
	if out.isPlain() {
		out.response, out.problem = a.create(r.Context(), m)
	}
	out.render()
	a.tell(Call{
		Method: r.Method, Signature: m.signature.scheme, Action: m.action,
		CommonName: m.params.Get("CommonName"), SANs: m.params.Get("SANs"),
		StatusCode: out.status, Code: out.code(), RequestId: requestID,
	})
	return out
}

func (a *API) tell(c Call) {
	if a.OnCall == nil {
		return
	}
	a.calls.Lock()
	defer a.calls.Unlock()
	a.OnCall(c)
}

// check is everything that the gateway checks before it hands a call to the operation, in the gateway's order.
func (a *API) check(m *message) *problem {
	if p := m.checkOperation(); p != nil {
		return p
	}
	creds, known := a.credentials(m.accessKeyID)
	if !known {
		return &problem{http.StatusNotFound, "InvalidAccessKeyId.NotFound", "Specified access key is not found."}
	}
	if p := checkToken(creds, m.token); p != nil {
		return p
	}
	now := time.Now()
	if p := checkTime(m.timestamp, now); p != nil {
		return p
	}
	if p := m.signature.check(creds.AccessKeySecret); p != nil {
		return p
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.nonces.used(m.nonce, now) {
		return &problem{http.StatusBadRequest, "SignatureNonceUsed", "Specified signature nonce was used already."}
	}
	return nil
}

func (a *API) credentials(id string) (signer.Credentials, bool) {
	for _, creds := range a.Credentials {
		if creds.AccessKeyID == id {
			return creds, true
		}
	}
	return signer.Credentials{}, false
}

// create is the operation itself.
func (a *API) create(ctx context.Context, m *message) (*csr.Response, *problem) {
	generator := csr.Generator{Keys: &a.Keys, Source: a.Source}
	resp, err := generator.CreateCdnCertificateSigningRequest(ctx, m.request())
	if errors.Is(err, csr.ErrInvalidRequest) {
		return nil, &problem{http.StatusBadRequest, "InvalidParameter", strings.TrimPrefix(err.Error(), csr.ErrInvalidRequest.Error()+": ")}
	}
	if err != nil {
		return nil, &problem{http.StatusInternalServerError, "Internal.KeyError", "Failed to generate rsa key."}
	}
	return resp, nil
}

// A problem is an error of the API.
type problem struct {
	status        int
	code, message string
}

func missing(name string) *problem {
	return &problem{
		http.StatusBadRequest, "MissingParameter",
		fmt.Sprintf("The input parameter %q that is mandatory for processing this request is not supplied.", name),
	}
}

func invalid(name string) *problem {
	return &problem{http.StatusBadRequest, "InvalidParameter", fmt.Sprintf("Specified parameter %s is not valid.", name)}
}
