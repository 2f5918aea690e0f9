package cdn_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	ownModule = "github.com/cdncsr/cdncsr"
	sdkModule = "github.com/aliyun/alibaba-cloud-sdk-go"
)

// imports lists what each package of the library may import beside the standard
// library: packages of this module, and modules. CONTRIBUTING.md has the
// reasons.
var imports = map[string][]string{
	"signer":        {},
	"csr":           {"internal/keydir", "github.com/cenkalti/backoff/v5", "github.com/google/uuid", "golang.org/x/net", "golang.org/x/text"},
	"csr/csrlint":   {"golang.org/x/net", "golang.org/x/text"},
	"csr/csrtest":   {"csr", "csr/sealed", "internal/testkey"},
	"csr/sealed":    {"csr", "internal/keydir"},
	"csr/sqlstore":  {"csr/sealed"},
	"cdn":           {"csr", "signer", "github.com/cenkalti/backoff/v5", "github.com/sony/gobreaker/v2", "golang.org/x/time"},
	"cdn/cdntest":   {"cdn", "csr", "signer", "github.com/google/uuid"},
	"cdn/aliyunsdk": {"cdn", "signer", sdkModule},

	"cdn/sharedlimit":                 {},
	"cdn/sharedlimit/sharedlimittest": {"cdn/sharedlimit"},
	"internal/keydir":                 {},
	"internal/testkey":                {},
}

// linked lists the modules that a program gets with a package, those of their
// own imports included.
var linked = map[string][]string{
	"signer": {},
	"csr":    {"github.com/cenkalti/backoff/v5", "github.com/google/uuid", "golang.org/x/net", "golang.org/x/text"},
	"cdn": {
		"github.com/cenkalti/backoff/v5", "github.com/google/uuid", "github.com/sony/gobreaker/v2",
		"golang.org/x/net", "golang.org/x/text", "golang.org/x/time",
	},
}

// A goPackage is what "go list" says of a package, without its tests.
type goPackage struct {
	ImportPath    string
	Imports, Deps []string
	Module        *struct{ Path string } // nil for the standard library
}

// listPackages returns all packages of this module, and what they import, by
// their paths.
func listPackages(t *testing.T) map[string]goPackage {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-deps", "-json=ImportPath,Imports,Deps,Module", "./...")
	cmd.Dir = ".."
	out, err := cmd.Output()
	require.NoError(t, err)
	packages := map[string]goPackage{}
	for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
		var p goPackage
		err := decoder.Decode(&p)
		if errors.Is(err, io.EOF) {
			return packages
		}
		require.NoError(t, err)
		packages[p.ImportPath] = p
	}
}

// nameOf returns a package as the lists above have it: its path in this module,
// its module, or "" for the standard library.
func nameOf(p goPackage) string {
	switch {
	case p.Module == nil:
		return ""
	case p.Module.Path == ownModule:
		return strings.TrimPrefix(p.ImportPath, ownModule+"/")
	}
	return p.Module.Path
}

func TestDependencies_OnlyThoseThatAreAllowed(t *testing.T) {
	packages := listPackages(t)
	for _, name := range []string{"signer", "csr", "cdn", "cdn/aliyunsdk"} {
		require.Contains(t, packages, ownModule+"/"+name)
	}
	for _, p := range packages {
		name := nameOf(p)
		if p.Module == nil || p.Module.Path != ownModule {
			continue
		}
		allowed, isLibrary := imports[name]
		for _, path := range p.Imports {
			imported := nameOf(packages[path])
			switch {
			case isLibrary:
				assert.True(t, imported == "" || slices.Contains(allowed, imported), "%s imports %s", name, imported)
			case imported == sdkModule:
				t.Errorf("%s imports the SDK, which cdn/aliyunsdk alone may", name)
			}
		}
		for _, root := range []string{"signer", "csr", "cdn"} {
			if name == root || strings.HasPrefix(name, root+"/") {
				assert.True(t, isLibrary, "%s is not in the list of this test", name)
			}
		}
	}
	for name, allowed := range linked {
		for _, path := range packages[ownModule+"/"+name].Deps {
			if p := packages[path]; p.Module != nil && p.Module.Path != ownModule {
				assert.Contains(t, allowed, p.Module.Path, "%s is linked with %s", path, name)
			}
		}
	}
}
