package cli

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestExit_PrintsOneLineAndReturnsTheStatus(t *testing.T) {
	for _, test := range []struct {
		err    error
		status int
		line   string
	}{
		{nil, 0, ""},
		{flag.ErrHelp, 0, ""},
		{errors.Join(errors.New("one"), errors.New("two")), 1, "program: one; two\n"},
		{errors.New("\rone\x1b[2K\u2028two\tü"), 1, "program:  one [2K two ü\n"},
		{Usagef("no %s", "name"), 2, "program: no name (program -h shows the usage)\n"},
		{fmt.Errorf("wrapped: %w", Usagef("no name")), 2, "program: wrapped: no name (program -h shows the usage)\n"},
	} {
		var stderr bytes.Buffer
		assert.Equal(t, test.status, Exit("program", &stderr, test.err))
		assert.Equal(t, test.line, stderr.String())
	}
}
