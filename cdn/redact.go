package cdn

import (
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/cdncsr/cdncsr/signer"
)

// secrets are the values that must not appear in an error or a log: the
// credentials, the signature, and the secret parameters of an operation. Texts
// from outside may repeat them.
type secrets struct {
	values []string // the longest first, since one may be a part of another
	index  windows  // of values; nil until it is needed
}

// minSecret is the length of the shortest value that is redacted.
const minSecret = 4

const withheld = "[withheld: it had a credential or a private key in it]"

// secretsOf returns the secrets of an attempt. If req is nil, there is no
// signature.
func secretsOf(op operation, req *http.Request, creds ...signer.Credentials) *secrets {
	var all []string
	for _, c := range creds {
		all = append(all, c.AccessKeyID, c.AccessKeySecret, c.SecurityToken)
	}
	for _, name := range op.secrets {
		all = append(all, op.Params[name])
	}
	all = append(all, signaturesOf(req)...)
	// Credentials have 16 characters and more; "a" stands in any text.
	all = slices.DeleteFunc(all, func(value string) bool { return len(value) < minSecret })
	slices.SortFunc(all, func(a, b string) int { return len(b) - len(a) })
	return &secrets{values: slices.Compact(all)}
}

// secretInURL returns the name of a secret parameter whose name or value is in
// the URL of req, or "".
func (op operation) secretInURL(req *http.Request) string {
	for _, name := range op.secrets {
		value := secrets{values: []string{op.Params[name]}}
		if req.URL.Query().Has(name) || value.in(req.URL.String()) {
			return name
		}
	}
	return ""
}

// signaturesOf returns the signature of req from where signers put it: a
// header, the query, or a form in the body.
func signaturesOf(req *http.Request) []string {
	if req == nil {
		return nil
	}
	authorization := strings.TrimRight(req.Header.Get("Authorization"), "=") // the padding of base64
	return slices.DeleteFunc([]string{
		authorization[strings.LastIndexAny(authorization, "=:, ")+1:],
		req.URL.Query().Get("Signature"),
		formOf(req).Get("Signature"),
	}, func(signature string) bool { return signature == "" })
}

// formOf returns as much of the body of req as is a form.
func formOf(req *http.Request) url.Values {
	if req.GetBody == nil {
		return nil
	}
	body, err := req.GetBody()
	if err != nil {
		return nil
	}
	defer func() { _ = body.Close() }() // a copy in memory
	form, err := io.ReadAll(body)
	if err != nil {
		return nil
	}
	values, _ := url.ParseQuery(string(form)) // as much of it as can be parsed
	return values
}

// holdsPrivateKey reports whether value has a private key in PEM in it, as it is
// or in base64.
func holdsPrivateKey(value string) bool {
	const mark = "PRIVATE KEY-----"
	if strings.Contains(value, mark) {
		return true
	}
	decoded, _ := base64.StdEncoding.DecodeString(strings.TrimSpace(value)) // as much of it as is base64
	return strings.Contains(string(decoded), mark)
}

// redact returns text without the secrets. It replaces those that it finds, and
// withholds the whole text if that still shows one in another form.
func (s *secrets) redact(text string) string {
	if !s.in(text) {
		return text
	}
	for _, secret := range s.values {
		for _, form := range formsOf(secret) {
			text = strings.ReplaceAll(text, form, redacted)
		}
	}
	if s.in(text) {
		return withheld
	}
	return text
}

// formsOf returns secret raw, percent-encoded once and twice, in base64, and
// escaped for JSON and XML.
func formsOf(secret string) []string {
	once := url.QueryEscape(secret)
	forms := []string{secret, once, url.QueryEscape(once), base64.StdEncoding.EncodeToString([]byte(secret))}
	if quoted, err := json.Marshal(secret); err == nil {
		forms = append(forms, strings.Trim(string(quoted), `"`))
	}
	var escaped strings.Builder
	if xml.EscapeText(&escaped, []byte(secret)) == nil {
		forms = append(forms, escaped.String())
	}
	return slices.DeleteFunc(forms, func(form string) bool { return form == "" })
}

// in reports whether text shows a secret or a good part of one, up to three
// layers of escaping deep.
func (s *secrets) in(text string) bool {
	for range 4 {
		if s.rawIn(text) || s.windows().in(text) {
			return true
		}
		inner := unescape(text)
		if inner == text {
			return false
		}
		text = inner
	}
	return false
}

// rawIn reports whether text has a secret in it, or what one becomes if the
// escapes of text are undone and it has such escapes itself.
func (s *secrets) rawIn(text string) bool {
	return slices.ContainsFunc(s.values, func(secret string) bool {
		plain := unescape(secret)
		return strings.Contains(text, secret) || len(plain) >= minSecret && strings.Contains(text, plain)
	})
}

// windowSize is how many letters and digits of a secret in a row give it away.
// Other characters between them don't count: line ends, blanks for plus signs,
// escapes.
const windowSize = 16

// windows are all runs of windowSize letters and digits in the secrets, and in
// their base64.
type windows map[string]struct{}

// windows returns the windows of s. Shorter secrets have none: their letters
// might stand in any text.
func (s *secrets) windows() windows {
	if s.index != nil {
		return s.index
	}
	s.index = windows{}
	for _, secret := range s.values {
		secret = withoutPEMMarks(secret)
		s.index.add(secret)
		s.index.add(unescape(secret))            // such as one that came from an environment variable
		for shift := range min(3, len(secret)) { // the base64 of a part depends on where it begins
			s.index.add(base64.StdEncoding.EncodeToString([]byte(secret[shift:])))
		}
	}
	return s.index
}

