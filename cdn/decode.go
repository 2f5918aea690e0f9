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
	RequestId, CommonName, Csr, PubMd5, Code, Message, HostId, Recommend string
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

// decodeJSON reads an object. Names match without regard to case, as some gateways write them in lower case; a value that is
// not a string is taken as its text.
func decodeJSON(body []byte) (answer, bool) {
	var a answer
	err := json.Unmarshal(body, &a)
	if err == nil {
		return a, true
	}
	var fields map[string]json.RawMessage
	if json.Unmarshal(body, &fields) != nil {
		return answer{}, false
	}
	a = answer{}
	for name, value := range fields {
		if field := a.field(name); field != nil {
			*field = jsonText(value)
		}
	}
	return a, true
}

// jsonText is a value as text: a string's own, nothing for null, JSON for anything else.
func jsonText(value json.RawMessage) string {
	var text string
	if json.Unmarshal(value, &text) != nil {
		return string(value)
	}
	return text
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
	var field *string
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
				field = a.field(token.Name.Local)
			}
		case xml.CharData:
			if field != nil {
				*field += string(token)
			}
		case xml.EndElement:
			depth--
			if depth == 1 {
				field = nil
			}
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
	case "requestid":
		return &a.RequestId
	case "commonname":
		return &a.CommonName
	case "csr":
		return &a.Csr
	case "pubmd5":
		return &a.PubMd5
	case "code":
		return &a.Code
	case "message":
		return &a.Message
	case "hostid":
		return &a.HostId
	case "recommend":
		return &a.Recommend
	}
	return nil
}
