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

// A Signer returns the signed request of a call, with the context ctx. It does
// not send the request. [RPC] and [ACS3] are Signers; both are safe for
// concurrent use.
//
// The endpoint is a scheme and a host with an optional port, such as
// https://cdn.aliyuncs.com. Sign returns an error that names what is wrong if
// the endpoint is not of that form, if the call is not valid (see [Call]), if
// the nonce is not visible ASCII, and if the credentials can't sign.
type Signer interface {
	Sign(ctx context.Context, endpoint *url.URL, call Call, in Input) (*http.Request, error)
}

// A Call names an operation of the service and its parameters.
type Call struct {
	Action  string // required: the name of the operation
	Version string // required: the version of the API, such as 2018-05-10
	Format  string // of the answer: "JSON", the default, or "XML"

	// Params holds the operation's own parameters, not encoded. A parameter
	// with an empty value is sent. A parameter must have a name that is not
	// one of the common parameters: Action, Version, Format, AccessKeyId,
	// SecurityToken, Timestamp, and everything that begins with Signature.
	Params map[string]string
}

// An Input holds what the signature of a call depends on.
type Input struct {
	Credentials Credentials
	Time        time.Time // of the call, sent in UTC to the second; if zero, now
	Nonce       string    // unique to the request; if empty, a random one
}

// withDefaults returns in with Time and Nonce set.
func (in Input) withDefaults() Input {
	if in.Time.IsZero() {
		in.Time = time.Now()
	}
	if in.Nonce == "" {
		in.Nonce = rand.Text()
	}
	return in
}

// timestamp returns in.Time in the form of both signatures.
func (in Input) timestamp() string { return in.Time.UTC().Format("2006-01-02T15:04:05Z") }

// format returns call.Format or its default.
func (call Call) format() string {
	if call.Format == "" {
		return "JSON"
	}
	return call.Format
}

// mediaType returns call.Format as a media type.
func (call Call) mediaType() string {
	if call.Format == "XML" {
		return "application/xml"
	}
	return "application/json"
}

// isCommon reports whether name is that of a common parameter, which the signer
// sets.
func isCommon(name string) bool {
	switch name {
	case "Action", "Version", "Format", "AccessKeyId", "SecurityToken", "Timestamp":
		return true
	}
	return strings.HasPrefix(name, "Signature")
}

// check returns an error if a call can't be signed by either signature.
func check(endpoint *url.URL, call Call, in Input) error {
	if err := checkEndpoint(endpoint); err != nil {
		return err
	}
	if err := checkCall(call); err != nil {
		return err
	}
	if !isGraphic(in.Nonce) {
		return fmt.Errorf("signer: Nonce %q has a character that is not visible ASCII", in.Nonce)
	}
	return in.Credentials.Validate()
}

func checkCall(call Call) error {
	for _, field := range [...]struct{ name, value string }{{"Action", call.Action}, {"Version", call.Version}} {
		if field.value == "" {
			return fmt.Errorf("signer: %s is empty", field.name)
		}
		if !isGraphic(field.value) {
			return fmt.Errorf("signer: %s %q has a character that is not visible ASCII", field.name, field.value)
		}
	}
	if f := call.format(); f != "JSON" && f != "XML" {
		return fmt.Errorf("signer: Format %q is neither JSON nor XML", call.Format)
	}
	for name := range call.Params {
		if name == "" {
			return errors.New("signer: Params has a parameter without a name")
		}
		if isCommon(name) {
			return fmt.Errorf("signer: Params has the common parameter %q, which the signer sets", name)
		}
	}
	return nil
}

// checkEndpoint refuses an endpoint that would not be sent as it was signed.
// The error names the part that is wrong and not the URL, which may have a
// password.
func checkEndpoint(endpoint *url.URL) error {
	if endpoint == nil {
		return errors.New("signer: endpoint is nil")
	}
	if endpoint.Scheme != "https" && endpoint.Scheme != "http" {
		return fmt.Errorf("signer: endpoint scheme %q is neither https nor http", endpoint.Scheme)
	}
	if endpoint.Hostname() == "" || !isHost(endpoint.Host) {
		return fmt.Errorf("signer: endpoint host %q is not an ASCII name or address with an optional port", endpoint.Host)
	}
	if endpoint.User != nil || (endpoint.Path != "" && endpoint.Path != "/") || endpoint.Opaque != "" ||
		endpoint.RawQuery != "" || endpoint.ForceQuery || endpoint.Fragment != "" {
		return fmt.Errorf("signer: endpoint of host %q has more than a scheme and a host", endpoint.Host)
	}
	return nil
}

// isHost reports whether host has only the characters of a name or an address
// with a port, a bracket only at its beginning, and no empty port.
func isHost(host string) bool {
	for i := range len(host) {
		if !unreserved[host[i]] && !strings.ContainsRune("%:[]", rune(host[i])) {
			return false
		}
	}
	return strings.LastIndexByte(host, '[') <= 0 && !strings.HasSuffix(host, ":")
}

// newRequest returns a request for the root of endpoint, with the query as it
// was signed.
func newRequest(
	ctx context.Context, method string, endpoint *url.URL, query string, body []byte,
) (*http.Request, error) {
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
