package signer

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
)

// Credentials are an access key, or temporary credentials of the Security Token
// Service (STS).
//
// Printed, logged or marshaled, they show only their AccessKeyID. There are
// exceptions: fmt prints every field for the verbs %p and %w, which go vet
// reports, and for Credentials in an unexported field of another struct;
// encoding/gob writes every field.
type Credentials struct {
	AccessKeyID     string // required
	AccessKeySecret string // required
	SecurityToken   string // empty for an access key, required for temporary credentials
}

// Validate returns an error if AccessKeyID or AccessKeySecret is empty, or if a
// field has a character that is not visible ASCII, such as the line end of a
// copied value. The error names the field and never shows its value.
func (c Credentials) Validate() error {
	if c.AccessKeyID == "" {
		return errors.New("signer: AccessKeyID is empty")
	}
	if c.AccessKeySecret == "" {
		return errors.New("signer: AccessKeySecret is empty")
	}
	for _, field := range [...]struct{ name, value string }{
		{"AccessKeyID", c.AccessKeyID},
		{"AccessKeySecret", c.AccessKeySecret},
		{"SecurityToken", c.SecurityToken},
	} {
		if !isGraphic(field.value) {
			return fmt.Errorf("signer: %s has a space, a line end or another character that is not visible ASCII", field.name)
		}
	}
	return nil
}

// Format implements [fmt.Formatter]. Every verb shows only the AccessKeyID.
func (c Credentials) Format(state fmt.State, _ rune) {
	_, _ = fmt.Fprintf(state, "{AccessKeyID:%q}", c.AccessKeyID) // a fmt.State reports no error to anyone
}

// LogValue implements [slog.LogValuer]. It shows only the AccessKeyID.
func (c Credentials) LogValue() slog.Value {
	return slog.GroupValue(slog.String("AccessKeyID", c.AccessKeyID))
}

// MarshalJSON implements [json.Marshaler]. It writes only the AccessKeyID, so
// its output can't be read back as credentials that sign.
func (c Credentials) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct{ AccessKeyID string }{c.AccessKeyID})
}

// MarshalText implements [encoding.TextMarshaler], which most other encodings
// (XML, YAML, TOML) call. It returns only the AccessKeyID.
func (c Credentials) MarshalText() ([]byte, error) {
	return []byte(c.AccessKeyID), nil
}

// isGraphic reports whether s has only visible ASCII characters.
func isGraphic(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}
