package cli

import (
	"flag"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestCreator_WaitsForDisk(t *testing.T) {
	for args, want := range map[string]bool{
		"":                               false, // RSA-2048
		"-key-type p-256":                true,
		"-key-type ed25519":              true,
		"-key-type rsa-4096":             false,
		"-mode fallback -key-type p-256": false,
		"-mode remote -key-type p-256":   false,
	} {
		var c Creator
		flags := flag.NewFlagSet("", flag.ContinueOnError)
		c.AddTo(flags)
		require.NoError(t, flags.Parse(strings.Fields(args)))
		assert.Equal(t, want, c.WaitsForDisk(), args)
	}
}
