package csrlint

import (
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/internal/testkey"
)

// codes returns the codes of the findings that are refused or of the others,
// each once, in alphabetical order with blanks between.
func codes(findings []Finding, refused bool) string {
	all := make(map[string]bool)
	for _, f := range findings {
		if f.Refused == refused {
			all[f.Code] = true
		}
	}
	return strings.Join(slices.Sorted(maps.Keys(all)), " ")
}

func isRefused(f Finding) bool { return f.Refused }

func TestLint_Samples(t *testing.T) {
	seen := make(map[string]bool)
	found := make(map[string]bool)
	for _, s := range samples(t) {
		require.False(t, seen[s.name], "two samples are called %q", s.name)
		seen[s.name] = true
		findings := Lint(s.csr)
		assert.Equal(t, s.refused, codes(findings, true), "%s: refused: %v", s.name, findings)
		assert.Equal(t, s.changed, codes(findings, false), "%s: changed: %v", s.name, findings)
		for _, f := range findings {
			found[f.Code] = true
			assert.Empty(t, mistakes(f))
		}
	}
	assert.Equal(t, documentedCodes(t), slices.Sorted(maps.Keys(found)), "each code is documented and has a sample")
}

// mistakes returns what is wrong with a finding.
func mistakes(f Finding) []string {
	var all []string
	if f.Code == "" || f.Field == "" || f.Detail == "" || f.Source == "" {
		all = append(all, "an empty field")
	}
	if strings.ContainsAny(f.String(), "\n\r\x00") {
		all = append(all, "more than one line")
	}
	return all
}

// documentedCodes returns the codes in the doc comment of Lint.
func documentedCodes(t *testing.T) []string {
	t.Helper()
	source, err := os.ReadFile("lint.go")
	require.NoError(t, err)
	_, list, ok := strings.Cut(string(source), "// The codes by subject:")
	require.True(t, ok)
	list, _, ok = strings.Cut(list, "func Lint")
	require.True(t, ok)
	all := regexp.MustCompile(`[a-z]+(-[a-z]+)+|version`).FindAllString(list, -1)
	slices.Sort(all)
	return all
}

func TestLint_NothingToRead(t *testing.T) {
	for text, detail := range map[string]string{
		"":                                      "has no PEM block",
		"example.com":                           "has no PEM block",
		"-----BEGIN CERTIFICATE REQUEST-----\n": "has no PEM block",
		"\x30":                                  "is bare DER: want a PEM block",
	} {
		findings := Lint([]byte(text))
		require.NotEmpty(t, findings, "%q", text)
		assert.True(t, findings[0].Refused)
		assert.Equal(t, "pem-missing", findings[0].Code)
		assert.Equal(t, detail, findings[0].Detail)
	}
}

func TestLint_InTheOrderOfTheCSR(t *testing.T) {
	findings := Lint(forge(t, func(f *forgery) {
		f.label, f.version[2] = "CSR", 1
		f.add(attr(unit, utf8String, "Aliyun CDN"))
		f.spki = spkiOf(newECDSA(elliptic.P521()).Public())
		f.extensions = [][]byte{extension(oid(2, 5, 29, 15), nil)}
		f.names = append(f.names, dnsName("localhost"))
	}))
	var fields []string
	for _, f := range findings {
		fields = append(fields, f.Field)
	}
	assert.Equal(t, []string{"PEM", "DER", "subject.OU", "public key", "extensions", "SAN[1]", "signature"}, fields)
}

// TestLint_WhoseRuleAnExponentBreaks: the Baseline Requirements refuse even
// exponents and those below 3, Let's Encrypt all but 65537.
func TestLint_WhoseRuleAnExponentBreaks(t *testing.T) {
	key := testkey.RSA(2048)
	for exponent, want := range map[int]string{
		1: "BR 6.1.6", 2: "BR 6.1.6", 65536: "BR 6.1.6",
		3: "Boulder goodkey (Let's Encrypt)", 65539: "Boulder goodkey (Let's Encrypt)",
	} {
		findings := Lint(forge(t, func(f *forgery) {
			f.rsa(key)
			f.spki = spkiOf(&rsa.PublicKey{N: key.N, E: exponent})
		}))
		require.NotEmpty(t, findings, exponent)
		assert.Equal(t, "key-exponent", findings[0].Code, exponent)
		assert.Equal(t, want, findings[0].Source, exponent)
	}
}

func TestRepeated_EachValueOnce(t *testing.T) {
	assert.Equal(t, []int{1, 3}, repeated([]int{3, 1, 2, 1, 3, 3}))
	assert.Empty(t, repeated([]int{1, 2, 3}))
}

func TestQuote_CutsLongValues(t *testing.T) {
	assert.Equal(t, `"`+strings.Repeat("a", 80)+`"`, quote(strings.Repeat("a", 80)))
	assert.Equal(t, `"`+strings.Repeat("a", 80)+`"…`, quote(strings.Repeat("a", 81)))
	assert.Equal(t, `"`+strings.Repeat("a", 79)+`"…`, quote(strings.Repeat("a", 79)+"é"), "not within a character")
	assert.Equal(t, `"`+strings.Repeat(`\x80`, 76)+`"…`, quote(strings.Repeat("\x80", 81)), "without a character")
}

// FuzzLint checks that no finding is incomplete, and that Lint refuses what
// crypto/x509 cannot read: Boulder reads CSRs with it.
func FuzzLint(f *testing.F) {
	for _, s := range pemSamples() {
		f.Add(forge(f, s.change))
	}
	for _, s := range contentSamples() {
		f.Add(derOf(string(forge(f, s.change))))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		findings := Lint(data)
		for _, finding := range findings {
			if m := mistakes(finding); m != nil {
				t.Fatalf("%v: %+v", m, finding)
			}
		}
		der := data
		if block, _ := requestBlock(data); block != nil {
			der = block.Bytes
		}
		if _, err := x509.ParseCertificateRequest(der); err != nil && !slices.ContainsFunc(findings, isRefused) {
			t.Fatalf("x509: %v; Lint refuses nothing: %v", err, findings)
		}
	})
}
