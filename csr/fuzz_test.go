package csr

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// FuzzRequest proves that a request is refused, or becomes a CSR that has the
// normalized request in it, and that a normalized request is its own normal
// form.
func FuzzRequest(f *testing.F) {
	for _, c := range requestCases() {
		if r := c.req; r != nil && len(r.SANs) < 10 {
			f.Add(r.CommonName, strings.Join(r.SANs, "\n"), r.Organization, r.OrganizationUnit, r.Country, r.State, r.City,
				r.Email)
		}
	}
	key := newTestKey(f, P256)
	f.Fuzz(func(t *testing.T, name, sans, organization, unit, country, state, city, email string) {
		req := &Request{
			CommonName: name, Organization: organization, OrganizationUnit: unit, Country: country, State: state,
			City: city, Email: email,
		}
		if sans != "" {
			req.SANs = strings.Split(sans, "\n")
		}
		before := cloneRequest(req)
		normal, err := req.Normalize()
		if err != nil {
			if strings.Contains(err.Error(), "\n") || !utf8.ValidString(err.Error()) {
				t.Fatalf("the error is not one line of text: %q", err)
			}
			return
		}
		again, err := normal.Normalize()
		require.NoError(t, err)
		require.Equal(t, normal, again)
		resp, err := New(req, key)
		require.NoError(t, err)
		require.NoError(t, resp.Check(req))
		require.NoError(t, resp.Check(normal))
		assert.Equal(t, normal.withDefaults(), requestIn(t, resp, normal))
		assert.Equal(t, before, req, "the caller's request")
	})
}

// requestIn returns the request that is in the CSR of resp. Like normal, it has
// CommonName among the SANs or not.
func requestIn(t *testing.T, resp *Response, normal *Request) *Request {
	t.Helper()
	parsed, err := resp.CertificateRequest()
	require.NoError(t, err)
	got := subjectOf(t, parsed.RawSubject)
	sans := parsed.DNSNames
	if len(sans) > len(normal.SANs) {
		require.Equal(t, got["CommonName"], sans[0])
		sans = sans[1:]
	}
	return &Request{
		CommonName: got["CommonName"], SANs: append([]string(nil), sans...), Organization: got["Organization"],
		OrganizationUnit: got["OrganizationUnit"], Country: got["Country"], State: got["State"], City: got["City"],
		Email: got["Email"],
	}
}
