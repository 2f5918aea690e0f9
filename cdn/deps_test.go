package cdn_test

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// mayLink are the modules that the library may bring into a program, beside the standard library; each has its reason in
// CONTRIBUTING.md. The golang.org/x modules come with net/http's own vendored copies already.
var mayLink = []string{
	"github.com/cdncsr/cdncsr",
	"github.com/cenkalti/backoff/v5",
	"github.com/google/uuid",
	"github.com/sony/gobreaker/v2",
	"golang.org/x/net",
	"golang.org/x/text",
	"golang.org/x/time",
}

// Package signer is promised to need nothing but the standard library, csr less than cdn, and cdn no SDK.
func TestDependencies_NoneButTheAllowed(t *testing.T) {
	goTool, err := exec.LookPath("go")
	if err != nil {
		t.Skip("there is no go command here")
	}
	for name, allowed := range map[string][]string{
		"signer": {"github.com/cdncsr/cdncsr"},
		"csr":    {"github.com/cdncsr/cdncsr", "github.com/google/uuid", "golang.org/x/net", "golang.org/x/text"},
		"cdn":    mayLink,
	} {
		out, err := exec.CommandContext(t.Context(), goTool, "list", "-deps", "-f", "{{with .Module}}{{.Path}}{{end}}", "../"+name).Output()
		require.NoError(t, err)
		modules := strings.Fields(string(out))
		require.NotEmpty(t, modules)
		require.Subset(t, allowed, modules, name)
	}
}
