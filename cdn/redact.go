package cdn

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/cdncsr/cdncsr/signer"
)

// secrets are the values of one attempt that authenticate: they are taken out of every text that comes from outside.
type secrets []string

const redacted = "[redacted]"

// secretsOf are the credentials' values and, where there is a request, its signature; the longest first, since one may be a
// part of another.
func secretsOf(req *http.Request, creds ...signer.Credentials) secrets {
	var all secrets
	for _, c := range creds {
		all = append(all, c.AccessKeyID, c.AccessKeySecret, c.SecurityToken)
	}
	all = append(all, signatureOf(req))
	all = slices.DeleteFunc(all, func(value string) bool { return value == "" })
	slices.SortFunc(all, func(a, b string) int { return len(b) - len(a) })
	return all
}

// signatureOf is the signature of req, wherever a signer puts it: a header, the query, a form in the body.
func signatureOf(req *http.Request) string {
	if req == nil {
		return ""
	}
	if authorization := req.Header.Get("Authorization"); authorization != "" {
		return authorization[strings.LastIndexByte(authorization, '=')+1:]
	}
	if signature := req.URL.Query().Get("Signature"); signature != "" {
		return signature
	}
	if req.GetBody == nil {
		return ""
	}
	body, err := req.GetBody()
	if err != nil {
		return ""
	}
	defer func() { _ = body.Close() }() // a copy in memory
	form, err := io.ReadAll(body)
	if err != nil {
		return ""
	}
	values, _ := url.ParseQuery(string(form)) // what can be read of it
	return values.Get("Signature")
}

// clean is text without the secrets, raw or percent-encoded. A text in which they are hidden deeper is withheld whole.
func (s secrets) clean(text string) string {
	for _, secret := range s {
		once := url.QueryEscape(secret)
		for _, form := range []string{secret, once, url.QueryEscape(once)} {
			text = strings.ReplaceAll(text, form, redacted)
		}
	}
	if s.in(text) {
		return "[withheld: it held a credential]"
	}
	return text
}

// in tells whether text holds a secret, up to three layers of percent-encoding deep.
func (s secrets) in(text string) bool {
	for range 4 {
		for _, secret := range s {
			if strings.Contains(text, secret) {
				return true
			}
		}
		if !strings.Contains(text, "%") {
			return false
		}
		text = unescape(text)
	}
	return false
}

// cleanError is err if it holds no secret however it is printed; else an error of the cleaned text alone.
func (s secrets) cleanError(err error) error {
	fields, _ := json.Marshal(err) // nothing if it can't be
	if s.in(fmt.Sprintf("%v %+v %#v ", err, err, err) + string(fields)) {
		return errors.New(s.clean(err.Error()))
	}
	return err
}

// unescape undoes one layer of percent-encoding and leaves what is none as it is.
func unescape(text string) string {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] == '%' && i+2 < len(text) {
			if c, err := url.PathUnescape(text[i : i+3]); err == nil {
				b.WriteString(c)
				i += 2
				continue
			}
		}
		b.WriteByte(text[i])
	}
	return b.String()
}

// withoutURL is err without the *url.Error around it, which prints the URL, and a GET's URL is signed.
func withoutURL(err error) error {
	for {
		outer, ok := errors.AsType[*url.Error](err)
		if !ok || outer.Err == nil {
			return err
		}
		err = outer.Err
	}
}
