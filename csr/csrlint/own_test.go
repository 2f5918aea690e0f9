package csrlint

import (
	"crypto"
	"crypto/elliptic"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/csr"
	"github.com/cdncsr/cdncsr/internal/testkey"
)

// ownRequests are requests to package csr, with the codes of the findings in
// their CSRs.
var ownRequests = []struct {
	request csr.Request
	refused string
	changed string // besides subject-ou, for the unit that every CSR has
}{
	{csr.Request{CommonName: "example.com"}, "", ""},
	{csr.Request{CommonName: "example.com", SANs: []string{"www.example.com", "*.example.org"}}, "", ""},
	{csr.Request{CommonName: "Bücher.EXAMPLE.com", SANs: []string{"例子.中国", "faß.de"}}, "", ""},
	{csr.Request{CommonName: strings.Repeat("a", 52) + ".example.com"}, "", ""}, // 64 characters
	{csr.Request{CommonName: "example.com", SANs: numbered(99)}, "", ""},
	{csr.Request{CommonName: "example.com", SANs: numbered(100)}, "san-count", ""},
	{csr.Request{
		CommonName: "example.com", Organization: "浙江某某网络有限公司", OrganizationUnit: "技术部", State: "浙江省", City: "杭州市",
	}, "", ""},
	{
		csr.Request{CommonName: "example.com", Organization: `Müller & Söhne "GmbH" (*)`, City: "Saint-Denis d'Oléron"}, "", "",
	},
	{
		csr.Request{CommonName: "example.com", Organization: strings.Repeat("é", 64), State: strings.Repeat("x", 128)}, "", "",
	},
	{csr.Request{CommonName: "example.com", Country: "de", Email: "admin@example.com"}, "", "subject-email"},
	{csr.Request{CommonName: "example.com", City: "-"}, "", "subject-placeholder"},
	{csr.Request{CommonName: "localhost"}, "name-internal", ""},
	{csr.Request{CommonName: "*.co.uk"}, "name-wildcard", ""},
	{csr.Request{CommonName: "1.2.3.4.5.6.7.8.9.example.com"}, "name-labels", ""},
	{csr.Request{CommonName: "*.example.com", SANs: []string{"www.example.com"}}, "san-redundant", ""},
}

// ownCSRs returns a CSR by package csr for each of ownRequests, in their order,
// and after them one with a key of each type that a public CA accepts.
func ownCSRs(t *testing.T) (pems []string) {
	t.Helper()
	create := func(request csr.Request, key crypto.Signer) {
		resp, err := csr.New(&request, key)
		require.NoError(t, err)
		pems = append(pems, resp.Csr)
	}
	for _, own := range ownRequests {
		create(own.request, newECDSA(elliptic.P256()))
	}
	for _, key := range []crypto.Signer{
		testkey.RSA(2048), testkey.RSA(3072), testkey.RSA(4096), newECDSA(elliptic.P256()), newECDSA(elliptic.P384()),
	} {
		create(csr.Request{CommonName: "example.com"}, key)
	}
	return pems
}

// TestLint_OwnCSRs checks that Lint finds nothing in a CSR of package csr but
// what was asked for.
func TestLint_OwnCSRs(t *testing.T) {
	for i, pem := range ownCSRs(t) {
		var refused, changed string
		if i < len(ownRequests) {
			refused, changed = ownRequests[i].refused, ownRequests[i].changed
		}
		findings := Lint([]byte(pem))
		assert.Equal(t, refused, codes(findings, true), "%d: %v", i, findings)
		want := append(strings.Fields(changed), "subject-ou")
		assert.ElementsMatch(t, want, strings.Fields(codes(findings, false)), "%d: %v", i, findings)
	}
}

// TestLint_InvisibleCharactersOfPackageCSR checks that Lint reports exactly the
// characters of Unicode that package csr refuses in a text of the subject.
func TestLint_InvisibleCharactersOfPackageCSR(t *testing.T) {
	valid := func(organization string) bool {
		request := csr.Request{CommonName: "example.com", Organization: organization}
		return request.Validate() == nil
	}
	var visible []rune // few enough for one organization, also once NFC has decomposed them; with a letter after each
	check := func() {
		if text := "a" + string(visible); !valid(text) {
			t.Errorf("package csr refuses a character of %+q, all of which are visible", text)
		}
		visible = nil
	}
	count := 0
	for r := rune(0); r <= unicode.MaxRune; r++ {
		switch {
		case !utf8.ValidRune(r):
		case isInvisible(r):
			count++
			assert.False(t, valid("a"+string(r)+"b"), "%U: package csr does not refuse it", r)
		default:
			if visible = append(visible, r, 'b'); len(visible) >= 32 {
				check()
			}
		}
	}
	check()
	assert.Greater(t, count, 4000, "the ignorable code points alone are more than 4000")
}
