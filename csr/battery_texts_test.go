package csr

import "strings"

// oddText is a value of a field of the subject and what becomes of it, as in oddName.
type oddText struct{ in, normal, hint string }

// oddTexts are tried in Organization, OrganizationUnit, State and City.
var oddTexts = []oddText{
	{in: "Alibaba Inc", normal: "Alibaba Inc"},
	{in: "a", normal: "a"},
	{in: "O'Reilly (Media), Inc. + Co: a/b-c=d?", normal: "O'Reilly (Media), Inc. + Co: a/b-c=d?"},
	{in: `Tom & Jerry * "quoted" <x@y> #1; \ _`, normal: `Tom & Jerry * "quoted" <x@y> #1; \ _`},
	{in: "#0500", normal: "#0500"},
	{in: "阿里巴巴集团", normal: "阿里巴巴集团"},
	{in: "Müller GmbH", normal: "Müller GmbH"},
	{in: "Mu\u0308ller", normal: "Müller"},
	{in: "\u212bngstr\u00f6m", normal: "Ångström"},
	{in: "Ｆｕｌｌ ｗｉｄｔｈ", normal: "Ｆｕｌｌ ｗｉｄｔｈ"}, // NFC keeps what NFKC would change
	{in: "Rocket 🚀", normal: "Rocket 🚀"},
	{in: "a  b", normal: "a  b"},

	{in: " Alibaba", hint: "blank"},
	{in: "Alibaba ", hint: "blank"},
	{in: "Alibaba\u00a0", hint: "blank"},
	{in: "\u3000阿里", hint: "blank"},
	{in: " ", hint: "blank"},
	{in: "Ali\x00baba", hint: "U+0000"},
	{in: "Ali\nbaba", hint: "U+000A"},
	{in: "Ali\tbaba", hint: "U+0009"},
	{in: "Ali\x1bbaba", hint: "U+001B"},
	{in: "Ali\x7fbaba", hint: "U+007F"},
	{in: "Ali\u0085baba", hint: "U+0085"},
	{in: "Ali\u009fbaba", hint: "U+009F"},
	{in: "Ali\u2028baba", hint: "U+2028"},
	{in: "Ali\u061cbaba", hint: "U+061C"},
	{in: "Ali\u202ebaba", hint: "U+202E"},
	{in: "Ali\u2067baba", hint: "U+2067"},
	{in: "Ali\ufffdbaba", hint: "U+FFFD"},
	{in: "Ali\x80baba", hint: "UTF-8"},
	{in: "Ali\xc0\x80baba", hint: "UTF-8"},
}

// oddCountries are tried in Country.
var oddCountries = []oddText{
	{in: "CN", normal: "CN"},
	{in: "de", normal: "DE"},
	{in: "uS", normal: "US"},
	{in: "ZZ", normal: "ZZ"}, // not looked up in a list
	{in: "CHN", hint: "two letters"},
	{in: "C", hint: "two letters"},
	{in: "C1", hint: "two letters"},
	{in: "C ", hint: "blank"},
	{in: "c n", hint: "two letters"},
	{in: "ＣＮ", hint: "two letters"},
	{in: "中国", hint: "two letters"},
	{in: "é", hint: "two letters"}, // two bytes
	{in: "ı", hint: "two letters"}, // two bytes, of which ToUpper makes one
	{in: "ıı", hint: "two letters"},
	{in: "ſſ", hint: "two letters"},
	{in: "C\x00", hint: "U+0000"},
	{in: "\xff\xff", hint: "UTF-8"},
}

// oddEmails are tried in Email.
var oddEmails = []oddText{
	{in: "admin@example.com", normal: "admin@example.com"},
	{in: "First.Last+tag@sub.example.com", normal: "First.Last+tag@sub.example.com"},
	{in: "o'hara!#$%&*/=?^_`{|}~-@example.com", normal: "o'hara!#$%&*/=?^_`{|}~-@example.com"},
	{in: "admin@EXAMPLE.com", normal: "admin@EXAMPLE.com"},
	{in: "admin@xn--bcher-kva.example", normal: "admin@xn--bcher-kva.example"},
	{in: "root@localhost", normal: "root@localhost"},
	{in: longEmail(maxEmail), normal: longEmail(maxEmail)},
	{in: longEmail(maxEmail + 1), hint: "has 256 characters"},
	{in: "Admin <admin@example.com>", hint: `write only "admin@example.com"`},
	{in: "<admin@example.com>", hint: `write only "admin@example.com"`},
	{in: "admin@example.com (the boss)", hint: `write only "admin@example.com"`},
	{in: `"a b"@example.com`, hint: "not one plain"},
	{in: "a@example.com, b@example.com", hint: "such as admin@example.com"},
	{in: "a@example.com,b@example.com", hint: "such as admin@example.com"},
	{in: "admin", hint: "such as admin@example.com"},
	{in: "@example.com", hint: "such as admin@example.com"},
	{in: "admin@", hint: "such as admin@example.com"},
	{in: "a@b@example.com", hint: "such as admin@example.com"},
	{in: "a b@example.com", hint: "such as admin@example.com"},
	{in: "mailto:admin@example.com", hint: "such as admin@example.com"},
	{in: "admin@[192.0.2.1]", hint: "IP address"},
	{in: "admin@192.0.2.1", hint: "IP address"},
	{in: "admin@*.example.com", hint: "wildcard"},
	{in: "admin@a..b", hint: "such as admin@example.com"},
	{in: "admin@-a.com", hint: "hyphen"},
	{in: "admin@a_b.com", hint: "underscore"},
	{in: "admin@example.com.", hint: "such as admin@example.com"},
	{in: "müller@example.com", hint: "is not ASCII"},
	{in: "admin@bücher.example", hint: "is not ASCII"},
	{in: " admin@example.com", hint: "blank"},
	{in: "admin@example.com\n", hint: "U+000A"},
	{in: "ad\x00min@example.com", hint: "U+0000"},
	{in: "admin@exam\u202eple.com", hint: "U+202E"},
	{in: "admin@\xff.com", hint: "UTF-8"},
}

// longEmail returns an address of n characters, with a domain that is a name.
func longEmail(n int) string {
	domain := "@" + label63 + "." + label63 + "." + label63 + ".example"
	return strings.Repeat("a", n-len(domain)) + domain
}
