package cdntest

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/cdncsr/cdncsr/csr"
)

// maxForm is how much of a request's body is read.
const maxForm = 1 << 20

// A message is a request taken apart, the same for both signatures.
type message struct {
	action, version, format string
	accessKeyID, token      string
	timestamp, nonce        string
	host                    string
	params                  url.Values // the operation's own
	signature               signature
}

// read takes r apart. The message is there with what could be read of it even if there is a problem.
func read(r *http.Request) (*message, *problem) {
	m := &message{format: formatXML, host: r.Host}
	if m.host == "" {
		m.host = r.URL.Host
	}
	if r.Method != http.MethodPost && r.Method != http.MethodGet {
		return m, &problem{http.StatusBadRequest, "UnsupportedHTTPMethod", "This http method is not supported."}
	}
	body, err := readAll(r)
	if err != nil {
		return m, invalid("body")
	}
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return m, invalid("query")
	}
	all, err := url.ParseQuery(formOf(r, body))
	if err != nil {
		return m, invalid("form")
	}
	for name, values := range query {
		all[name] = append(all[name], values...)
	}
	for name, values := range all {
		if len(values) != 1 {
			return m, invalid(name)
		}
	}
	if authorization := r.Header.Get("Authorization"); authorization != "" {
		return m, m.readACS3(r, authorization, query, all, body)
	}
	return m, m.readRPC(r.Method, all)
}

func readAll(r *http.Request) ([]byte, error) {
	if r.Body == nil {
		return nil, nil
	}
	return io.ReadAll(io.LimitReader(r.Body, maxForm))
}

// formOf is the body if it is a form.
func formOf(r *http.Request, body []byte) string {
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
		return string(body)
	}
	return ""
}

// checkOperation tells whether the message asks for what the fake knows.
func (m *message) checkOperation() *problem {
	switch {
	case m.action == "":
		return missing("Action")
	case m.action != action:
		return &problem{http.StatusNotFound, "InvalidAction.NotFound", "Specified api is not found, please check your url and method."}
	case m.version == "":
		return missing("Version")
	case m.version != version:
		return &problem{http.StatusBadRequest, "InvalidVersion", "Specified parameter Version is not valid."}
	}
	return nil
}

// checkParameters is what the service documents of the operation's own parameters.
func (m *message) checkParameters() *problem {
	if m.params.Get("CommonName") == "" {
		return missing("CommonName")
	}
	if country := m.params.Get("Country"); country != "" && utf8.RuneCountInString(country) != 2 {
		return &problem{http.StatusBadRequest, "InvalidValue.Malformed", "Country must be 2 characters."}
	}
	return nil
}

// request is the message as the operation takes it.
func (m *message) request() *csr.Request {
	req := &csr.Request{
		CommonName:       m.params.Get("CommonName"),
		Organization:     m.params.Get("Organization"),
		OrganizationUnit: m.params.Get("OrganizationUnit"),
		Country:          m.params.Get("Country"),
		State:            m.params.Get("State"),
		City:             m.params.Get("City"),
		Email:            m.params.Get("Email"),
	}
	if sans := m.params.Get("SANs"); sans != "" {
		req.SANs = strings.Split(sans, ",")
	}
	return req
}
