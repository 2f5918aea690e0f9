package main

import (
	"context"
	"crypto"
	"errors"
	"net/http"

	"github.com/cdncsr/cdncsr/cdn"
	"github.com/cdncsr/cdncsr/cdn/cdntest"
	"github.com/cdncsr/cdncsr/csr"
)

// oneKey is a source that hands out the same key again and again.
type oneKey struct{ crypto.Signer }

func (k oneKey) NewKey(context.Context) (crypto.Signer, error) { return k.Signer, nil }

// A script is what happens to a call, and how it must end.
type script struct {
	name     string
	faults   []cdntest.Fault
	kind     error // nil: with a CSR
	attempts int   // of the error
}

func (s script) endsAs(resp *csr.Response, err error, name string) bool {
	if s.kind == nil {
		return err == nil && resp.CommonName == name && resp.Origin == csr.OriginCDN
	}
	var e *cdn.Error
	return errors.Is(err, s.kind) && errors.As(err, &e) && e.Attempts == s.attempts
}

// scripts are played in turn. Calls that fail for ever are rare, or the client's retry budget would rightly run out.
var scripts = mixed(100,
	script{name: "500", faults: []cdntest.Fault{{Status: 500, Code: "InternalError"}}},
	script{name: "500 twice", faults: []cdntest.Fault{{Status: 500, Code: "InternalError"}, {Status: 502}}},
	script{name: "reset", faults: []cdntest.Fault{{Drop: cdntest.DropRequest}}},
	script{name: "cut body", faults: []cdntest.Fault{{Drop: cdntest.DropBody}}},
	script{name: "page", faults: []cdntest.Fault{{Status: 502, Body: []byte("<html>Bad gateway</html>")}}},
	script{name: "null", faults: []cdntest.Fault{{Body: []byte("null")}}},
	script{name: "throttled", faults: []cdntest.Fault{{Code: "Throttling.User", Header: http.Header{"X-Acs-Retry-After": {"20"}}}}},
	script{name: "nonce", faults: []cdntest.Fault{{Code: "SignatureNonceUsed"}}},
	script{name: "denied", faults: []cdntest.Fault{{Status: 403, Code: "Forbidden.RAM"}}, kind: cdn.ErrDenied, attempts: 1},
	script{name: "invalid", faults: []cdntest.Fault{{Code: "InvalidParameter"}}, kind: cdn.ErrInvalidRequest, attempts: 1},
	script{
		name: "throttled for long", kind: cdn.ErrThrottled, attempts: 1,
		faults: []cdntest.Fault{{Code: "Throttling", Header: http.Header{"Retry-After": {"60"}}}},
	},
	script{
		name: "unavailable", kind: cdn.ErrUnavailable, attempts: 4,
		faults: []cdntest.Fault{{Status: 503}, {Status: 503}, {Drop: cdntest.DropRequest}, {Drop: cdntest.DropBody}},
	},
)

// mixed is n scripts: those given, spread among calls that are answered at once.
func mixed(n int, faulty ...script) []script {
	all := make([]script, n)
	for i := range all {
		all[i].name = "answered"
	}
	for i, s := range faulty {
		all[i*n/len(faulty)] = s
	}
	return all
}
