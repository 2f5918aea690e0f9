package cdntest

import (
	"context"
	"fmt"
	"net/http"
)

// operations lists what the API can do. A new operation is a file with its
// checks and its work, and a line here.
var operations = map[string]operation{
	"CreateCdnCertificateSigningRequest": {checkCreateCSR, createCSR},
	"SetCdnDomainCSRCertificate":         {checkSetCSRCertificate, setCSRCertificate},
	"SetCdnDomainSSLCertificate":         {checkSetSSLCertificate, setSSLCertificate},
	"DescribeDomainCertificateInfo":      {checkDomainName, describeCertificate},
	"DescribeCdnSSLCertificateList":      {checkListCertificates, listCertificates},
}

// An operation is a handler behind the gateway.
type operation struct {
	// check refuses parameters that can't be right whatever the state of the
	// API is.
	check func(*call) *problem

	// run does the work. Its response is encoded as JSON or as XML, under the
	// root that has the operation's name.
	run func(context.Context, *API, *call) (response any, _ *problem)
}

// A call is what the gateway hands on of a request.
type call struct {
	params      map[string]string // the operation's own
	requestID   string
	secretInURL bool
}

// onlyRequestID is the response of an operation that has nothing else to say.
type onlyRequestID struct{ RequestId string }

// A problem is an error of the API.
type problem struct {
	status        int
	code, message string
}

func badRequest(code, message string) *problem {
	return &problem{http.StatusBadRequest, code, message}
}

func missing(name string) *problem {
	return badRequest("MissingParameter",
		fmt.Sprintf("The input parameter %q that is mandatory for processing this request is not supplied.", name))
}

func invalid(name string) *problem {
	return badRequest("InvalidParameter", fmt.Sprintf("Specified parameter %s is not valid.", name))
}
