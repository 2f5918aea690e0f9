package csr

import (
	"errors"
	"strconv"
	"strings"
	"unicode/utf8"
)

// ErrInvalidRequest is matched, with errors.Is, by every error about a mistake
// in the request itself. The same request can't succeed later.
var ErrInvalidRequest = errors.New("invalid request")

// A FieldError describes one invalid field of a request.
type FieldError struct {
	Field  string // its name, such as "CommonName", or "SANs[2]" in a list; "Request" if the request is nil
	Value  string // as the caller gave it, in full; empty if it is missing; "302 names" if there are too many
	Reason string // what is wrong, to be read after Field and Value, such as `is a URL: write only "example.com"`
}

// Error returns the field, its quoted value and the reason on one line. A long
// value is shortened.
func (e *FieldError) Error() string { return ErrInvalidRequest.Error() + ": " + e.text() }

// Unwrap returns [ErrInvalidRequest].
func (e *FieldError) Unwrap() error { return ErrInvalidRequest }

func (e *FieldError) text() string {
	if e == nil {
		return "nil FieldError"
	}
	if e.Value == "" {
		return e.Field + " " + e.Reason
	}
	return e.Field + " " + quote(e.Value) + " " + e.Reason
}

// FieldErrors lists everything that is wrong with a request, in the order of
// its fields. Functions return the error of its Err method, in which errors.As
// and errors.AsType find the FieldErrors and its first [*FieldError].
type FieldErrors []*FieldError

// Err returns nil if e is empty, and otherwise an error that wraps e. Unlike e
// itself, which is a slice, that error can be compared and can be the key of a
// map.
func (e FieldErrors) Err() error {
	if len(e) == 0 {
		return nil
	}
	return &requestError{e}
}

// Error returns all the errors on one line.
func (e FieldErrors) Error() string {
	texts := make([]string, len(e))
	for i, err := range e {
		texts[i] = err.text()
	}
	return ErrInvalidRequest.Error() + ": " + strings.Join(texts, "; ")
}

// Unwrap returns the elements of e.
func (e FieldErrors) Unwrap() []error {
	errs := make([]error, len(e))
	for i, err := range e {
		errs[i] = err
	}
	return errs
}

// A requestError is a comparable error with FieldErrors. It does not unwrap to
// them, so that every error in its tree is comparable.
type requestError struct{ fields FieldErrors }

func (e *requestError) Error() string { return e.fields.Error() }

func (e *requestError) Unwrap() []error { return e.fields.Unwrap() }

// As sets target, if it is a *FieldErrors, for errors.As.
func (e *requestError) As(target any) bool {
	fields, ok := target.(*FieldErrors)
	if ok {
		*fields = e.fields
	}
	return ok
}

// quote returns s as a Go string literal, cut off after its first 80 bytes.
func quote(s string) string {
	const most = 80 // longer than any CommonName, short enough for a log line
	if len(s) <= most {
		return strconv.Quote(s)
	}
	end := most
	for end > most-utf8.UTFMax && !utf8.RuneStart(s[end]) {
		end--
	}
	return strconv.Quote(s[:end]) + "…"
}
