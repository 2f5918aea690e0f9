package csr

import (
	"context"
	"crypto"
	"encoding/asn1"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// trial is one request of the battery: a request of an odd table, or one around an odd value.
type trial struct {
	what  string
	req   *Request
	wrong []string // the fields of the errors in order; none: a CSR is made
	hint  string   // in the reason of the first error
	names []string // of the CSR, if they matter

	subject map[string]string // attributes of the CSR by the field's name; the rest are defaults
}

// battery is every odd name as CommonName and among the SANs, every odd text in each field, every odd request.
func battery() []trial {
	var all []trial
	for _, n := range oddNames {
		all = append(all, commonNameTrial(n), sanTrial(n))
	}
	fields := map[string]func(*Request) *string{
		"Organization":     func(r *Request) *string { return &r.Organization },
		"OrganizationUnit": func(r *Request) *string { return &r.OrganizationUnit },
		"State":            func(r *Request) *string { return &r.State },
		"City":             func(r *Request) *string { return &r.City },
		"Country":          func(r *Request) *string { return &r.Country },
		"Email":            func(r *Request) *string { return &r.Email },
	}
	for field, of := range fields {
		texts := oddTexts
		switch field {
		case "Country":
			texts = oddCountries
		case "Email":
			texts = oddEmails
		}
		for _, text := range texts {
			one := trial{what: field, req: &Request{CommonName: "example.com"}, names: []string{"example.com"}}
			*of(one.req) = text.in
			if text.hint != "" {
				one.wrong, one.hint = []string{field}, text.hint
			}
			one.subject = map[string]string{field: text.normal}
			all = append(all, one)
		}
	}
	for _, r := range oddRequests {
		all = append(all, trial{what: r.what, req: r.req, wrong: r.wrong, names: r.names})
	}
	return all
}

func commonNameTrial(n oddName) trial {
	one := trial{what: "CommonName", req: &Request{CommonName: n.in}, names: []string{n.normal}}
	if n.hint == "" && len(n.normal) > maxCommonName {
		n.hint = "put it into SANs"
	}
	if n.hint != "" {
		one.wrong, one.hint = []string{"CommonName"}, n.hint
	}
	one.subject = map[string]string{"CommonName": n.normal}
	return one
}

func sanTrial(n oddName) trial {
	req := &Request{CommonName: "first.example", SANs: []string{"second.example", n.in}}
	one := trial{what: "SANs", req: req, names: []string{"first.example", "second.example", n.normal}}
	if n.hint != "" {
		one.wrong, one.hint = []string{"SANs[1]"}, n.hint
	}
	one.subject = map[string]string{"CommonName": "first.example"}
	return one
}

func TestBattery(t *testing.T) {
	key := newTestKey(t, P256)
	all := battery()
	assert.GreaterOrEqual(t, len(all), 200)
	for i, one := range all {
		t.Run(fmt.Sprintf("%03d %s", i, one.what), func(t *testing.T) {
			before := cloneRequest(one.req)
			resp, err := New(one.req, key)
			assert.Equal(t, before, one.req, "the caller's request")
			assert.Equal(t, err, one.req.Validate(), "Validate says the same")
			if len(one.wrong) > 0 {
				assert.Nil(t, resp)
				assertWrong(t, err, one)
				return
			}
			require.NoError(t, err)
			parsed, err := resp.CertificateRequest()
			require.NoError(t, err)
			assert.Equal(t, one.names, parsed.DNSNames)
			got := subjectOf(t, parsed.RawSubject)
			assert.Equal(t, resp.CommonName, got["CommonName"])
			for field, value := range one.subject {
				assert.Equal(t, value, got[field], field)
			}
		})
	}
}

// assertWrong asserts that err says what is wrong in every field, on one line.
func assertWrong(t *testing.T, err error, one trial) {
	t.Helper()
	require.ErrorIs(t, err, ErrInvalidRequest)
	assert.NotContains(t, err.Error(), "\n")
	var errs FieldErrors
	require.ErrorAs(t, err, &errs)
	var fields []string
	for _, e := range errs {
		fields = append(fields, e.Field)
		assert.NotEmpty(t, e.Reason)
	}
	assert.Equal(t, one.wrong, fields)
	assert.Contains(t, errs[0].Reason, one.hint)
}

// TestGenerator_NoKeyForAWrongRequest holds that a key is not even made for a request that is refused.
func TestGenerator_NoKeyForAWrongRequest(t *testing.T) {
	asked := errors.New("a key was asked for")
	g := Generator{Keys: new(MemStore), Source: sourceFunc(func(context.Context) (crypto.Signer, error) { return nil, asked })}
	for _, one := range battery() {
		_, err := g.CreateCdnCertificateSigningRequest(t.Context(), one.req)
		if len(one.wrong) > 0 {
			assert.NotErrorIs(t, err, asked, one.what)
		} else {
			assert.ErrorIs(t, err, asked, one.what)
		}
	}
}

// subjectOf returns the values of a subject by the names of the request's fields.
func subjectOf(t *testing.T, raw []byte) map[string]string {
	t.Helper()
	values := make(map[string]string)
	for _, a := range attributesOf(t, raw) {
		values[a.field] = a.value
	}
	return values
}

type attribute struct {
	field, value string
	tag          int
}

// attributesOf reads a DER Name of one attribute to an RDN.
func attributesOf(t *testing.T, raw []byte) []attribute {
	t.Helper()
	fields := map[string]string{
		"2.5.4.6": "Country", "2.5.4.8": "State", "2.5.4.7": "City", "2.5.4.10": "Organization",
		"2.5.4.11": "OrganizationUnit", "2.5.4.3": "CommonName", "1.2.840.113549.1.9.1": "Email",
	}
	type typeAndValue struct {
		Type  asn1.ObjectIdentifier
		Value asn1.RawValue
	}
	type rdnSET []typeAndValue // encoding/asn1 takes a type of that end for a SET
	var rdns []rdnSET
	rest, err := asn1.Unmarshal(raw, &rdns)
	require.NoError(t, err)
	require.Empty(t, rest)
	var all []attribute
	for _, rdn := range rdns {
		require.Len(t, rdn, 1)
		field, ok := fields[rdn[0].Type.String()]
		require.True(t, ok, rdn[0].Type)
		all = append(all, attribute{field, string(rdn[0].Value.Bytes), rdn[0].Value.Tag})
	}
	return all
}

func newTestKey(t testing.TB, keyType KeyType) crypto.Signer {
	t.Helper()
	key, err := keyType.NewKey(context.Background())
	require.NoError(t, err)
	return key
}

func cloneRequest(r *Request) *Request {
	if r == nil {
		return nil
	}
	clone := *r
	clone.SANs = slices.Clone(r.SANs)
	return &clone
}
