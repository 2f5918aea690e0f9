package cdn

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"strings"
)

// An answer is what an answer of this API may hold: a response's parameters, or an error's.
type answer struct {
	Csr string // what makes it a response must be a string

	RequestId, CommonName, PubMd5, Code, Message, HostId, Recommend text
}

// decode reads a body as what it is, JSON or XML, whatever was asked for and whatever its Content-Type says. It is not ok if
// the body is neither, or not whole, or XML with another root: a page, a message of something in between.
func decode(body []byte) (a answer, ok bool) {
	body = bytes.TrimSpace(bytes.TrimPrefix(bytes.TrimSpace(body), []byte("\ufeff")))
	switch {
	case bytes.HasPrefix(body, []byte("{")):
		return decodeJSON(body)
	case bytes.HasPrefix(body, []byte("<")):
		return decodeXML(body)
	}
	return answer{}, false
}

// decodeJSON reads an object. Names match without regard to case, as some gateways write them in lower case.
func decodeJSON(body []byte) (answer, bool) {
	if a, ok := decodeFlat(body); ok {
		return a, true
	}
	var a answer
	err := json.Unmarshal(body, &a)
	_, mistyped := errors.AsType[*json.UnmarshalTypeError](err) // of Csr, which stays empty
	if err != nil && !mistyped {
		return answer{}, false
	}
	return a, true
}

// text is a value of any JSON type as text: a string's own, nothing for null, the JSON itself for anything else.
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

// The roots of an answer in XML. The operation's page prints the second for a response, sic.
var xmlRoots = [...]string{
	"CreateCdnCertificateSigningRequestResponse",
	"CreateCdnCertificateSigningRequestResesponse",
	"Error",
}

// decodeXML reads the elements right below the root, with all text that is in them.
func decodeXML(body []byte) (answer, bool) {
	var a answer
	var field *string // where the value goes that is being read; nil if it is not wanted
	var value []byte
	depth, ended := 0, false
	decoder := xml.NewDecoder(bytes.NewReader(body))
	for {
		token, err := decoder.Token()
		if err != nil {
			return a, ended && errors.Is(err, io.EOF)
		}
		switch token := token.(type) {
		case xml.StartElement:
			depth++
			if depth == 1 && (ended || !isAnswerRoot(token.Name.Local)) {
				return answer{}, false
			}
			if depth == 2 {
				field, value = a.field(token.Name.Local), value[:0]
			}
		case xml.CharData:
			if ended && len(bytes.TrimSpace(token)) > 0 {
				return answer{}, false
			}
			if field != nil {
				value = append(value, token...)
			}
		case xml.EndElement:
			if depth == 2 && field != nil {
				*field, field = string(value), nil
			}
			depth--
			ended = depth == 0
		}
	}
}

func isAnswerRoot(name string) bool {
	for _, root := range xmlRoots {
		if strings.EqualFold(name, root) {
			return true
		}
	}
	return false
}

// field is where the value of that name goes; nil if it is not wanted.
func (a *answer) field(name string) *string {
	switch strings.ToLower(name) {
	case "csr":
		return &a.Csr
	case "requestid":
		return (*string)(&a.RequestId)
	case "commonname":
		return (*string)(&a.CommonName)
	case "pubmd5":
		return (*string)(&a.PubMd5)
	case "code":
		return (*string)(&a.Code)
	case "message":
		return (*string)(&a.Message)
	case "hostid":
		return (*string)(&a.HostId)
	case "recommend":
		return (*string)(&a.Recommend)
	}
	return nil
}
