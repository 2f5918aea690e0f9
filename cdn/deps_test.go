package cdn_test

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Package signer is promised to need nothing but the standard library, and no package but the adapter may bring an SDK into
// a program. What may be linked beside the standard library has its reason in CONTRIBUTING.md.
func TestDependencies_NoneButTheAllowed(t *testing.T) {
	const own = "." // this module
	inCSR := []string{own, "github.com/cenkalti/backoff/v5", "github.com/google/uuid", "golang.org/x/net", "golang.org/x/text"}
	for name, allowed := range map[string][]string{
		"signer": {own},
		"csr":    inCSR,
		"cdn":    append(inCSR, "github.com/sony/gobreaker/v2", "golang.org/x/time"),
	} {
		const modules = "{{with .Module}}{{if .Main}}.{{else}}{{.Path}}{{end}}{{end}}" // nothing for the standard library
		out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", "-f", modules, "../"+name).Output()
		require.NoError(t, err)
		linked := strings.Fields(string(out))
		require.Contains(t, linked, own)
		require.Subset(t, allowed, linked, name)
	}
}
