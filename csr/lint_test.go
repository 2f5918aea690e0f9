package csr

import (
	"encoding/pem"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func pemBytes(s string) []byte {
	block, _ := pem.Decode([]byte(s))
	return block.Bytes
}

// codes returns the codes of what Lint finds, each once, in alphabetical order with blanks between.
func codes(findings []Finding) string {
	all := make(map[string]bool)
	for _, f := range findings {
		all[f.Code] = true
	}
	return strings.Join(slices.Sorted(maps.Keys(all)), " ")
}

func TestLint_Samples(t *testing.T) {
	key := newTestKey(t, P256)
	found := map[string]bool{"pem-missing": true}
	for _, one := range slices.Concat(encodingSamples(t), keySamples(t), subjectSamples(), nameSamples()) {
		findings := Lint(forge(t, key, one.change))
		want := strings.Fields(one.codes)
		slices.Sort(want)
		assert.Equal(t, strings.Join(want, " "), codes(findings), "%s: %v", one.what, findings)
		for _, f := range findings {
			found[f.Code] = true
			assert.NotEmpty(t, f.Place, f)
			assert.NotEmpty(t, f.Detail, f)
			assert.NotEmpty(t, f.Source, f)
			assert.NotContains(t, f.String(), "\n")
		}
	}
	assert.Equal(t, documentedCodes(t), slices.Sorted(maps.Keys(found)), "each code is documented, and each has a sample")
}

// documentedCodes returns the codes in the comment of Lint.
func documentedCodes(t *testing.T) []string {
	t.Helper()
	source, err := os.ReadFile("lint.go")
	require.NoError(t, err)
	_, list, ok := strings.Cut(string(source), "// The codes, by what they look at:")
	require.True(t, ok)
	list, _, _ = strings.Cut(list, "func Lint")
	all := regexp.MustCompile(`[a-z]+(-[a-z]+)+|version`).FindAllString(list, -1)
	slices.Sort(all)
	return all
}

func TestLint_NoCSR(t *testing.T) {
	for _, text := range []string{"", "example.com", "-----BEGIN CERTIFICATE REQUEST-----\n", "\x30"} {
		findings := Lint([]byte(text))
		require.NotEmpty(t, findings, "%q", text)
		assert.True(t, findings[0].Refused)
		assert.Equal(t, "pem-missing", findings[0].Code)
	}
}

// TestLint_OurOwn holds that Lint has nothing against a CSR of this package but what the request asked for.
func TestLint_OurOwn(t *testing.T) {
	for _, keyType := range keyTypes[:5] {
		resp, err := New(&benchmarkRequest, newTestKey(t, keyType))
		require.NoError(t, err)
		findings := Lint([]byte(resp.Csr))
		assert.Equal(t, "subject-ou", codes(findings), keyType)
		assert.False(t, findings[0].Refused)
	}
	asked := regexp.MustCompile("^(subject-(ou|email|placeholder)|key-type|name-(internal|suffix|wildcard)|san-(count|redundant))$")
	for _, resp := range validCSRs(t) {
		for _, f := range Lint([]byte(resp.Csr)) {
			assert.Regexp(t, asked, f.Code, f)
		}
	}
}

func FuzzLint(f *testing.F) {
	key := newTestKey(f, P256)
	for _, one := range slices.Concat(encodingSamples(f), subjectSamples(), nameSamples()) {
		csr := forge(f, key, one.change)
		f.Add(csr)
		if block, _ := pem.Decode(csr); block != nil {
			f.Add(block.Bytes)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, finding := range Lint(data) {
			if finding.Code == "" || finding.Place == "" || finding.Detail == "" || finding.Source == "" ||
				strings.ContainsAny(finding.String(), "\n\x00") {
				t.Fatalf("%+v", finding)
			}
		}
	})
}
