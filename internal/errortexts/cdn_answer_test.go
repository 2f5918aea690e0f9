package errortexts

import (
	"bytes"
	"errors"
	"net/http"
	"syscall"
	"testing"

	"github.com/cdncsr/cdncsr/cdn"
	"github.com/cdncsr/cdncsr/cdn/cdntest"
)

// answerTexts are the errors of one call by what came back.
func answerTexts(*testing.T) []provocation {
	var all []provocation
	for _, answer := range answers {
		all = append(all, provocation{answer.how, func(t *testing.T) error { return call(t.Context(), newClient(t, nil, answer.fault)) }})
	}
	return append(all, provocation{"no connection", func(t *testing.T) error {
		refuse := transport(func(*http.Request) (*http.Response, error) { return nil, syscall.ECONNREFUSED })
		return call(t.Context(), newClient(t, &cdn.Options{MaxAttempts: 1, HTTPClient: &http.Client{Transport: refuse}}))
	}})
}

// answers have each code whose advice is its own, each kind without one, and what is no answer of this API.
var answers = []struct {
	how   string
	fault cdntest.Fault
}{
	{"an unknown access key", cdntest.Fault{Status: 404, Code: "InvalidAccessKeyId.NotFound", Message: "Specified access key is not found."}},
	{"an expired token", cdntest.Fault{Code: "InvalidSecurityToken.Expired", Message: "Specified SecurityToken is expired."}},
	{"no permission", cdntest.Fault{Status: 403, Code: "Forbidden.RAM", Message: "User not authorized to operate on the specified resource."}},
	{"a clock that is wrong", cdntest.Fault{Code: "InvalidTimeStamp.Expired", Message: "Specified time stamp or date value is expired."}},
	{"an account without money", cdntest.Fault{Code: "InsufficientBalance", Message: "Your account does not have enough balance."}},
	{"a nonce that was used", cdntest.Fault{Code: "SignatureNonceUsed", Message: "Specified signature nonce was used already."}},
	{"another refusal", cdntest.Fault{Status: 401, Code: "Unheard.Of", Message: "Who are you?"}},
	{"too many calls", cdntest.Fault{
		Status: 429, Code: "Throttling.User", Message: "Request was denied due to user flow control.",
		Header: http.Header{"Retry-After": {"5"}},
	}},
	{"a request that the service refuses", cdntest.Fault{Code: "InvalidParameter", Message: "Specified parameter SANs is not valid."}},
	{"a failure of the service", cdntest.Fault{
		Status: 500, Code: "InternalError", Message: "The request processing has failed\ndue to some unknown error.",
	}},
	{"a service that is down", cdntest.Fault{Status: 503}},
	{"a redirect", cdntest.Fault{Status: 302, Header: http.Header{"Location": {"https://login.example.com/"}}}},
	{"a page of a proxy", cdntest.Fault{
		Status: 200, Body: []byte("<html>Please log in</html>"), Header: http.Header{"Content-Type": {"text/html"}, "Content-Length": {"26"}},
	}},
	{"an answer that is too long", cdntest.Fault{Status: 200, Body: bytes.Repeat([]byte("x"), 1<<20+1)}},
	{"a broken connection", cdntest.Fault{Drop: cdntest.DropRequest}},
	{"an answer that is cut off", cdntest.Fault{Drop: cdntest.DropBody}},
}

// credentialTexts are the errors of credential sources.
func credentialTexts(*testing.T) []provocation {
	with := func(t *testing.T, source cdn.CredentialSource) error {
		t.Helper()
		client, err := cdn.NewClient(source, nil)
		if err != nil {
			return err
		}
		return call(t.Context(), client)
	}
	return []provocation{
		{"no access key ID in the environment", func(t *testing.T) error {
			setCredentials(t, "", "hidden")
			return with(t, cdn.EnvCredentials())
		}},
		{"no secret in the environment", func(t *testing.T) error {
			setCredentials(t, "id", "")
			return with(t, cdn.EnvCredentials())
		}},
		{"a secret that was copied with its line end", func(t *testing.T) error {
			setCredentials(t, "id", "hidden\n")
			return with(t, cdn.EnvCredentials())
		}},
		{"no credentials", func(t *testing.T) error { return with(t, cdn.StaticCredentials(noKey)) }},
		{"a source that fails", func(t *testing.T) error { return with(t, failing(errors.New("vault: sealed"))) }},
	}
}

// setCredentials sets an access key in the environment.
func setCredentials(t *testing.T, id, secret string) {
	t.Helper()
	t.Setenv("ALIBABA_CLOUD_ACCESS_KEY_ID", id)
	t.Setenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET", secret)
	t.Setenv("ALIBABA_CLOUD_SECURITY_TOKEN", "")
}
