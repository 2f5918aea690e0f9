package cdn

import (
	"fmt"
	"log/slog"
)

// Secret is a text that must not be shown, such as a private key in PEM.
// Packages fmt, log/slog, encoding/json and encoding/xml print it as
// "[redacted]"; convert it to a string to read it.
//
// There are exceptions, in which the methods of Secret are not called: fmt
// prints a Secret in an unexported field of another struct, and with the verb
// %p, and encoding/gob encodes it.
type Secret string

const redacted = "[redacted]"

// Format implements [fmt.Formatter].
func (s Secret) Format(state fmt.State, _ rune) {
	_, _ = fmt.Fprint(state, s.shown()) // fmt ignores the error
}

// LogValue implements [slog.LogValuer].
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.shown()) }

// MarshalText implements [encoding.TextMarshaler], which encoding/json and
// encoding/xml call.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.shown()), nil }

// shown returns what is printed: "" if s is empty, so that one sees whether it
// is set.
func (s Secret) shown() string {
	if s == "" {
		return ""
	}
	return redacted
}
