package cdn

import (
	"fmt"
	"log/slog"
)

// Secret is a text that must not be shown, such as a private key in PEM.
// Printed by fmt, logged by log/slog or encoded by encoding/json and
// encoding/xml it shows "[redacted]"; convert it to a string to read it.
//
// The fmt verb %p and a Secret in an unexported field of another struct are
// exceptions, since fmt does not ask the value there, and so is encoding/gob.
type Secret string

const redacted = "[redacted]"

// Format implements [fmt.Formatter].
func (s Secret) Format(state fmt.State, _ rune) {
	_, _ = fmt.Fprint(state, s.shown()) // a fmt.State reports no error to anyone
}

// LogValue implements [slog.LogValuer].
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.shown()) }

// MarshalText implements [encoding.TextMarshaler], which encoding/json and
// encoding/xml call.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.shown()), nil }

// shown tells an unset secret from a set one, and no more.
func (s Secret) shown() string {
	if s == "" {
		return ""
	}
	return redacted
}
