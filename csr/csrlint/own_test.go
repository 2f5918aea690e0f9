package csrlint

import (
	"strings"
	"sync"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/csr"
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

// ownKeyTypes are the key types of package csr that a public CA accepts.
var ownKeyTypes = []csr.KeyType{csr.RSA2048, csr.RSA3072, csr.RSA4096, csr.P256, csr.P384}

var (
	ownPEMs     []string
	ownPEMsOnce sync.Once // RSA keys take seconds
)

// ownCSRs returns a CSR by package csr for each of ownRequests, in their order,
// and after them one of each of ownKeyTypes.
func ownCSRs(t *testing.T) []string {
	t.Helper()
	create := func(request *csr.Request, keyType csr.KeyType) {
		key, err := keyType.NewKey(t.Context())
		require.NoError(t, err)
		resp, err := csr.New(request, key)
		require.NoError(t, err)
		ownPEMs = append(ownPEMs, resp.Csr)
	}
	ownPEMsOnce.Do(func() {
		for _, own := range ownRequests {
			create(&own.request, csr.P256)
		}
		for _, keyType := range ownKeyTypes {
			create(&csr.Request{CommonName: "example.com"}, keyType)
		}
	})
	require.Len(t, ownPEMs, len(ownRequests)+len(ownKeyTypes), "an earlier test failed to make them")
	return ownPEMs
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
	count := 0
	for r := rune(0); r <= unicode.MaxRune; r++ {
		if !utf8.ValidRune(r) {
			continue
		}
		request := csr.Request{CommonName: "example.com", Organization: "a" + string(r) + "b"}
		refused := request.Validate() != nil
		if refused != isInvisible(r) {
			t.Errorf("%U: package csr refuses %t, invisible %t", r, refused, isInvisible(r))
		}
		if refused {
			count++
		}
	}
	assert.Greater(t, count, 4000, "the ignorable code points alone are more than 4000")
}
