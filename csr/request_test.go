package csr

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A requestCase is a request and what New makes of it.
type requestCase struct {
	what    string
	req     *Request
	invalid []string          // the fields of the errors in order; empty if a CSR is made
	reason  string            // a part of the first error's
	names   []string          // of the CSR
	subject map[string]string // some attributes of the CSR by the names of their fields
}

// requestCases returns a case for each name as CommonName and among the SANs,
// for each text in each field, and for each whole request.
func requestCases() []requestCase {
	var all []requestCase
	for _, name := range nameCases {
		all = append(all, commonNameCase(name), sanCase(name))
	}
	for _, field := range []struct {
		name  string
		of    func(*Request) *string
		cases []fieldCase
	}{
		{"Organization", func(r *Request) *string { return &r.Organization }, textCases},
		{"OrganizationUnit", func(r *Request) *string { return &r.OrganizationUnit }, textCases},
		{"Country", func(r *Request) *string { return &r.Country }, countryCases},
		{"State", func(r *Request) *string { return &r.State }, textCases},
		{"City", func(r *Request) *string { return &r.City }, textCases},
		{"Email", func(r *Request) *string { return &r.Email }, emailCases},
	} {
		for _, text := range field.cases {
			c := requestCase{what: field.name, req: &Request{CommonName: "example.com"}, names: []string{"example.com"}}
			*field.of(c.req) = text.in
			c.subject = map[string]string{field.name: text.normal}
			all = append(all, c.refusedFor(field.name, text.reason))
		}
	}
	return append(all, wholeRequestCases...)
}

func commonNameCase(name fieldCase) requestCase {
	if name.reason == "" && len(name.normal) > maxCommonName {
		name.reason = "put it into SANs"
	}
	return requestCase{
		what: "CommonName", req: &Request{CommonName: name.in}, names: []string{name.normal},
		subject: map[string]string{"CommonName": name.normal},
	}.refusedFor("CommonName", name.reason)
}

func sanCase(name fieldCase) requestCase {
	return requestCase{
		what:    "SANs",
		req:     &Request{CommonName: "first.example", SANs: []string{"second.example", name.in}},
		names:   []string{"first.example", "second.example", name.normal},
		subject: map[string]string{"CommonName": "first.example"},
	}.refusedFor("SANs[1]", name.reason)
}

// refusedFor returns c with field as its invalid one if there is a reason.
func (c requestCase) refusedFor(field, reason string) requestCase {
	if reason != "" {
		c.invalid, c.reason = []string{field}, reason
	}
	return c
}

func TestNew_EveryRequest(t *testing.T) {
	key := newTestKey(t, P256)
	for i, c := range requestCases() {
		t.Run(fmt.Sprintf("%03d %s", i, c.what), func(t *testing.T) {
			before := cloneRequest(c.req)
			resp, err := New(c.req, key)
			assert.Equal(t, before, c.req, "the caller's request")
			assert.Equal(t, err, c.req.Validate(), "Validate returns the same")
			if len(c.invalid) > 0 {
				assert.Nil(t, resp)
				assertInvalid(t, err, c)
				return
			}
			require.NoError(t, err)
			require.NoError(t, resp.Check(c.req))
			parsed, err := resp.CertificateRequest()
			require.NoError(t, err)
			assert.Equal(t, c.names, parsed.DNSNames)
			got := subjectOf(t, parsed.RawSubject)
			assert.Equal(t, resp.CommonName, got["CommonName"])
			for field, value := range c.subject {
				assert.Equal(t, value, got[field], field)
			}
		})
	}
}

// assertInvalid asserts that err has every invalid field of c, and is one line.
func assertInvalid(t *testing.T, err error, c requestCase) {
	t.Helper()
	require.ErrorIs(t, err, ErrInvalidRequest)
	assert.NotContains(t, err.Error(), "\n")
	errs, ok := errors.AsType[FieldErrors](err)
	require.True(t, ok)
	var fields []string
	for _, e := range errs {
		fields = append(fields, e.Field)
		assert.NotEmpty(t, e.Reason)
	}
	assert.Equal(t, c.invalid, fields)
	assert.Contains(t, errs[0].Reason, c.reason)
}

func TestGenerator_MakesNoKeyForAnInvalidRequest(t *testing.T) {
	asked := errors.New("a key was asked for")
	g := Generator{
		Keys:   new(MemStore),
		Source: sourceFunc(func(context.Context) (crypto.Signer, error) { return nil, asked }),
	}
	for _, c := range requestCases() {
		_, err := g.CreateCdnCertificateSigningRequest(t.Context(), c.req)
		if len(c.invalid) > 0 {
			assert.NotErrorIs(t, err, asked, c.what)
		} else {
			assert.ErrorIs(t, err, asked, c.what)
		}
	}
}

func TestRequest_Normalize(t *testing.T) {
	got, err := (&Request{
		CommonName: "Bücher.EXAMPLE", SANs: []string{"WWW.example.com", "www.example.com", "bücher.example", "*.Example.com"},
		Organization: "Mu\u0308ller", OrganizationUnit: "A\u030a", Country: "de", State: "Thu\u0308ringen", City: "Ko\u0308ln",
		Email: "admin@EXAMPLE.com",
	}).Normalize()
	require.NoError(t, err)
	assert.Equal(t, &Request{
		CommonName: "xn--bcher-kva.example", SANs: []string{"www.example.com", "xn--bcher-kva.example", "*.example.com"},
		Organization: "Müller", OrganizationUnit: "Å", Country: "DE", State: "Thüringen", City: "Köln",
		Email: "admin@EXAMPLE.com",
	}, got)
}

func TestRequest_Normalize_FillsNothingIn(t *testing.T) {
	got, err := (&Request{CommonName: "example.com"}).Normalize()
	require.NoError(t, err)
	assert.Equal(t, &Request{CommonName: "example.com"}, got)
}

func TestRequest_Normalize_ReturnsTheErrorOfValidate(t *testing.T) {
	for _, req := range []*Request{nil, {}, {CommonName: " example.com"}, {CommonName: "example.com", City: "\u200b"}} {
		got, err := req.Normalize()
		assert.ErrorIs(t, err, ErrInvalidRequest)
		assert.Equal(t, req.Validate(), err)
		assert.Nil(t, got)
	}
}

func TestRequest_Normalize_IsACopy(t *testing.T) {
	req := &Request{CommonName: "example.com", SANs: []string{"a.example", "b.example"}}
	got, err := req.Normalize()
	require.NoError(t, err)
	got.SANs[0] = "changed.example"
	assert.Equal(t, "a.example", req.SANs[0])
}
