package errortexts

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// createTexts are the errors of examples/create, and what it says besides.
func createTexts(bin string) func(*testing.T) []provocation {
	with := func(args ...string) func(*testing.T) error {
		return run{program: filepath.Join(bin, "create"), args: args, files: map[string]string{"file": ""}}.fail
	}
	return func(*testing.T) []provocation {
		return []provocation{
			{"no name", with("-mode", "local")},
			{"an unknown flag", with("-nonsense", "example.com")},
			{"an unknown mode", with("-mode", "cloud", "example.com")},
			{"an unknown type of key", with("-key-type", "rsa", "example.com")},
			{"an unknown form", with("-format", "yaml", "example.com")},
			{"a flag behind a name", with("example.com", "-mode", "remote")},
			{"an endpoint without a scheme", with("-mode", "remote", "-endpoint", "cdn.aliyuncs.com", "example.com")},
			{"wrong names", with("https://example.com/", "a b")},
			{"a file in the place of the keys", with("-keys", "file", "example.com")},
			{"a response that can't be written", func(t *testing.T) error {
				r := run{program: filepath.Join(bin, "create"), args: []string{"-key-type", "p-256", "example.com"}, line: 1}
				cmd := r.command(t.Context(), t)
				unwritable, err := os.Open(os.DevNull) // for reading
				require.NoError(t, err)
				defer func() { _ = unwritable.Close() }() // nothing was written
				cmd.Stdout = unwritable
				return r.failAs(t, cmd)
			}},
			{"a CDN that can't serve", func(t *testing.T) error {
				url := newServer(t, busy).URL
				return with("-mode", "remote", "-endpoint", url, "example.com")(t)
			}},
			{"a CDN that can't serve, with this machine standing in", func(t *testing.T) error {
				url := newServer(t, busy).URL
				return with("-mode", "fallback", "-endpoint", url, "-keys", "file", "example.com")(t)
			}},
		}
	}
}

// fakecdnTexts are the errors of examples/fakecdn.
func fakecdnTexts(bin string) func(*testing.T) []provocation {
	with := func(args ...string) func(*testing.T) error {
		return run{program: filepath.Join(bin, "fakecdn"), args: args}.fail
	}
	return func(*testing.T) []provocation {
		return []provocation{
			{"an argument that is no flag", with("127.0.0.1:8080")},
			{"an address without a port", with("-addr", "127.0.0.1")},
			{"an address that others can reach", with("-addr", "0.0.0.0:8080")},
			{"a secret that can't be", with("-access-key-secret", "")},
			{"an address that is taken", func(t *testing.T) error { return with("-addr", takenAddress(t))(t) }},
		}
	}
}

// serviceTexts are the errors with which examples/service ends.
func serviceTexts(bin string) func(*testing.T) []provocation {
	program := filepath.Join(bin, "service")
	return func(*testing.T) []provocation {
		return []provocation{
			{"an argument that is no flag", run{program: program, args: []string{"127.0.0.1:8080"}}.fail},
			{"plain HTTP to another machine", run{program: program, args: []string{"-endpoint", "http://cdn.aliyuncs.com"}}.fail},
			{"no credentials", run{program: program, env: []string{"ALIBABA_CLOUD_ACCESS_KEY_ID="}}.fail},
			{"an address that is taken", func(t *testing.T) error {
				return run{program: program, args: []string{"-addr", takenAddress(t)}}.fail(t)
			}},
		}
	}
}

// quickstartTexts are the errors of examples/quickstart.
func quickstartTexts(bin string) func(*testing.T) []provocation {
	program := filepath.Join(bin, "quickstart")
	return func(*testing.T) []provocation {
		return []provocation{
			{"no credentials", run{program: program, env: []string{"CSR_MODE=remote", "ALIBABA_CLOUD_ACCESS_KEY_ID="}}.fail},
			{"an unknown mode", run{program: program, env: []string{"CSR_MODE=Remote"}}.fail},
			{"an endpoint without a scheme", run{program: program, env: []string{"CDN_ENDPOINT=localhost:8080"}}.fail},
			{"a file in the place of the keys", run{program: program, files: map[string]string{"keys": ""}}.fail},
		}
	}
}