func (w windows) add(secret string) {
	letters := lettersAndDigits(secret)
	for i := 0; i+windowSize <= len(letters); i++ {
		w[letters[i:i+windowSize]] = struct{}{}
	}
}

func (w windows) in(text string) bool {
	letters := lettersAndDigits(text)
	for i := 0; i+windowSize <= len(letters); i++ {
		if _, ok := w[letters[i:i+windowSize]]; ok {
			return true
		}
	}
	return false
}

// withoutPEMMarks returns the secret part of a text that may be PEM, whatever
// became of its line ends: what is between BEGIN and END.
func withoutPEMMarks(text string) string {
	var b strings.Builder
	for i, part := range strings.Split(text, "-----") {
		if i%2 == 0 || !strings.HasPrefix(part, "BEGIN ") && !strings.HasPrefix(part, "END ") {
			b.WriteString(part)
		}
	}
	return b.String()
}

func lettersAndDigits(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case '0' <= r && r <= '9', 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z':
			return r
		}
		return -1
	}, text)
}

// redactError returns err if it shows no secret however it is printed, and
// otherwise an error with only its redacted text.
func (s *secrets) redactError(err error) error {
	fields, _ := json.Marshal(err) // nothing if it can't be encoded
	if s.in(fmt.Sprintf("%v %+v %#v ", err, err, err) + string(fields)) {
		return errors.New(s.redact(err.Error()))
	}
	return err
}

// unescape undoes one layer of percent-encoding, of the escapes of JSON, and of
// those of HTML and XML. Other text stays as it is.
func unescape(text string) string {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		c, size := unescapeOne(text[i:])
		b.WriteString(c)
		i += size - 1
	}
	return b.String()
}

// entities are the characters of secrets that HTML and XML have names for.
// Package html knows two thousand more, and adds 100 KB to a program.
var entities = map[string]string{
	"amp": "&", "lt": "<", "gt": ">", "quot": `"`, "apos": "'", "plus": "+", "sol": "/", "equals": "=", "NewLine": "\n",
}

// unescapeEntity returns the character of an entity, such as &amp; or &#43;,
// and how many bytes it takes; zero if text does not begin with one.
func unescapeEntity(text string) (char string, size int) {
	const longest = len("&NewLine;")
	end := strings.IndexByte(text[:min(len(text), longest+1)], ';')
	if end < 2 {
		return "", 0
	}
	name := text[1:end]
	if char, ok := entities[name]; ok {
		return char, end + 1
	}
	digits, ok := strings.CutPrefix(strings.ToLower(name), "#")
	if !ok {
		return "", 0
	}
	base := 10
	if hex, ok := strings.CutPrefix(digits, "x"); ok {
		digits, base = hex, 16
	}
	n, err := strconv.ParseUint(digits, base, 21)
	if err != nil {
		return "", 0
	}
	return string(rune(n)), end + 1
}

// unescapeOne returns the first character of text and how many bytes it takes.
func unescapeOne(text string) (char string, size int) {
	switch {
	case text[0] == '%' && len(text) >= 3:
		if c, err := url.PathUnescape(text[:3]); err == nil {
			return c, 3
		}
	case strings.HasPrefix(text, `\u`) && len(text) >= 6:
		var c string
		if json.Unmarshal([]byte(`"`+text[:6]+`"`), &c) == nil {
			return c, 6
		}
	case text[0] == '\\' && len(text) >= 2:
		var c string
		if json.Unmarshal([]byte(`"`+text[:2]+`"`), &c) == nil {
			return c, 2
		}
	case text[0] == '&':
		if c, size := unescapeEntity(text); size > 0 {
			return c, size
		}
	}
	return text[:1], 1
}

// withoutURL returns an error that wraps everything that err wraps, but does
// not print the URL of a *url.Error, which may be signed.
func withoutURL(err error) error {
	for {
		outer, ok := err.(*url.Error) //nolint:errorlint // urlsIn finds one that is wrapped
		if !ok || outer.Err == nil {
			break
		}
		err = outer.Err
	}
	urls := urlsIn(err)
	if len(urls) == 0 {
		return err
	}
	text := err.Error()
	for _, u := range urls {
		text = strings.NewReplacer(strconv.Quote(u), "[URL]", u, "[URL]").Replace(text)
	}
	return &urlFreeError{text: text, err: err}
}

// urlsIn returns the URLs of every *url.Error in the tree of err.
func urlsIn(err error) []string {
	var urls []string
	if e, ok := err.(*url.Error); ok && e.URL != "" { //nolint:errorlint // every node is looked at
		urls = append(urls, e.URL)
	}
	switch e := err.(type) { //nolint:errorlint // as above
	case interface{ Unwrap() error }:
		urls = append(urls, urlsIn(e.Unwrap())...)
	case interface{ Unwrap() []error }:
		for _, inner := range e.Unwrap() {
			urls = append(urls, urlsIn(inner)...)
		}
	}
	return urls
}

// urlFreeError wraps err, but hides each *url.Error in it.
type urlFreeError struct {
	text string
	err  error
}

func (e *urlFreeError) Error() string        { return e.text }
func (e *urlFreeError) GoString() string     { return e.text }
func (e *urlFreeError) Is(target error) bool { return errors.Is(e.err, target) }

func (e *urlFreeError) As(target any) bool {
	if _, ok := target.(**url.Error); ok {
		return false
	}
	return errors.As(e.err, target)
}
