package errortexts

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write testdata/errors.txt instead of comparing with it")

const golden = "testdata/errors.txt"

// A section is the texts of a package or of a program.
type section struct {
	name   string
	begins []string // what each of its texts begins with: one of these
	cases  func(t *testing.T) []provocation
}

// A provocation is one error and how it comes about.
type provocation struct {
	how  string // in words; the headline of the text
	fail func(t *testing.T) error
}

// librarySections are in the order of the golden file, before those of the programs.
var librarySections = []section{
	{"signer", []string{"signer: "}, signerTexts},
	{"csr, the request", []string{"csr: invalid request: "}, requestTexts},
	{"csr, a key of one's own", []string{"csr: "}, ownKeyTexts},
	{"csr, keys and key stores", []string{"csr: "}, keyTexts},
	{"csr, DirStore", []string{"csr: "}, dirStoreTexts},
	{"csr, a response", []string{"csr: "}, responseTexts},
	{"csr, what Lint finds", []string{""}, findingTexts},
	{"cdn, what can't be set", []string{"cdn: "}, optionTexts},
	{"cdn, the request", []string{"csr: invalid request: "}, parameterTexts},
	{"cdn, credentials", []string{"cdn: "}, credentialTexts},
	{"cdn, what the service says", []string{"cdn: ", "csr: invalid request: "}, answerTexts},
	{"cdn, signatures and secrets", []string{"cdn: "}, signatureTexts},
	{"cdn, time and retries", []string{"cdn: "}, retryTexts},
	{"cdn, Fallback and Breaker", []string{"cdn: "}, fallbackTexts},
	{"aliyunsdk", []string{"aliyunsdk: "}, providerTexts},
}

// hidden is in each secret that a provocation uses. No text may hold it.
const hidden = "hidden"

func TestTexts(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the list has the texts of a Unix system for missing files and refused connections")
	}
	var list strings.Builder
	list.WriteString("# Every error as its user meets it, written by go test ./internal/errortexts -update.\n")
	for _, s := range append(librarySections, programSections(t)...) {
		fmt.Fprintf(&list, "\n== %s ==\n", s.name)
		t.Run(s.name, func(t *testing.T) {
			for _, p := range s.cases(t) {
				t.Run(p.how, func(t *testing.T) {
					text := s.text(t, p)
					fmt.Fprintf(&list, "%s\n    %s\n", p.how, text)
				})
			}
		})
	}
	if *update && !t.Failed() {
		require.NoError(t, os.WriteFile(golden, []byte(list.String()), 0o644))
		return
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	require.Equal(t, string(want), list.String(), "if the change is meant: go test ./internal/errortexts -update, and read the diff")
}

// text provokes an error, and holds that its text is what a user can read in a log.
func (s section) text(t *testing.T, p provocation) string {
	t.Helper()
	err := p.fail(t)
	require.Error(t, err)
	text := fixed(err.Error())
	assert.True(t, beginsWithOneOf(text, s.begins), "%q begins with none of %q", text, s.begins)
	assert.NotRegexp(t, `[\n\r]`, text, "it is one line")
	assert.NotRegexp(t, `[\s.,;:!?-]$`, text, "it ends with a word")
	assert.NotContains(t, text, hidden, "a secret")
	return text
}

func beginsWithOneOf(text string, begins []string) bool {
	for _, begin := range begins {
		if strings.HasPrefix(text, begin) {
			return true
		}
	}
	return false
}

// placeholders stand for what varies from run to run.
var placeholders = []struct {
	varies *regexp.Regexp
	fixed  string
}{
	{regexp.MustCompile(regexp.QuoteMeta(filepath.Clean(os.TempDir())) + `/[^/\s]+/[0-9]{3}`), "DIR"}, // of t.TempDir
	{regexp.MustCompile(`127\.0\.0\.1:[0-9]{5}\b`), "127.0.0.1:PORT"},                                 // of httptest
	{regexp.MustCompile(`\b[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}\b`), "REQUEST-ID"},
	{regexp.MustCompile(`\b[0-9a-f]{32}\b`), "PUBMD5"},
	{regexp.MustCompile(`\b[0-9A-Z]{26}\b`), "TEMPORARY"},                   // of rand.Text
	{regexp.MustCompile(`^[0-9]{4}/[0-9]{2}/[0-9]{2} [0-9:]{8} `), "TIME "}, // of package log
}

// fixed is text with placeholders for what varies.
func fixed(text string) string {
	for _, p := range placeholders {
		text = p.varies.ReplaceAllString(text, p.fixed)
	}
	return text
}
