package cdn

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/cdncsr/cdncsr/csr"
	"github.com/cdncsr/cdncsr/signer"
)

// params collects the parameters of an operation and every mistake in them.
// An empty value is not sent, so that the service takes its default.
type params struct {
	values  map[string]string
	secrets []string
	errs    csr.FieldErrors
}

// require sets a parameter that must not be empty.
func (p *params) require(name, value string) {
	if value == "" {
		p.refuse(name, "", "is required")
		return
	}
	p.set(name, value)
}

// set sets a parameter of one line.
func (p *params) set(name, value string) {
	if reason := lineMistake(value); reason != "" {
		p.refuse(name, value, reason)
		return
	}
	p.setRaw(name, value)
}

// setEnum sets a parameter that is empty or one of allowed.
func (p *params) setEnum(name, value string, allowed ...string) {
	if value != "" && !slices.Contains(allowed, value) {
		p.refuse(name, value, "is not "+strings.Join(allowed, " or "))
		return
	}
	p.setRaw(name, value)
}

// setText sets a parameter of several lines, such as PEM.
func (p *params) setText(name, value string) {
	if holdsPrivateKey(value) {
		p.refuse(name, "", "has a private key in it, which belongs in SSLPri alone")
		return
	}
	if reason := textMistake(value); reason != "" {
		p.refuse(name, "", reason) // without the value, which may be long
		return
	}
	p.setRaw(name, value)
}

// requireText is setText for a parameter that must not be empty.
func (p *params) requireText(name, value string) {
	if value == "" {
		p.refuse(name, "", "is required")
		return
	}
	p.setText(name, value)
}

// setInt sets a parameter that is from least to most, or zero, which is not
// sent.
func (p *params) setInt(name string, value, least, most int64) {
	switch {
	case value == 0:
		return
	case value < least || value > most:
		p.refuse(name, strconv.FormatInt(value, 10), fmt.Sprintf("is not from %d to %d", least, most))
		return
	}
	p.setRaw(name, strconv.FormatInt(value, 10))
}

// setSecret is setText for a value that must not appear in an error or a URL.
func (p *params) setSecret(name string, value Secret) {
	if reason := textMistake(string(value)); reason != "" {
		p.refuse(name, "", reason)
		return
	}
	p.setRaw(name, string(value))
	if value != "" {
		p.secrets = append(p.secrets, name)
	}
}

// setRaw sets a parameter that has been checked.
func (p *params) setRaw(name, value string) {
	if value == "" {
		return
	}
	if p.values == nil {
		p.values = make(map[string]string, 8)
	}
	p.values[name] = value
}

// refuse records a mistake.
func (p *params) refuse(field, value, reason string) {
	p.errs = append(p.errs, &csr.FieldError{Field: field, Value: value, Reason: reason})
}

// operation returns the operation of the CDN with these parameters, or
// csr.FieldErrors with every mistake.
func (p *params) operation(action string) (operation, error) {
	if err := p.errs.Err(); err != nil {
		return operation{}, err
	}
	return operation{
		Call:    signer.Call{Action: action, Version: apiVersion, Params: p.values},
		secrets: p.secrets,
	}, nil
}

// errNilRequest is the error of a call without a request.
func errNilRequest() error {
	return csr.FieldErrors{{Field: "Request", Reason: "is nil"}}.Err()
}

// lineMistake returns what is wrong with a text of one line, or "".
func lineMistake(s string) string { return mistake(s, unicode.IsControl) }

// textMistake returns what is wrong with a text of several lines, or "".
func textMistake(s string) string {
	return mistake(s, func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\r' && r != '\t' })
}

func mistake(s string, isBad func(rune) bool) string {
	switch {
	case !utf8.ValidString(s):
		return "is not valid UTF-8"
	case strings.ContainsFunc(s, isBad):
		return "has a control character"
	}
	return ""
}
