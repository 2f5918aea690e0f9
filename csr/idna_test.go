package csr

import (
	"bufio"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// idnaTests is the number of tests in Unicode's IdnaTestV2.txt, so that a
// truncated file fails.
const idnaTests = 6225

// TestDomainName_IdnaTestV2 runs Unicode's own tests, which are in the file
// that CDNCSR_IDNA_TEST names
// (https://www.unicode.org/Public/idna/13.0.0/IdnaTestV2.txt). The profile must
// pass each of them, and domainName must return the same name or refuse it.
func TestDomainName_IdnaTestV2(t *testing.T) {
	file := os.Getenv("CDNCSR_IDNA_TEST")
	if file == "" {
		t.Skip("CDNCSR_IDNA_TEST does not name Unicode's IdnaTestV2.txt")
	}
	f, err := os.Open(file)
	require.NoError(t, err)
	defer f.Close()

	count, refused := 0, 0
	lines := bufio.NewScanner(f)
	for n := 1; lines.Scan(); n++ {
		test, ok := parseIDNATest(t, lines.Text())
		if !ok {
			continue
		}
		count++
		got, err := uts46().ToASCII(test.source)
		if test.valid != (err == nil) || test.valid && got != test.ascii {
			t.Errorf("line %d: profile: %+q: %q, %v: want %q, valid %t", n, test.source, got, err, test.ascii, test.valid)
		}
		normal, reason := domainName(test.source)
		switch {
		case reason != "":
			refused++
			if test.valid && !stricter(test.ascii) {
				t.Errorf("line %d: %+q is refused: %s", n, test.source, reason)
			}
		case !test.valid || normal != test.ascii:
			t.Errorf("line %d: %+q: %q: want %q, valid %t", n, test.source, normal, test.ascii, test.valid)
		}
	}
	require.NoError(t, lines.Err())
	assert.Equal(t, idnaTests, count, "tests in the file")
	t.Logf("%d tests, %d names refused", count, refused)
}

// stricter reports whether domainName refuses a name that UTS #46 allows: one
// that ends with a dot, or one that resolvers take for an IP address.
func stricter(ascii string) bool {
	return strings.HasSuffix(ascii, ".") || isNumber(ascii[strings.LastIndexByte(ascii, '.')+1:])
}

type idnaTest struct {
	source, ascii string
	valid         bool
}

// parseIDNATest parses a line: source; toUnicode; its status; toAsciiN; its
// status; …
func parseIDNATest(t *testing.T, line string) (idnaTest, bool) {
	line, _, _ = strings.Cut(line, "#")
	if strings.TrimSpace(line) == "" {
		return idnaTest{}, false
	}
	columns := strings.Split(line, ";")
	require.GreaterOrEqual(t, len(columns), 5, line)
	for i, column := range columns {
		columns[i] = unescapeIDNA(t, strings.Trim(column, " \t"))
	}
	source, unicode, unicodeStatus, ascii, status := columns[0], columns[1], columns[2], columns[3], columns[4]
	if unicode == "" {
		unicode = source
	}
	if ascii == "" {
		ascii = unicode
	}
	if status == "" {
		status = unicodeStatus
	}
	return idnaTest{source, ascii, status == "" || status == "[]"}, true
}

var idnaEscape = regexp.MustCompile(`\\u[0-9A-Fa-f]{4}|\\x\{[0-9A-Fa-f]+\}`)

func unescapeIDNA(t *testing.T, s string) string {
	return idnaEscape.ReplaceAllStringFunc(s, func(escape string) string {
		code, err := strconv.ParseUint(strings.Trim(escape, `\ux{}`), 16, 32)
		require.NoError(t, err)
		return string(rune(code))
	})
}
