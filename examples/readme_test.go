package examples_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A section is the text below one heading of a README.
type section struct {
	level  int
	fences []fence
	rows   int // lines of tables
}

// A fence is a block of code.
type fence struct {
	language string
	file     string // the source of the code, given by a comment before the fence, or empty
	text     string
}

// readREADME parses the headings, fences and table lines of a Markdown file in
// the module's root.
func readREADME(t *testing.T, name string) []section {
	t.Helper()
	data, err := os.ReadFile("../" + name)
	require.NoError(t, err)
	var sections []section
	var open *fence
	var file string
	for line := range strings.Lines(string(data)) {
		trimmed := strings.TrimSpace(line)
		switch {
		case open != nil && trimmed == "```":
			last := &sections[len(sections)-1]
			last.fences = append(last.fences, *open)
			open, file = nil, ""
		case open != nil:
			open.text += line
		case strings.HasPrefix(trimmed, "```"):
			open = &fence{language: trimmed[3:], file: file}
		case strings.HasPrefix(trimmed, "#"):
			sections = append(sections, section{level: strings.Count(trimmed, "#")})
		case strings.HasPrefix(trimmed, "<!-- ") && strings.HasSuffix(trimmed, ".go -->"):
			file = strings.TrimSuffix(strings.TrimPrefix(trimmed, "<!-- "), " -->")
		case strings.HasPrefix(trimmed, "|"):
			sections[len(sections)-1].rows++
		}
	}
	require.Nil(t, open, "unclosed fence")
	return sections
}

func fences(sections []section) []fence {
	var all []fence
	for _, s := range sections {
		all = append(all, s.fences...)
	}
	return all
}

func TestREADME_SameSectionsInBothLanguages(t *testing.T) {
	english, chinese := readREADME(t, "README.md"), readREADME(t, "README.zh-CN.md")
	require.NotEmpty(t, english)
	assert.Equal(t, english, chinese)
}

func TestREADME_IsShort(t *testing.T) {
	data, err := os.ReadFile("../README.md")
	require.NoError(t, err)
	assert.LessOrEqual(t, strings.Count(string(data), "\n"), 130)
}

func TestREADME_CodeIsThatOfTheExamples(t *testing.T) {
	programs := 0
	for _, f := range fences(readREADME(t, "README.md")) {
		if f.language != "go" {
			continue
		}
		programs++
		require.NotEmpty(t, f.file, "no comment names the source of\n%s", f.text)
		source, err := os.ReadFile("../" + f.file)
		require.NoError(t, err)
		assert.Contains(t, string(source), f.text, "README.md differs from %s", f.file)
	}
	assert.Positive(t, programs)
}

func TestDocuments_LinkToExistingFiles(t *testing.T) {
	link := regexp.MustCompile(`(?:\]\(|src="|srcset=")([^)"#:]+)[)"#]`)
	for _, name := range []string{"README.md", "README.zh-CN.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"} {
		data, err := os.ReadFile("../" + name)
		require.NoError(t, err)
		for _, found := range link.FindAllStringSubmatch(string(data), -1) {
			_, err := os.Stat("../" + found[1])
			assert.NoError(t, err, "linked from %s", name)
		}
	}
}
