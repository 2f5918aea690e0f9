package cdn

import (
	"bytes"
	"slices"
	"strings"
	"unicode/utf8"
)

// decodeFlat reads what nearly every answer is: an object of strings, without spaces between them, in which nothing but line
// ends is escaped. It takes a fraction of encoding/json's time, which is a good part of what a call costs beside the network.
// It is not ok if the body is anything else, which may be JSON nevertheless.
func decodeFlat(body []byte) (a answer, ok bool) {
	rest, ok := bytes.CutPrefix(body, []byte("{"))
	for ok {
		var name, value string
		if name, rest, ok = cutString(rest); !ok {
			break
		}
		if rest, ok = bytes.CutPrefix(rest, []byte(":")); !ok {
			break
		}
		if value, rest, ok = cutString(rest); !ok {
			break
		}
		if field := a.field(name); field != nil {
			*field = value
		}
		if string(rest) == "}" {
			return a, true
		}
		rest, ok = bytes.CutPrefix(rest, []byte(","))
	}
	return answer{}, false
}

// cutString takes a JSON string off the beginning of body.
func cutString(body []byte) (value string, rest []byte, ok bool) {
	quoted, ok := bytes.CutPrefix(body, []byte(`"`))
	end := bytes.IndexByte(quoted, '"')
	if !ok || end < 0 || slices.ContainsFunc(quoted[:end], isControl) {
		return "", nil, false
	}
	value, ok = unquoteLines(quoted[:end])
	return value, quoted[end+1:], ok
}

// isControl tells whether b may not stand in a JSON string as it is (RFC 8259, section 7).
func isControl(b byte) bool { return b < ' ' }

// unquoteLines undoes the quoting of a JSON string that has line ends to escape and nothing else, as a CSR does.
func unquoteLines(quoted []byte) (string, bool) {
	if !utf8.Valid(quoted) {
		return "", false
	}
	var lines strings.Builder
	lines.Grow(len(quoted))
	for {
		line, rest, more := bytes.Cut(quoted, []byte(`\n`))
		if bytes.IndexByte(line, '\\') >= 0 {
			return "", false
		}
		lines.Write(line)
		if !more {
			return lines.String(), true
		}
		lines.WriteByte('\n')
		quoted = rest
	}
}
