package cdn

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strconv"
	"strings"
)

// An envelope has the fields that any answer of the API may have beside those
// of its operation.
type envelope struct {
	Code, Message, RequestId, HostId, Recommend text
}

// text is a JSON value of any type as text: the characters of a string,
// nothing for null, and the JSON itself for anything else.
type text string

// UnmarshalJSON implements [json.Unmarshaler].
func (t *text) UnmarshalJSON(value []byte) error {
	switch {
	case string(value) == "null":
		return nil
	case value[0] != '"':
		*t = text(value)
		return nil
	}
	return json.Unmarshal(value, (*string)(t))
}

// field returns the field of that name, or nil. It ignores case, since some
// gateways write names in lower case.
func (e *envelope) field(name []byte) *text {
	for _, f := range [...]struct {
		name  string
		value *text
	}{
		{"RequestId", &e.RequestId},
		{"Code", &e.Code},
		{"Message", &e.Message},
		{"HostId", &e.HostId},
		{"Recommend", &e.Recommend},
	} {
		if len(name) == len(f.name) && strings.EqualFold(string(name), f.name) {
			return f.value
		}
	}
	return nil
}

// isError reports whether an answer is an error even if its HTTP status is 2xx.
// Some APIs have a Code that means success.
func (e *envelope) isError() bool {
	switch strings.TrimSpace(string(e.Code)) {
	case "", "OK", "200":
		return false
	}
	return true
}

var (
	// errNotAnswer means that the body is not a complete answer of this API.
	errNotAnswer = errors.New("not an answer of this API")
	// errValue means that the body is an answer that the caller's value can't
	// hold.
	errValue = errors.New("decode the answer")
)

// decode decodes body as JSON or XML, by its first character: neither the
// requested format nor the Content-Type is reliable. The response is decoded if
// the HTTP status is 2xx and the envelope has no error. The error wraps
// errNotAnswer or errValue.
func (r response) decode(body []byte, action string, succeeded bool) (envelope, error) {
	if !succeeded {
		r = response{} // the envelope is all that is of interest
	}
	body = bytes.TrimSpace(bytes.TrimPrefix(bytes.TrimSpace(body), []byte("\ufeff")))
	switch {
	case bytes.HasPrefix(body, []byte("{")):
		return r.decodeJSON(body)
	case bytes.HasPrefix(body, []byte("<")):
		return r.decodeXML(body, action)
	}
	return envelope{}, errNotAnswer
}

func (r response) decodeJSON(body []byte) (envelope, error) {
	if r.required != nil {
		var flat envelope // of its own, since encoding/json moves its argument to the heap
		if decodeFlat(body, &flat, r.value) {
			return flat, nil
		}
	}
	var e envelope
	if json.Unmarshal(body, &e) != nil {
		return envelope{}, errNotAnswer
	}
	if r.value == nil || e.isError() {
		return e, nil
	}
	return e, r.check(json.Unmarshal(body, r.value))
}

// check returns the error of decode for err, which is that of decoding a
// well-formed body into r.value.
func (r response) check(err error) error {
	mistyped, ok := errors.AsType[*json.UnmarshalTypeError](err)
	switch {
	case err == nil:
		return nil
	case r.required == nil:
		return fmt.Errorf("%w: %w", errValue, err)
	case ok && (mistyped.Type.Kind() == reflect.String || mistyped.Type.Kind() == reflect.Int64):
		return nil // that field stays empty; isComplete reports whether it matters
	}
	return fmt.Errorf("%w: %w", errNotAnswer, err)
}

// decodeXML accepts two root elements: Error, and any whose name begins with
// the action, since the operations' pages misspell the rest.
func (r response) decodeXML(body []byte, action string) (envelope, error) {
	var e envelope
	root, err := decodeElement(body, &e)
	isResponse := len(root) >= len(action) && strings.EqualFold(root[:len(action)], action)
	isError := strings.EqualFold(root, "Error") && e.isError()
	if err != nil || !isResponse && !isError {
		return envelope{}, errNotAnswer
	}
	if !isResponse || r.value == nil || e.isError() {
		return e, nil
	}
	_, err = decodeElement(body, r.value)
	return e, r.check(err)
}

// decodeElement decodes a document of one element and returns its name.
func decodeElement(body []byte, value any) (root string, err error) {
	decoder := xml.NewDecoder(bytes.NewReader(body))
	for {
		token, err := decoder.Token()
		if err != nil {
			if errors.Is(err, io.EOF) && root != "" {
				return root, nil
			}
			return "", err
		}
		switch token := token.(type) {
		case xml.StartElement:
			if root != "" {
				return "", errNotAnswer
			}
			root = token.Name.Local
			if err := decoder.DecodeElement(value, &token); err != nil {
				return root, err
			}
		case xml.CharData:
			if len(bytes.TrimSpace(token)) > 0 {
				return "", errNotAnswer
			}
		}
	}
}

// UnmarshalXML implements [xml.Unmarshaler].
func (e *envelope) UnmarshalXML(d *xml.Decoder, start xml.StartElement) error {
	var elements struct {
		All []struct {
			XMLName xml.Name
			Text    string `xml:",chardata"`
		} `xml:",any"`
	}
	if err := d.DecodeElement(&elements, &start); err != nil {
		return err
	}
	for _, element := range elements.All {
		if field := e.field([]byte(element.XMLName.Local)); field != nil {
			*field = text(element.Text)
		}
	}
	return nil
}

// unmarshalTexts decodes a JSON object into v, a struct of strings and
// integers, and accepts a number for a string and a string for a number: the
// service is not strict about its own types. An integer that can't be read
// stays zero.
func unmarshalTexts(object []byte, v any) error {
	fields := fieldsOf(v)
	decoder := json.NewDecoder(bytes.NewReader(object)) // by members, of which the last of a name counts
	begin, err := decoder.Token()
	if err != nil || begin == nil { // null
		return err
	}
	if begin != json.Delim('{') {
		return fmt.Errorf("%w: want an object, got %.20s", errNotAnswer, object)
	}
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			return err
		}
		var value text
		if err = decoder.Decode(&value); err != nil {
			return err
		}
		field := fields.find([]byte(name.(string)))
		switch {
		case !field.IsValid():
		case field.CanInt():
			n, _ := strconv.ParseInt(string(value), 10, 64) // zero after an error
			field.SetInt(n)
		default:
			field.SetString(string(value))
		}
	}
	return nil
}
