package cdn

import (
	"context"
	"reflect"
	"strings"

	"github.com/cdncsr/cdncsr/signer"
)

// apiVersion is the version of the CDN's API, from the operations' pages.
const apiVersion = "2018-05-10"

// An operation is what one call asks of the service. Each operation of the CDN
// has a file of its own, such as describecertificate.go, with its request, its
// response, and the method of Client that collects the parameters and calls do.
type operation struct {
	signer.Call
	secrets []string // the names of the parameters that hold secrets
}

// isOtherAPI reports whether op is not one of the CDN.
func (op operation) isOtherAPI() bool { return op.Version != apiVersion }

// A response is where the answer to an operation goes.
type response struct {
	value any     // a pointer that the answer is decoded into; nil discards it
	id    *string // the request ID in value; nil if value has none of its own

	// required is the field of value that every answer sets, and requiredName
	// its name. If nil, any answer without a Code is accepted.
	required     *string
	requiredName string
}

// do calls op and returns resp, or nil after an error. The field id of resp
// takes the request ID, which every answer must have.
func do[T any](ctx context.Context, c *Client, op operation, resp *T, id *string) (*T, error) {
	if err := c.call(ctx, op, response{value: resp, id: id, required: id, requiredName: "RequestId"}); err != nil {
		return nil, err
	}
	return resp, nil
}

// setID sets the request ID in value, if value has one.
func (r response) setID(id string) {
	if r.id != nil {
		*r.id = id
	}
}

// isComplete reports whether value has what every answer has.
func (r response) isComplete() bool {
	return r.required == nil || strings.TrimSpace(*r.required) != ""
}

// reset clears what the answer of a failed attempt may have left in value.
func (r response) reset() {
	if r.required != nil {
		reflect.ValueOf(r.value).Elem().SetZero()
	}
}
