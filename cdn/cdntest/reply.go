package cdntest

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"io"
	"maps"
	"net"
	"net/http"
	"strconv"
	"syscall"
	"time"
)

// A reply is the answer to a request. A server and a RoundTripper send it in
// the same form.
type reply struct {
	action, format, host, requestID string

	response any // of the operation
	problem  *problem
	fault    Fault

	status int
	header http.Header
	body   []byte
}

func (r *reply) code() string {
	if r.problem == nil {
		return ""
	}
	return r.problem.code
}

// sentStatus returns the status for OnRequest.
func (r *reply) sentStatus() int {
	if r.fault.Drop == DropRequest {
		return 0
	}
	return r.status
}

// dropsAnswer reports whether the connection breaks before the answer.
func (r *reply) dropsAnswer() bool {
	return r.fault.Drop == DropRequest || r.fault.Drop == DropConnection
}

// render sets status, header and body.
func (r *reply) render() {
	r.status, r.body = http.StatusOK, r.fault.Body
	contentType := "application/json;charset=utf-8"
	if r.format == formatXML {
		contentType = "text/xml;charset=utf-8"
	}
	switch {
	case r.problem != nil:
		r.status, r.body = r.problem.status, r.encode("Error", r.errorBody())
	case r.response != nil:
		r.body = r.encode(r.action+"Response", r.response)
	case r.fault.Status != 0:
		r.status = r.fault.Status
	}
	r.header = http.Header{
		"Content-Type":     {contentType},
		"Content-Length":   {strconv.Itoa(len(r.body))},
		"Date":             {time.Now().UTC().Format(http.TimeFormat)},
		"X-Acs-Request-Id": {r.requestID},
	}
	for name, values := range r.fault.Header {
		r.header[http.CanonicalHeaderKey(name)] = values
	}
}

// errorBody is an error as the API writes it.
type errorBody struct {
	RequestId string
	HostId    string
	Code      string
	Message   string
	Recommend string
}

func (r *reply) errorBody() errorBody {
	return errorBody{
		RequestId: r.requestID, HostId: r.host, Code: r.problem.code, Message: r.problem.message,
		Recommend: "https://error-center.alibabacloud.com/status/search?Keyword=" + r.problem.code + "&source=PopGw",
	}
}

// encode returns v in the requested format, in XML with a root element of that
// name.
func (r *reply) encode(root string, v any) []byte {
	marshal := marshalXML
	if r.format == formatJSON {
		marshal = func(_ string, v any) ([]byte, error) { return json.Marshal(v) }
	}
	body, err := marshal(root, v)
	if err != nil {
		panic(err) // impossible for a struct of strings and numbers
	}
	return body
}

func marshalXML(root string, v any) ([]byte, error) {
	body := bytes.NewBufferString(xml.Header)
	err := xml.NewEncoder(body).EncodeElement(v, xml.StartElement{Name: xml.Name{Local: root}})
	return body.Bytes(), err
}

// ServeHTTP answers a request, as an [http.Handler] does.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	out := a.answer(r)
	if !wait(r.Context(), out.fault.Wait) || out.dropsAnswer() {
		panic(http.ErrAbortHandler) // closes the connection
	}
	maps.Copy(w.Header(), out.header)
	if out.fault.Drop == DropBody && len(out.body) == 0 {
		w.Header().Set("Content-Length", "1") // of which nothing comes
	}
	w.WriteHeader(out.status)
	if out.fault.Drop == DropBody {
		_, _ = w.Write(out.body[:len(out.body)/2]) // the connection is closed anyway
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
	_, _ = w.Write(out.body) // fails if the client is gone
}

// RoundTrip answers a request without a socket, as an [http.RoundTripper] does.
func (a *API) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		defer func() { _ = r.Body.Close() }() // what a RoundTripper must do
	}
	if r.Context().Err() != nil {
		return nil, context.Cause(r.Context())
	}
	out := a.answer(r)
	if !wait(r.Context(), out.fault.Wait) {
		return nil, context.Cause(r.Context())
	}
	if out.dropsAnswer() {
		return nil, &net.OpError{Op: "read", Net: "tcp", Err: syscall.ECONNRESET}
	}
	var body io.Reader = bytes.NewReader(out.body)
	if out.fault.Drop == DropBody {
		body = io.MultiReader(bytes.NewReader(out.body[:len(out.body)/2]), brokenReader{})
	}
	length, err := strconv.ParseInt(out.header.Get("Content-Length"), 10, 64)
	if err != nil {
		length = -1
	}
	return &http.Response{
		Status: strconv.Itoa(out.status) + " " + http.StatusText(out.status), StatusCode: out.status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: out.header, Body: io.NopCloser(body), ContentLength: length, Request: r,
	}, nil
}

// A brokenReader reads like a connection that broke.
type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// wait waits for d and reports whether ctx lasted until then.
func wait(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
