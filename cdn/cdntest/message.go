package cdntest

import (
	"encoding/base64"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// maxForm is the number of bytes of a request's body that are read.
const maxForm = 1 << 20

// Formats of the answers.
const (
	formatJSON = "JSON"
	formatXML  = "XML"
)

// A message is a parsed request, in the same form for both signatures.
type message struct {
	path, host              string
	action, version, format string
	accessKeyID, token      string
	timestamp, nonce        string
	params                  map[string]string // the operation's own
	secretInURL             bool
	signature               signature
}

// read parses r. If there is a problem, the message has what could be read.
func read(r *http.Request) (*message, *problem) {
	m := &message{format: formatXML, host: r.Host, path: r.URL.EscapedPath()}
	if m.host == "" {
		m.host = r.URL.Host
	}
	if m.path == "" {
		m.path = "/"
	}
	query, err := url.ParseQuery(r.URL.RawQuery)
	m.secretInURL = holdsSecret(query)
	if r.Method != http.MethodPost && r.Method != http.MethodGet {
		return m, badRequest("UnsupportedHTTPMethod", "This http method is not supported.")
	}
	if err != nil {
		return m, invalid("query")
	}
	body, err := readAll(r)
	if err != nil {
		return m, invalid("body")
	}
	if authorization := r.Header.Get("Authorization"); authorization != "" {
		params, p := merge(query)
		if p != nil {
			return m, p
		}
		return m, m.readACS3(r, authorization, params, body)
	}
	form, err := url.ParseQuery(formOf(r, body))
	if err != nil {
		return m, invalid("form")
	}
	params, p := merge(query, form)
	if p != nil {
		return m, p
	}
	return m, m.readRPC(r.Method, params)
}

func readAll(r *http.Request) ([]byte, error) {
	if r.Body == nil {
		return nil, nil
	}
	return io.ReadAll(io.LimitReader(r.Body, maxForm))
}

// formOf returns the body if it is a form.
func formOf(r *http.Request, body []byte) string {
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
		return string(body)
	}
	return ""
}

// merge returns the parameters of all parts, each of which must occur once.
func merge(parts ...url.Values) (map[string]string, *problem) {
	all := make(map[string]string)
	for _, part := range parts {
		for name, values := range part {
			if _, twice := all[name]; twice || len(values) != 1 {
				return nil, invalid(name)
			}
			all[name] = values[0]
		}
	}
	return all, nil
}

const redacted = "[redacted]"

// shown returns the parameters without their secrets.
func (m *message) shown() map[string]string {
	shown := make(map[string]string, len(m.params))
	for name, value := range m.params {
		if isSecret(name, value) {
			value = redacted
		}
		shown[name] = value
	}
	return shown
}

func holdsSecret(params url.Values) bool {
	for name, values := range params {
		if slices.ContainsFunc(values, func(value string) bool { return isSecret(name, value) }) {
			return true
		}
	}
	return false
}

// isSecret reports whether a parameter is a private key, by its name or by its
// value, which may be PEM or base64 of PEM.
func isSecret(name, value string) bool {
	const label = "PRIVATE KEY-----"
	if name == "SSLPri" && value != "" || strings.Contains(value, label) {
		return true
	}
	decoded, err := base64.StdEncoding.DecodeString(value)
	return err == nil && strings.Contains(string(decoded), label)
}
