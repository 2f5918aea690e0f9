package examples_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A section of a README: what stands between two headings.
type section struct {
	level  int
	fences []fence
	rows   int // of tables
}

// A fence is a block of code.
type fence struct {
	language string
	file     string // where the code is from, by the comment before it; empty if there is none
	text     string
}

// readREADME reads a file of the module's root. Headings and fences are all that this test knows of Markdown.
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
	require.Nil(t, open, "a fence is not closed")
	return sections
}

func fences(sections []section) []fence {
	var all []fence
	for _, s := range sections {
		all = append(all, s.fences...)
	}
	return all
}

func TestREADME_BothLanguagesHaveTheSameSections(t *testing.T) {
	english, chinese := readREADME(t, "README.md"), readREADME(t, "README.zh-CN.md")
	require.NotEmpty(t, english)
	assert.Equal(t, english, chinese)
}

func TestREADME_ProgramsAreThoseThatCompile(t *testing.T) {
	programs := 0
	for _, f := range fences(readREADME(t, "README.md")) {
		if f.language != "go" {
			continue
		}
		programs++
		require.NotEmpty(t, f.file, "no file is named before\n%s", f.text)
		source, err := os.ReadFile("../" + f.file)
		require.NoError(t, err)
		assert.Contains(t, string(source), f.text, "README.md differs from %s", f.file)
	}
	assert.Positive(t, programs)
}

func TestREADME_FilesThatItNamesExist(t *testing.T) {
	link := regexp.MustCompile(`(?:\]\(|src="|srcset=")([^)"#:]+)[)"#]`)
	for _, name := range []string{"README.md", "README.zh-CN.md", "CONTRIBUTING.md", "SECURITY.md"} {
		data, err := os.ReadFile("../" + name)
		require.NoError(t, err)
		for _, found := range link.FindAllStringSubmatch(string(data), -1) {
			_, err := os.Stat("../" + found[1])
			assert.NoError(t, err, "%s names it", name)
		}
	}
}
