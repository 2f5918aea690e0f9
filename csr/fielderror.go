package csr

import (
	"errors"
	"strconv"
	"strings"
	"unicode/utf8"
)

// ErrInvalidRequest is what every [FieldError] and every [FieldErrors] matches with errors.Is: the request itself is
// wrong, so that sending or making it again cannot help.
var ErrInvalidRequest = errors.New("csr: invalid request")

// FieldError is one mistake in a [Request].
type FieldError struct {
	Field  string // the field's name in Request, "CommonName"; an element of a list has its index, "SANs[2]"; "Request" for a nil one
	Value  string // as the caller gave it, however long; empty if it is missing; "302 names" if there are too many
	Reason string // what is wrong with it and, for a known mistake, what to write instead
}

// Error returns field, quoted value and reason on one line. A long value is shortened.
func (e *FieldError) Error() string { return "csr: " + e.text() }

// Unwrap returns [ErrInvalidRequest].
func (e *FieldError) Unwrap() error { return ErrInvalidRequest }

func (e *FieldError) text() string {
	if e.Value == "" {
		return e.Field + ": " + e.Reason
	}
	return e.Field + " " + quote(e.Value) + ": " + e.Reason
}

// FieldErrors is every mistake in a [Request], at most one for each field and for each element of SANs, in the order
// of the struct. It is never empty when it is returned as an error.
type FieldErrors []*FieldError

// Error returns all the mistakes on one line.
func (e FieldErrors) Error() string {
	texts := make([]string, len(e))
	for i, err := range e {
		texts[i] = err.text()
	}
	return ErrInvalidRequest.Error() + ": " + strings.Join(texts, "; ")
}

// Unwrap returns each mistake, so that errors.As finds the first *FieldError and errors.Is finds [ErrInvalidRequest].
func (e FieldErrors) Unwrap() []error {
	errs := make([]error, len(e))
	for i, err := range e {
		errs[i] = err
	}
	return errs
}

// quote returns s as a Go string literal, of which a long s shows only the beginning.
func quote(s string) string {
	const most = 80 // bytes: longer than any CommonName, short enough for a log line
	if len(s) <= most {
		return strconv.Quote(s)
	}
	end := most
	for end > most-utf8.UTFMax && !utf8.RuneStart(s[end]) {
		end--
	}
	return strconv.Quote(s[:end]) + "…"
}
