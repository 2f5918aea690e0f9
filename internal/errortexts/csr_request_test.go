package errortexts

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cdncsr/cdncsr/csr"
)

// requestTexts are the mistakes in a request that package csr finds.
func requestTexts(*testing.T) []provocation {
	all := []provocation{
		{"no request", func(*testing.T) error { return (*csr.Request)(nil).Validate() }},
		{"several mistakes at once", func(*testing.T) error {
			return (&csr.Request{SANs: []string{"a_b.example.com", "", "10.0.0.1"}, Country: "CHN"}).Validate()
		}},
	}
	for _, mistake := range append(nameMistakes, fieldMistakes...) {
		all = append(all, provocation{mistake.how, func(*testing.T) error {
			req := csr.Request{CommonName: "example.com"}
			mistake.make(&req)
			return req.Validate()
		}})
	}
	return all
}

// A mistake makes a request wrong.
type mistake struct {
	how  string
	make func(req *csr.Request)
}

func named(how, name string) mistake {
	return mistake{how, func(req *csr.Request) { req.CommonName = name }}
}

var nameMistakes = []mistake{
	named("no name", ""),
	named("a name too long for a subject", "a."+strings.Repeat("long-name.", 7)+"com"),
	named("a name too long for DNS", strings.Repeat("long-name.", 25)+"com.com"),
	named("a label too long", strings.Repeat("a", 64)+".com"),
	named("a URL", "https://www.example.com/"),
	named("a URL without a host", "https:///index.html"),
	named("two names", "example.com,www.example.com"),
	named("a blank in a name", "example com"),
	named("an e-mail address as a name", "admin@example.com"),
	named("an IP address as a name", "192.0.2.1"),
	named("a path behind a name", "example.com/index.html"),
	named("a port behind a name", "example.com:443"),
	named("a colon in a name", "dns:example.com"),
	named("a star in the middle", "www.*.example.com"),
	named("a dot at the end", "example.com."),
	named("two dots in a row", "example..com"),
	named("an underscore", "a_b.example.com"),
	named("a hyphen at the beginning", "-a.example.com"),
	named("hyphens in the third and fourth place", "ab--c.example.com"),
	named("a character that names don't have", "a!b.example.com"),
	named("a number at the end", "example.1"),
	named("Punycode of nothing", "xn--a.com"),
	{"an empty name among the SANs", func(req *csr.Request) { req.SANs = []string{"www.example.com", ""} }},
	{"too many names", func(req *csr.Request) {
		for i := range 250 {
			req.SANs = append(req.SANs, fmt.Sprintf("www%d.example.com", i))
		}
	}},
}

var fieldMistakes = []mistake{
	{"invalid UTF-8", func(req *csr.Request) { req.Organization = "Ali\xffbaba" }},
	{"a line end of Unicode", func(req *csr.Request) { req.Organization = "Alibaba\u2028Inc" }},
	{"a control character", func(req *csr.Request) { req.City = "Hang\tzhou" }},
	{"a bidirectional control", func(req *csr.Request) { req.City = "Hang\u202ezhou" }},
	{"a character lost in a conversion", func(req *csr.Request) { req.State = "Zhe\ufffdiang" }},
	{"a blank at the end", func(req *csr.Request) { req.OrganizationUnit = "Aliyun CDN " }},
	{"a text too long", func(req *csr.Request) { req.Organization = strings.Repeat("Alibaba ", 9) + "Inc" }},
	{"a country of three letters", func(req *csr.Request) { req.Country = "CHN" }},
	{"an e-mail address with a domain that is not ASCII", func(req *csr.Request) { req.Email = "admin@例え.example" }},
	{"an e-mail address too long", func(req *csr.Request) { req.Email = strings.Repeat("a", 250) + "@example.com" }},
	{"no e-mail address", func(req *csr.Request) { req.Email = "admin" }},
	{"an e-mail address with a name", func(req *csr.Request) { req.Email = "Admin <admin@example.com>" }},
	{"an e-mail address of a wildcard", func(req *csr.Request) { req.Email = "admin@*.example.com" }},
	{"an e-mail address of no domain", func(req *csr.Request) { req.Email = "admin@a_b.example.com" }},
}
