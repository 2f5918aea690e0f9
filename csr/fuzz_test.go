package csr

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzRequest holds that a request is refused, or becomes a CSR that parsed back is the normalised request, which in
// turn is its own normal form.
func FuzzRequest(f *testing.F) {
	for _, one := range battery() {
		if r := one.req; r != nil && len(r.SANs) < 10 {
			f.Add(r.CommonName, strings.Join(r.SANs, "\n"), r.Organization, r.OrganizationUnit, r.Country, r.State, r.City, r.Email)
		}
	}
	key := newTestKey(f, P256)
	f.Fuzz(func(t *testing.T, name, sans, organization, unit, country, state, city, email string) {
		req := Request{
			CommonName: name, Organization: organization, OrganizationUnit: unit, Country: country, State: state,
			City: city, Email: email,
		}
		if sans != "" {
			req.SANs = strings.Split(sans, "\n")
		}
		before := cloneRequest(&req)
		normal, err := normalize(&req)
		if err != nil {
			if strings.Contains(err.Error(), "\n") || !utf8.ValidString(err.Error()) {
				t.Fatalf("the error is not one line of text: %q", err)
			}
			return
		}
		resp, err := New(&req, key)
		if err != nil {
			t.Fatalf("valid, and yet: %v", err)
		}
		parsed, err := resp.CertificateRequest()
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(parsed.DNSNames, normal.names) {
			t.Fatalf("names %q: want %q", parsed.DNSNames, normal.names)
		}
		got := subjectOf(t, parsed.RawSubject)
		again := Request{
			CommonName: got["CommonName"], SANs: parsed.DNSNames, Organization: got["Organization"],
			OrganizationUnit: got["OrganizationUnit"], Country: got["Country"], State: got["State"], City: got["City"],
			Email: got["Email"],
		}
		assertSame(t, normal, &again)
		assertSame(t, normal, before)
		if !reflect.DeepEqual(before, &req) {
			t.Fatal("the caller's request was changed")
		}
	})
}

// assertSame fails t unless req has the normal form want.
func assertSame(t *testing.T, want *subject, req *Request) {
	t.Helper()
	got, err := normalize(req)
	if err != nil {
		t.Fatalf("%+v: %v", req, err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("%+v: normal form %+v: want %+v", req, got, want)
	}
}
