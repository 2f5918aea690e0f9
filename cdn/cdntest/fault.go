package cdntest

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"
)

// A Fault happens to one request whose signature and parameters passed the
// API's checks; a request that is refused uses up no Fault. The zero value
// changes nothing.
//
// A Status, Code or Body, and DropRequest, come instead of the operation's
// work: no key is made and nothing is installed. Everything else comes after
// the work. So there are three ways to lose the answer to work that was done:
// DropConnection, DropBody, and a Wait longer than the client's time-out.
type Fault struct {
	// Action names the operation that the fault is for. If empty, it is for
	// any.
	Action string

	// Match, if non-nil, reports whether the fault is for a request with these
	// parameters, which are those of [Request]. It must not call Inject.
	Match func(params map[string]string) bool

	// Wait delays the answer, or the drop of the connection. If the request's
	// context ends first, there is no answer.
	Wait time.Duration

	// Drop breaks the connection.
	Drop Drop

	// Status is the HTTP status of the answer, from 200 to 599. If zero, it is
	// 400 with a Code and 200 with a Body.
	Status int

	// Code and Message make the answer an error of the API, and Body is
	// ignored. A Message without a Code is ignored.
	Code, Message string

	// Header is added to the answer's header, and replaces fields of the same
	// name.
	Header http.Header

	// Body is the answer's body. If nil, a Status without a Code has an empty
	// one.
	Body []byte
}

// Drop says at which point a connection breaks.
type Drop int

// The points at which a connection breaks.
const (
	DropNone       Drop = iota // it does not break
	DropRequest                // before the work is done
	DropConnection             // after the work, before the answer
	DropBody                   // after the work, in the middle of the answer's body
)

// Inject adds faults for requests to come. Each is used once; a request takes
// the first that is for it. Inject panics if an Action is not an operation that
// the API knows, or a Status is neither 0 nor 200 to 599.
func (a *API) Inject(faults ...Fault) {
	for _, fault := range faults {
		if _, ok := operations[fault.Action]; !ok && fault.Action != "" {
			panic(fmt.Sprintf("cdntest: Fault.Action %q: not an operation of the API", fault.Action))
		}
		if s := fault.Status; s != 0 && (s < 200 || s > 599) {
			panic(fmt.Sprintf("cdntest: Fault.Status %d: want 200 to 599, or 0 for the default", s))
		}
	}
	a.faults.mu.Lock()
	defer a.faults.mu.Unlock()
	a.faults.list = append(a.faults.list, faults...)
}

// faults is the list of those injected and not yet used.
type faults struct {
	mu   sync.Mutex
	list []Fault
}

// takeFault removes and returns the first fault that is for such a request, or
// a zero one.
func (a *API) takeFault(action string, params map[string]string) Fault {
	a.faults.mu.Lock()
	defer a.faults.mu.Unlock()
	for i, fault := range a.faults.list {
		if fault.isFor(action, params) {
			a.faults.list = slices.Delete(a.faults.list, i, i+1)
			return fault
		}
	}
	return Fault{}
}

func (f Fault) isFor(action string, params map[string]string) bool {
	if f.Action != "" && f.Action != action {
		return false
	}
	return f.Match == nil || f.Match(maps.Clone(params))
}

// replacesWork reports whether the operation is not to run.
func (f Fault) replacesWork() bool {
	return f.Drop == DropRequest || f.Status != 0 || f.Code != "" || f.Body != nil
}

// problem returns the error of the API that f asks for, or nil.
func (f Fault) problem() *problem {
	if f.Code == "" {
		return nil
	}
	status := f.Status
	if status == 0 {
		status = http.StatusBadRequest
	}
	return &problem{status, f.Code, f.Message}
}
