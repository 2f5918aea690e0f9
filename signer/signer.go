package signer

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// A Signer makes the signed request of a call. [RPC] and [ACS3] are the signers of this package; both are safe for
// concurrent use.
//
// The endpoint is a scheme and a host with an optional port, such as https://cdn.aliyuncs.com. Sign fails, before
// anything is signed, for an endpoint with more than that, a call without an action or a version, an unknown format, a
// parameter that has a common parameter's name or none, a nonce that is not visible ASCII, credentials that can't sign, and a
// method that the signature is not made for; the error names what was wrong. The request has ctx and is not sent.
type Signer interface {
	Sign(ctx context.Context, endpoint *url.URL, call Call, in Input) (*http.Request, error)
}

// A Call is what is asked of the service.
type Call struct {
	Action  string // the operation's name; required
	Version string // the API's version, such as 2018-05-10; required
	Format  string // what the answer shall be: "JSON" or "XML"; empty is JSON

	// Params are the operation's own parameters, in any order, not encoded. A common parameter's name (Action, Version,
	// Format, AccessKeyId, SecurityToken, Timestamp and all that begin with Signature) among them is an error. A parameter
	// with an empty value is sent.
	Params map[string]string
}

// Input is what a signature depends on beside the call.
type Input struct {
	Credentials Credentials
	Time        time.Time // when the call is made, in any zone, sent in UTC to the second; zero is now
	Nonce       string    // what makes the call unique at the service; empty is a random one
}

// withDefaults is in with its time and its nonce set.
func (in Input) withDefaults() Input {
	if in.Time.IsZero() {
		in.Time = time.Now()
	}
	if in.Nonce == "" {
		in.Nonce = rand.Text()
	}
	return in
}

// timestamp is in.Time as both signatures write it.
func (in Input) timestamp() string { return in.Time.UTC().Format("2006-01-02T15:04:05Z") }

// format is call.Format or its default.
func (call Call) format() string {
	if call.Format == "" {
		return "JSON"
	}
	return call.Format
}

// isCommon tells whether a parameter of that name belongs to the signature and not to an operation.
func isCommon(name string) bool {
	switch name {
	case "Action", "Version", "Format", "AccessKeyId", "SecurityToken", "Timestamp":
		return true
	}
	return strings.HasPrefix(name, "Signature")
}

// check is what every Sign checks before it signs.
func check(endpoint *url.URL, call Call, in Input) error {
	if err := checkEndpoint(endpoint); err != nil {
		return err
	}
	if err := checkCall(call); err != nil {
		return err
	}
	if !isGraphic(in.Nonce) {
		return fmt.Errorf("signer: Nonce: %q: holds a character other than visible ASCII: leave it empty for a random one", in.Nonce)
	}
	return in.Credentials.Validate()
}

func checkCall(call Call) error {
	if call.Action == "" || !isGraphic(call.Action) {
		return fmt.Errorf("signer: Action: %q: is not an operation's name: give one such as CreateCdnCertificateSigningRequest", call.Action)
	}
	if call.Version == "" || !isGraphic(call.Version) {
		return fmt.Errorf("signer: Version: %q: is not an API's version: give one such as 2018-05-10", call.Version)
	}
	if f := call.format(); f != "JSON" && f != "XML" {
		return fmt.Errorf(`signer: Format: %q: is neither "JSON" nor "XML": leave it empty for JSON`, call.Format)
	}
	for name := range call.Params {
		if name == "" {
			return errors.New("signer: Params: a parameter has no name: give it one, or leave it out")
		}
		if isCommon(name) {
			return fmt.Errorf("signer: Params: %q: is a common parameter, which the signer sets: leave it out", name)
		}
	}
	return nil
}

// checkEndpoint refuses what would not reach the service as it was signed. It names the part of a URL that is wrong and
// not the URL, which may hold a password.
func checkEndpoint(endpoint *url.URL) error {
	if endpoint == nil {
		return errors.New("signer: endpoint: is nil: give a URL such as https://cdn.aliyuncs.com")
	}
	if endpoint.Scheme != "https" && endpoint.Scheme != "http" {
		return fmt.Errorf("signer: endpoint: scheme %q: is neither https nor http: write the endpoint as https://cdn.aliyuncs.com", endpoint.Scheme)
	}
	if endpoint.Hostname() == "" || !isHost(endpoint.Host) {
		return fmt.Errorf("signer: endpoint: host %q: is not an ASCII host name or address with an optional port: write it as cdn.aliyuncs.com", endpoint.Host)
	}
	if endpoint.User != nil || (endpoint.Path != "" && endpoint.Path != "/") || endpoint.Opaque != "" ||
		endpoint.RawQuery != "" || endpoint.ForceQuery || endpoint.Fragment != "" {
		return fmt.Errorf("signer: endpoint: %s: has more than a scheme and a host: leave out the rest", endpoint.Host)
	}
	return nil
}

// isHost tells whether host is of the characters that a name or an address with a port may have, and has no empty port.
func isHost(host string) bool {
	for i := range len(host) {
		if !unreserved[host[i]] && !strings.ContainsRune("%:[]", rune(host[i])) {
			return false
		}
	}
	return strings.LastIndexByte(host, '[') <= 0 && !strings.HasSuffix(host, ":")
}

// newRequest is the request of method and body for the endpoint's root, with the query as it was signed.
func newRequest(ctx context.Context, method string, endpoint *url.URL, query string, body []byte) (*http.Request, error) {
	var reader io.Reader
	if len(body) > 0 {
		reader = bytes.NewReader(body)
	}
	req, err := http.NewRequestWithContext(ctx, method, "/", reader)
	if err != nil {
		return nil, fmt.Errorf("signer: %w", err)
	}
	*req.URL = url.URL{Scheme: endpoint.Scheme, Host: endpoint.Host, Path: "/", RawQuery: query}
	req.Host = endpoint.Host
	return req, nil
}
