package csr

import (
	"fmt"
	"strings"
)

// wholeRequestCases are requests whose fields belong together.
var wholeRequestCases = []requestCase{
	{what: "nil", invalid: []string{"Request"}},
	{what: "empty", req: &Request{}, invalid: []string{"CommonName"}},
	{what: "SANs alone", req: &Request{SANs: []string{"example.com"}}, invalid: []string{"CommonName"}},
	{what: "CommonName alone", req: &Request{CommonName: "a.com"}, names: []string{"a.com"}},
	{what: "empty SANs", req: &Request{CommonName: "a.com", SANs: []string{}}, names: []string{"a.com"}},
	{
		what: "CommonName in front", req: &Request{CommonName: "a.com", SANs: []string{"c.com", "b.com"}},
		names: []string{"a.com", "c.com", "b.com"},
	},
	{
		what:  "CommonName among SANs stays in its place",
		req:   &Request{CommonName: "a.com", SANs: []string{"c.com", "a.com", "b.com"}},
		names: []string{"c.com", "a.com", "b.com"},
	},
	{
		what: "doubles", req: &Request{CommonName: "a.com", SANs: []string{"b.com", "b.com", "a.com", "b.com"}},
		names: []string{"b.com", "a.com"},
	},
	{
		what: "doubles after normalization",
		req: &Request{CommonName: "Bücher.example", SANs: []string{
			"xn--bcher-kva.example", "BÜCHER.example", "ｂüｃｈｅｒ．example", "www.a.com", "WWW.A.com", "*.a.com", "*.A.com",
		}},
		names: []string{"xn--bcher-kva.example", "www.a.com", "*.a.com"},
	},
	{what: "250 names", req: &Request{CommonName: "n0.com", SANs: numbered(0, 250)}, names: numbered(0, 250)},
	{
		what: "249 names and CommonName", req: &Request{CommonName: "a.com", SANs: numbered(0, 249)},
		names: append([]string{"a.com"}, numbered(0, 249)...),
	},
	{
		what: "250 names and doubles",
		req:  &Request{CommonName: "n7.com", SANs: append(numbered(0, 250), numbered(0, 250)...)}, names: numbered(0, 250),
	},
	{
		what: "250 names and CommonName", req: &Request{CommonName: "a.com", SANs: numbered(0, 250)},
		invalid: []string{"SANs"},
	},
	{what: "251 names", req: &Request{CommonName: "n0.com", SANs: numbered(0, 251)}, invalid: []string{"SANs"}},
	{
		what: "251 names, one invalid", req: &Request{CommonName: "n0.com", SANs: append(numbered(0, 250), "a..b")},
		invalid: []string{"SANs[250]", "SANs"},
	},
	{
		what:  "CommonName of 64 characters",
		req:   &Request{CommonName: longName(64)},
		names: []string{longName(64)},
	},
	{what: "CommonName of 65 characters", req: &Request{CommonName: longName(65)}, invalid: []string{"CommonName"}},
	{
		what:  "a long name among SANs",
		req:   &Request{CommonName: "a.com", SANs: []string{longName(65), name253}},
		names: []string{"a.com", longName(65), name253},
	},
	{
		what:    "several invalid SANs",
		req:     &Request{CommonName: "a.com", SANs: []string{"", "b.com", "1.2.3.4", "c.com", "c.com.", ""}},
		invalid: []string{"SANs[0]", "SANs[2]", "SANs[4]", "SANs[5]"},
	},
	{
		what: "every field is invalid",
		req: &Request{
			CommonName: "a..b", SANs: []string{"a,b"}, Organization: " ", OrganizationUnit: "\x00", Country: "CHN",
			State: "\xff", City: strings.Repeat("x", 129), Email: "x",
		},
		invalid: []string{"CommonName", "SANs[0]", "Organization", "OrganizationUnit", "Country", "State", "City", "Email"},
	},
	{
		what: "Organization of 64 characters", req: &Request{CommonName: "a.com", Organization: strings.Repeat("里", 64)},
		names: []string{"a.com"},
	},
	{
		what: "Organization of 65 characters", req: &Request{CommonName: "a.com", Organization: strings.Repeat("里", 65)},
		invalid: []string{"Organization"},
	},
	{
		what: "Organization of 64 characters in NFC",
		req:  &Request{CommonName: "a.com", Organization: strings.Repeat("u\u0308", 64)}, names: []string{"a.com"},
	},
	{
		what: "OrganizationUnit of 64 characters",
		req:  &Request{CommonName: "a.com", OrganizationUnit: strings.Repeat("é", 64)}, names: []string{"a.com"},
	},
	{
		what: "OrganizationUnit of 65 characters",
		req:  &Request{CommonName: "a.com", OrganizationUnit: strings.Repeat("a", 65)}, invalid: []string{"OrganizationUnit"},
	},
	{
		what: "State of 128 characters", req: &Request{CommonName: "a.com", State: strings.Repeat("江", 128)},
		names: []string{"a.com"},
	},
	{
		what: "State of 129 characters", req: &Request{CommonName: "a.com", State: strings.Repeat("a", 129)},
		invalid: []string{"State"},
	},
	{
		what: "City of 128 characters", req: &Request{CommonName: "a.com", City: strings.Repeat("杭", 128)},
		names: []string{"a.com"},
	},
	{
		what: "City of 129 characters", req: &Request{CommonName: "a.com", City: strings.Repeat("杭", 129)},
		invalid: []string{"City"},
	},
}

// numbered returns the names n<from>.com up to, and without, n<to>.com.
func numbered(from, to int) []string {
	var names []string
	for i := from; i < to; i++ {
		names = append(names, fmt.Sprintf("n%d.com", i))
	}
	return names
}

// longName returns a domain name of n octets, n from 40 to 100.
func longName(n int) string {
	const tail = ".example.com"
	return strings.Repeat("a", 20) + "." + strings.Repeat("b", n-21-len(tail)) + tail
}
