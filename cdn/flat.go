package cdn

import (
	"bytes"
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"
)

// decodeFlat decodes the form that nearly every answer has: a JSON object of
// ASCII strings, without spaces between them, in which only line ends are
// escaped. It reports whether body has that form; if not, body may be other
// JSON, and e and value may be half set. It takes a tenth of the time of
// encoding/json, which would take a fifth of a whole call.
func decodeFlat(body []byte, e *envelope, value any) bool {
	fields := fieldsOf(value)
	rest, ok := bytes.CutPrefix(body, []byte("{"))
	if !ok || !fields.flat {
		return false
	}
	for {
		name, afterName, ok := cutQuoted(rest)
		if !ok || slices.ContainsFunc(name, isSpecial) {
			return false
		}
		quoted, ok := bytes.CutPrefix(afterName, []byte(":"))
		if !ok {
			return false
		}
		quoted, rest, ok = cutQuoted(quoted)
		if !ok || !setFlat(name, quoted, e, fields) {
			return false
		}
		if string(rest) == "}" {
			return true
		}
		if rest, ok = bytes.CutPrefix(rest, []byte(",")); !ok {
			return false
		}
	}
}

// setFlat sets the fields of that name. It reports whether their value could
// be read.
func setFlat(name, quoted []byte, e *envelope, fields fields) bool {
	inEnvelope, inValue := e.field(name), fields.find(name)
	value, ok := unquoteLines(quoted)
	if !ok {
		return false
	}
	if inEnvelope != nil {
		*inEnvelope = text(value)
	}
	if inValue.IsValid() {
		inValue.SetString(value)
	}
	return true
}

// cutQuoted takes a JSON string off the beginning of body, still quoted.
func cutQuoted(body []byte) (quoted, rest []byte, ok bool) {
	quoted, ok = bytes.CutPrefix(body, []byte(`"`))
	end := bytes.IndexByte(quoted, '"')
	if !ok || end < 0 {
		return nil, nil, false
	}
	return quoted[:end], quoted[end+1:], true
}

// unquoteLines unquotes a JSON string, as PEM is encoded. It reports whether it
// is ASCII, of which nothing but line ends was escaped.
func unquoteLines(quoted []byte) (string, bool) {
	var lines strings.Builder
	lines.Grow(len(quoted))
	begin := 0 // of the line
	for i, b := range quoted {
		if !isSpecial(b) {
			continue
		}
		if !bytes.HasPrefix(quoted[i:], []byte(`\n`)) {
			return "", false
		}
		lines.Write(quoted[begin:i])
		lines.WriteByte('\n')
		begin = i + len(`\n`)
	}
	lines.Write(quoted[begin:])
	return lines.String(), true
}

// isSpecial reports whether b must be escaped in a JSON string (RFC 8259,
// section 7), is not ASCII, or begins an escape. (In this order the compiler
// makes one comparison of the first two, a fifth of unquoteLines's time.)
func isSpecial(b byte) bool { return b < ' ' || b >= utf8.RuneSelf || b == '\\' }

// fields are the fields of a struct by their names in JSON.
type fields struct {
	value reflect.Value
	*layout
}

// A layout describes a struct type.
type layout struct {
	names []string // of the fields; empty for one that is not in JSON
	flat  bool     // every field in JSON is a string
}

var layouts sync.Map // reflect.Type to *layout

// fieldsOf returns the fields of the struct that v points to.
func fieldsOf(v any) fields {
	value := reflect.ValueOf(v).Elem()
	known, ok := layouts.Load(value.Type())
	if !ok {
		known, _ = layouts.LoadOrStore(value.Type(), layoutOf(v))
	}
	return fields{value, known.(*layout)}
}

func layoutOf(v any) *layout {
	_, decodesItself := v.(json.Unmarshaler)
	l := &layout{flat: !decodesItself}
	for field := range reflect.TypeOf(v).Elem().Fields() {
		name := field.Name
		if field.Tag.Get("json") == "-" {
			name = ""
		} else if field.Type.Kind() != reflect.String {
			l.flat = false
		}
		l.names = append(l.names, name)
	}
	return l
}

// find returns the field of that name in any case, as encoding/json does; the
// zero Value if there is none.
func (f fields) find(name []byte) reflect.Value {
	for i, known := range f.names {
		if known != "" && strings.EqualFold(string(name), known) {
			return f.value.Field(i)
		}
	}
	return reflect.Value{}
}
