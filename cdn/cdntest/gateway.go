package cdntest

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/cdncsr/cdncsr/signer"
)

// version is the version of the API that every operation belongs to.
const version = "2018-05-10"

// answer reads and checks a request, runs the operation unless a fault replaces
// it, and reports the request to OnRequest.
func (a *API) answer(r *http.Request) reply {
	m, refused := read(r)
	shown := m.shown()
	out := reply{
		action: m.action, format: m.format, host: m.host,
		requestID: strings.ToUpper(uuid.NewString()), problem: refused,
	}
	if out.problem == nil {
		out.problem = a.admit(m)
	}
	if out.problem == nil {
		a.perform(r.Context(), m, shown, &out)
	}
	out.render()
	a.report(Request{
		Method: r.Method, Signature: m.signature.scheme, Action: m.action, Params: shown,
		StatusCode: out.sentStatus(), Code: out.code(), RequestId: out.requestID, SecretInURL: m.secretInURL,
	})
	return out
}

// perform runs the operation, unless a fault replaces it.
func (a *API) perform(ctx context.Context, m *message, shown map[string]string, out *reply) {
	op, call := operations[m.action], &call{params: m.params, requestID: out.requestID, secretInURL: m.secretInURL}
	if out.problem = op.check(call); out.problem != nil {
		return
	}
	out.fault = a.takeFault(m.action, shown)
	if out.fault.replacesWork() {
		out.problem = out.fault.problem()
		return
	}
	out.response, out.problem = op.run(ctx, a, call)
}

// admit makes the gateway's checks in the gateway's order. They are the same
// for every operation.
func (a *API) admit(m *message) *problem {
	if p := m.checkAction(); p != nil {
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
	if m.path != "/" {
		return actionNotFound
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.nonces.used(m.nonce, now) {
		return badRequest("SignatureNonceUsed", "Specified signature nonce was used already.")
	}
	return nil
}

var actionNotFound = &problem{
	http.StatusNotFound, "InvalidAction.NotFound", "Specified api is not found, please check your url and method.",
}

// checkAction refuses an operation or a version that does not exist.
func (m *message) checkAction() *problem {
	if m.action == "" {
		return missing("Action")
	}
	if _, ok := operations[m.action]; !ok {
		return actionNotFound
	}
	switch m.version {
	case "":
		return missing("Version")
	case version:
		return nil
	}
	return badRequest("InvalidVersion", "Specified parameter Version is not valid.")
}

func (a *API) credentials(id string) (signer.Credentials, bool) {
	i := slices.IndexFunc(a.Credentials, func(c signer.Credentials) bool { return c.AccessKeyID == id })
	if i < 0 {
		return signer.Credentials{}, false
	}
	return a.Credentials[i], true
}

// checkToken compares a call's security token with that of its access key.
func checkToken(creds signer.Credentials, token string) *problem {
	switch token {
	case creds.SecurityToken:
		return nil
	case "":
		return badRequest("MissingSecurityToken", "SecurityToken is mandatory for this action.")
	}
	return &problem{
		http.StatusForbidden, "InvalidSecurityToken.MismatchWithAccessKey",
		"Specified SecurityToken mismatch with the AccessKey.",
	}
}

// report calls OnRequest, one call at a time.
func (a *API) report(r Request) {
	if a.OnRequest == nil {
		return
	}
	a.reporting.Lock()
	defer a.reporting.Unlock()
	a.OnRequest(r)
}
