package cdntest

import (
	"fmt"
	"net/http"
	"slices"
	"time"
)

// A Fault is what happens to one call instead of its answer. A call is checked before: one that the service would refuse is
// refused and leaves the script as it is. The zero value is no fault: the call is answered.
type Fault struct {
	// CommonName is whose call it is for. Empty is whichever comes next.
	CommonName string

	// Wait comes before the answer. A call whose context ends meanwhile is not answered.
	Wait time.Duration

	// Cut ends the connection before or in the answer.
	Cut Cut

	// Status is that of HTTP. Zero is 400 with a Code, and 200 with a Body.
	Status int

	// Code and Message make it an error of the API, whatever Body says. A Message alone is nothing.
	Code, Message string

	// Header is added to the answer's, whether that is scripted or not.
	Header http.Header

	// Body is sent as it is. Nil with a Status and no Code is an empty body.
	Body []byte
}

// Cut is where a connection ends.
type Cut int

// The places.
const (
	CutNone   Cut = iota // nowhere
	CutBefore            // before the headers
	CutBody              // in the middle of the body
)

// Script adds faults for calls to come: each is used once, in their order. It panics if a Status is neither 0 nor 200 to
// 599.
func (a *API) Script(faults ...Fault) {
	for _, fault := range faults {
		if s := fault.Status; s != 0 && (s < 200 || s > 599) {
			panic(fmt.Sprintf("cdntest: Fault.Status %d: want 200 to 599, or 0 for the default", s))
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.faults = append(a.faults, faults...)
}

// nextFault takes the first fault that is for a call of that name.
func (a *API) nextFault(commonName string) (Fault, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for i, fault := range a.faults {
		if fault.CommonName == "" || fault.CommonName == commonName {
			a.faults = slices.Delete(a.faults, i, i+1)
			return fault, true
		}
	}
	return Fault{}, false
}
