package csr

import "strings"

// textCases are tested as Organization, OrganizationUnit, State and City.
var textCases = []fieldCase{
	good("Alibaba Inc", "Alibaba Inc"),
	good("a", "a"),
	good("O'Reilly (Media), Inc. + Co: a/b-c=d?", "O'Reilly (Media), Inc. + Co: a/b-c=d?"),
	good(`Tom & Jerry * "quoted" <x@y> #1; \ _`, `Tom & Jerry * "quoted" <x@y> #1; \ _`),
	good("#0500", "#0500"),
	good("阿里巴巴集团", "阿里巴巴集团"),
	good("Müller GmbH", "Müller GmbH"),
	good("Mu\u0308ller", "Müller"),
	good("\u212bngstr\u00f6m", "Ångström"),
	good("Ｆｕｌｌ ｗｉｄｔｈ", "Ｆｕｌｌ ｗｉｄｔｈ"), // NFC keeps what NFKC would change
	good("Rocket 🚀", "Rocket 🚀"),
	good("a  b", "a  b"),

	bad(" Alibaba", "space"),
	bad("Alibaba ", "space"),
	bad("Alibaba\u00a0", "space"),
	bad("\u3000阿里", "space"),
	bad(" ", "space"),
	bad("Ali\x00baba", "U+0000"),
	bad("Ali\nbaba", "U+000A"),
	bad("Ali\tbaba", "U+0009"),
	bad("Ali\x1bbaba", "U+001B"),
	bad("Ali\x7fbaba", "U+007F"),
	bad("Ali\u0085baba", "U+0085"),
	bad("Ali\u009fbaba", "U+009F"),
	bad("Ali\u2028baba", "U+2028"),
	bad("Ali\u061cbaba", "U+061C"),
	bad("Ali\u202ebaba", "U+202E"),
	bad("Ali\u2067baba", "U+2067"),
	bad("Ali\ufffdbaba", "U+FFFD"),
	bad("Ali\x80baba", "UTF-8"),
	bad("Ali\xc0\x80baba", "UTF-8"),
	bad("Ali\u2029baba", "line separator U+2029"),

	// Invisible characters, and what looks like one.
	bad("\ufeffAlibaba", "invisible character U+FEFF"),
	bad("Ali\u200bbaba", "invisible character U+200B"),
	bad("Ali\u00adbaba", "invisible character U+00AD"),
	bad("Ali\u2060baba", "invisible character U+2060"),
	bad("Ali\u034fbaba", "invisible character U+034F"),
	bad("Ali\u180ebaba", "invisible character U+180E"),
	bad("\u115f", "invisible character U+115F"),
	bad("\u3164", "invisible character U+3164"),
	bad("\uffa0", "invisible character U+FFA0"),
	bad("Ali\ufe0fbaba", "invisible character U+FE0F"),
	bad("Ali\U000e0001baba", "invisible character U+E0001"),
	bad("Ali\U000e0041baba", "invisible character U+E0041"),
	bad("Ali\U000e0101baba", "invisible character U+E0101"),
	bad("Ali\uffffbaba", "noncharacter U+FFFF"),
	bad("Ali\ufdd0baba", "noncharacter U+FDD0"),
	bad("Ali\U0010fffebaba", "noncharacter U+10FFFE"),
	bad("\u200d", "no visible character"),
	bad("\u200c\u200d", "no visible character"),
	bad("\u200d \u200d", "no visible character"),
	bad("\u200c\u00a0\u200c", "no visible character"),
	bad("\u2800", "no visible character"), // BRAILLE PATTERN BLANK
	bad("\u200d\u2800 \u2800", "no visible character"),
	good("⠁⠇⠊⠃⠁⠃⠁⠀⠊⠝⠉", "⠁⠇⠊⠃⠁⠃⠁⠀⠊⠝⠉"),
	good("نامه\u200cای", "نامه\u200cای"), // Persian needs the non-joiner
	good("क्\u200dष", "क्\u200dष"),       // and Hindi the joiner
	good("\ue000", "\ue000"),             // private use
}

var countryCases = []fieldCase{
	good("CN", "CN"),
	good("de", "DE"),
	good("uS", "US"),
	good("ZZ", "ZZ"), // not looked up in a list
	good("AA", "AA"),
	bad("@A", "two letters"), // the neighbours of A and Z in ASCII
	bad("A[", "two letters"),
	bad("C\u200b", "invisible character"),
	bad("CHN", "two letters"),
	bad("C", "two letters"),
	bad("C1", "two letters"),
	bad("C ", "space"),
	bad("c n", "two letters"),
	bad("ＣＮ", "two letters"),
	bad("中国", "two letters"),
	bad("é", "two letters"), // two bytes
	bad("ı", "two letters"), // two bytes, of which ToUpper makes one
	bad("ıı", "two letters"),
	bad("ſſ", "two letters"),
	bad("C\x00", "U+0000"),
	bad("\xff\xff", "UTF-8"),
}

var emailCases = []fieldCase{
	good("admin@example.com", "admin@example.com"),
	good("First.Last+tag@sub.example.com", "First.Last+tag@sub.example.com"),
	good("o'hara!#$%&*/=?^_`{|}~-@example.com", "o'hara!#$%&*/=?^_`{|}~-@example.com"),
	good("admin@EXAMPLE.com", "admin@EXAMPLE.com"),
	good("admin@xn--bcher-kva.example", "admin@xn--bcher-kva.example"),
	good("root@localhost", "root@localhost"),
	good(longEmail(maxEmail), longEmail(maxEmail)),
	bad(longEmail(maxEmail+1), "has 256 characters"),
	bad("Admin <admin@example.com>", `write only "admin@example.com"`),
	bad("<admin@example.com>", `write only "admin@example.com"`),
	bad("admin@example.com (the boss)", `write only "admin@example.com"`),
	bad(`"a b"@example.com`, "not a plain"),
	bad("a@example.com, b@example.com", "such as admin@example.com"),
	bad("a@example.com,b@example.com", "such as admin@example.com"),
	bad("admin", "such as admin@example.com"),
	bad("@example.com", "such as admin@example.com"),
	bad("admin@", "such as admin@example.com"),
	bad("a@b@example.com", "such as admin@example.com"),
	bad("a b@example.com", "such as admin@example.com"),
	bad("mailto:admin@example.com", "such as admin@example.com"),
	bad("admin@[192.0.2.1]", "IP address"),
	bad("admin@192.0.2.1", "IP address"),
	bad("admin@*.example.com", "wildcard"),
	bad("admin@a..b", "such as admin@example.com"),
	bad("admin@-a.com", "hyphen"),
	bad("admin@a_b.com", "underscore"),
	bad("admin@example.com.", "such as admin@example.com"),
	bad("müller@example.com", "is not ASCII"),
	bad("admin@bücher.example", "is not ASCII"),
	bad(" admin@example.com", "space"),
	bad("admin@example.com\n", "U+000A"),
	bad("ad\x00min@example.com", "U+0000"),
	bad("admin@exam\u202eple.com", "U+202E"),
	bad("admin@\xff.com", "UTF-8"),
	bad("admin@exam\u200bple.com", "invisible character"),
}

// longEmail returns an address of n characters, with a domain that is a name.
func longEmail(n int) string {
	domain := "@" + label63 + "." + label63 + "." + label63 + ".example"
	return strings.Repeat("a", n-len(domain)) + domain
}
