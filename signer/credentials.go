package signer

import (
	"encoding/json"
	"fmt"
	"log/slog"
)

// Credentials are an access key, or temporary credentials of the Security Token Service (STS).
//
// Printed, logged or marshalled they show the AccessKeyID alone. The fmt verbs %p and %w are the exceptions: fmt refuses
// them for a struct before it asks the struct, and prints its fields; go vet reports both. Credentials in an unexported field are
// printed too, since fmt can't ask them there; and encoding/gob asks nobody and writes every field.
type Credentials struct {
	AccessKeyID     string // required
	AccessKeySecret string // required
	SecurityToken   string // empty for an access key, required for temporary credentials
}

// Validate says whether the credentials can sign: both parts of the key are there, and nothing holds a space, a control
// character or anything beyond ASCII, as a value does that was copied with its line end. The error names the field and
// never its value.
func (c Credentials) Validate() error {
	if c.AccessKeyID == "" {
		return fmt.Errorf("signer: AccessKeyID: is empty: set it to the ID of an access key")
	}
	if c.AccessKeySecret == "" {
		return fmt.Errorf("signer: AccessKeySecret: is empty: set it, as it came with the AccessKeyID")
	}
	for _, field := range [...]struct{ name, value string }{
		{"AccessKeyID", c.AccessKeyID},
		{"AccessKeySecret", c.AccessKeySecret},
		{"SecurityToken", c.SecurityToken},
	} {
		if !isGraphic(field.value) {
			return fmt.Errorf("signer: %s: holds a space, a control character or a character beyond ASCII: copy it again, without its line end", field.name)
		}
	}
	return nil
}

// Format implements [fmt.Formatter]: whatever the verb, only the AccessKeyID is shown.
func (c Credentials) Format(state fmt.State, _ rune) {
	_, _ = fmt.Fprintf(state, "{AccessKeyID:%q}", c.AccessKeyID) // a fmt.State reports no error to anyone
}

// LogValue implements [slog.LogValuer]: only the AccessKeyID is shown.
func (c Credentials) LogValue() slog.Value {
	return slog.GroupValue(slog.String("AccessKeyID", c.AccessKeyID))
}

// MarshalJSON implements [json.Marshaler]: only the AccessKeyID is shown, so what it writes can't be read back as
// credentials that sign.
func (c Credentials) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct{ AccessKeyID string }{c.AccessKeyID})
}

// MarshalText implements [encoding.TextMarshaler], which most other encodings (XML, YAML, TOML) ask: only the AccessKeyID
// is shown.
func (c Credentials) MarshalText() ([]byte, error) {
	return []byte(c.AccessKeyID), nil
}

// isGraphic tells whether s is of visible ASCII characters only.
func isGraphic(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}
