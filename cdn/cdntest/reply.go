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

	"github.com/cdncsr/cdncsr/csr"
)

// A reply is what a call is answered with. It is rendered before it is sent, the same for a server and a RoundTripper.
type reply struct {
	format, requestID, host string

	response *csr.Response
	problem  *problem
	fault    Fault

	status int
	header http.Header
	body   []byte
}

// scripted is r with a fault for the call.
func (r reply) scripted(fault Fault) reply {
	r.fault = fault
	if fault.Code != "" {
		r.problem = &problem{status: fault.Status, code: fault.Code, message: fault.Message}
		if fault.Status == 0 {
			r.problem.status = http.StatusBadRequest
		}
	}
	return r
}

// isPlain tells whether nothing says what to answer, so that the operation has to.
func (r reply) isPlain() bool {
	return r.problem == nil && r.fault.Status == 0 && r.fault.Body == nil && r.fault.Cut != CutBefore
}

func (r reply) code() string {
	if r.problem == nil {
		return ""
	}
	return r.problem.code
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
		r.status, r.body = r.problem.status, r.encode(r.error())
	case r.response != nil:
		r.response.RequestId = r.requestID
		r.body = r.encode(r.response)
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
	XMLName   xml.Name `json:"-" xml:"Error"`
	RequestId string
	HostId    string
	Code      string
	Message   string
	Recommend string
}

func (r reply) error() errorBody {
	return errorBody{
		RequestId: r.requestID, HostId: r.host, Code: r.problem.code, Message: r.problem.message,
		Recommend: "https://error-center.alibabacloud.com/status/search?Keyword=" + r.problem.code + "&source=PopGw",
	}
}

func (r reply) encode(v any) []byte {
	if r.format == formatJSON {
		body, err := json.Marshal(v)
		if err != nil {
			panic(err) // a struct of strings
		}
		return body
	}
	body, err := xml.Marshal(v)
	if err != nil {
		panic(err) // a struct of strings
	}
	return append([]byte(xml.Header), body...)
}

// ServeHTTP implements [http.Handler].
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	out := a.answer(r)
	if !wait(r.Context(), out.fault.Wait) || out.fault.Cut == CutBefore {
		panic(http.ErrAbortHandler) // closes the connection
	}
	maps.Copy(w.Header(), out.header)
	w.WriteHeader(out.status)
	if out.fault.Cut == CutBody {
		_, _ = w.Write(out.body[:len(out.body)/2]) // the connection is closed anyway
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
	_, _ = w.Write(out.body) // a client that has gone is no error of the fake's
}

// RoundTrip implements [http.RoundTripper]: it answers without a socket.
func (a *API) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		defer func() { _ = r.Body.Close() }() // what a RoundTripper must do
	}
	out := a.answer(r)
	if !wait(r.Context(), out.fault.Wait) {
		return nil, context.Cause(r.Context())
	}
	if out.fault.Cut == CutBefore {
		return nil, &net.OpError{Op: "read", Net: "tcp", Err: syscall.ECONNRESET}
	}
	var body io.Reader = bytes.NewReader(out.body)
	if out.fault.Cut == CutBody {
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

// brokenReader is the end of a connection that was cut.
type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// wait tells whether ctx lived to the end of it.
func wait(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
