package cdntest

import (
	"context"
	"fmt"
	"net/http"
)

// operations has the operations of the API by name. To add one, add a line here
// and a file with its two functions, such as describecertificate.go.
var operations = map[string]operation{
	"CreateCdnCertificateSigningRequest": {checkCreateCSR, createCSR},
	"SetCdnDomainCSRCertificate":         {checkSetCSRCertificate, setCSRCertificate},
	"SetCdnDomainSSLCertificate":         {checkSetSSLCertificate, setSSLCertificate},
	"DescribeDomainCertificateInfo":      {checkDomainName, describeCertificate},
	"DescribeCdnSSLCertificateList":      {checkListCertificates, listCertificates},
}

// An operation is a handler behind the gateway.
type operation struct {
	// check refuses parameters that are invalid in any state of the account.
	check func(*call) *problem

	// run does the work. Its response is encoded as JSON, or as XML with a root
	// element that is named after the operation.
	run func(context.Context, *API, *call) (response any, _ *problem)
}

// A call is the part of a request that an operation needs.
type call struct {
	params      map[string]string // the operation's own
	requestID   string
	secretInURL bool
}

// onlyRequestID is a response without other fields.
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
