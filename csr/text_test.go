package csr

import (
	"fmt"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/assert"
)

// TestIsDefaultIgnorable compares the derived property with the ranges that
// Unicode's DerivedCoreProperties.txt lists, which have not changed since 5.2
// but for U+180F (14.0).
func TestIsDefaultIgnorable(t *testing.T) {
	const want = `00AD 034F 061C 115F..1160 17B4..17B5 180B..180F 200B..200F 202A..202E 2060..206F 3164 FE00..FE0F
		FEFF FFA0 FFF0..FFF8 1BCA0..1BCA3 1D173..1D17A E0000..E0FFF`
	var got []string
	first := rune(-1)
	for r := rune(0); r <= unicode.MaxRune+1; r++ {
		switch in := r <= unicode.MaxRune && isDefaultIgnorable(r); {
		case in && first < 0:
			first = r
		case !in && first >= 0 && first == r-1:
			got, first = append(got, fmt.Sprintf("%04X", first)), -1
		case !in && first >= 0:
			got, first = append(got, fmt.Sprintf("%04X..%04X", first, r-1)), -1
		}
	}
	assert.Equal(t, strings.Fields(want), got)
}

func TestIsASCII(t *testing.T) {
	assert.True(t, isASCII("a\x7f"))
	assert.False(t, isASCII("a\u0080"))
}
