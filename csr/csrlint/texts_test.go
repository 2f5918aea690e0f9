package csrlint

import (
	"flag"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write testdata/errors.txt instead of comparing it")

// value matches the parts that differ between findings of one kind.
var value = regexp.MustCompile(`"[^"]*"|[0-9]+`)

const goldenTexts = "testdata/errors.txt"

// TestTexts compares the text of every kind of finding with a list, so that a
// review shows each change.
func TestTexts(t *testing.T) {
	var list strings.Builder
	list.WriteString("# Every kind of finding, below the first sample that has it.\n" +
		"# Written by go test ./csr/csrlint -run TestTexts -update\n")
	seen := make(map[string]bool)
	for _, s := range samples(t) {
		headline := "\n" + s.name + "\n"
		for _, f := range Lint(s.csr) {
			text := f.String()
			assert.NotRegexp(t, `[\s.,;:!?-] \(`, text, "the detail ends with a word")
			f.Field, f.Detail = "", value.ReplaceAllString(f.Detail, "…")
			kind := f.String()
			if seen[kind] {
				continue
			}
			seen[kind] = true
			list.WriteString(headline + "    " + text + "\n")
			headline = ""
		}
	}
	if *update {
		require.NoError(t, os.WriteFile(goldenTexts, []byte(list.String()), 0o644))
		return
	}
	want, err := os.ReadFile(goldenTexts)
	require.NoError(t, err)
	require.Equal(t, string(want), list.String(),
		"if the change is intended, run the test with -update and read the difference")
}
