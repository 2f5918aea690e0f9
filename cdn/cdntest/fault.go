package cdntest

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"
)

// A Fault applies to one request whose signature and parameters are valid; a
// request that the API refuses does not use it up. The zero value changes
// nothing.
//
// A Status, a Code, a Body and DropRequest replace the operation's work: no key
// is made and nothing is installed. The other faults happen after the work. To
// lose the answer to work that was done, use DropConnection, DropBody, or a
// Wait that is longer than the client's time-out.
type Fault struct {
	// Action is the operation that the fault applies to. If empty, it applies
	// to any.
	Action string

	// Match, if non-nil, reports whether the fault applies to a request with
	// these parameters, which are [Request].Params. It must not call Inject.
	Match func(params map[string]string) bool

	// Wait delays the answer, or the drop of the connection. If the request's
	// context ends first, there is no answer.
	Wait time.Duration

	// Drop breaks the connection.
	Drop Drop

	// Status is the HTTP status of the answer, from 200 to 599. The default is
	// 400 with a Code, and 200 with a Body.
	Status int

	// Code and Message make the answer an error of the API; Body is ignored
	// then. Without a Code, Message is ignored.
	Code, Message string

	// Header is added to the header of the answer, and replaces fields of the
	// same name.
	Header http.Header

	// Body is the body of the answer. If nil, an answer with a Status but no
	// Code has an empty body.
	Body []byte
}

// Drop is the point at which a connection breaks.
type Drop int

// The points at which a connection breaks.
const (
	DropNone       Drop = iota // it does not break
	DropRequest                // before the work is done
	DropConnection             // after the work, before the answer
	DropBody                   // after the work, in the middle of the answer's body
)

// Inject adds faults for later requests. Each is used once; a request takes the
// first one that applies to it. Inject panics if an Action is not an operation
// of the API, or a Status is neither 0 nor 200 to 599.
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

// faults has the faults that are not used yet.
type faults struct {
	mu   sync.Mutex
	list []Fault
}

// takeFault removes and returns the first fault that applies to such a request,
// or a zero Fault.
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

// replacesWork reports whether f replaces the operation's work.
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
