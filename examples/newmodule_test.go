package examples_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	_ "github.com/jarcoal/httpmock" // quickstart's tests need it
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestREADME_InANewModule does what a new user does: an empty module outside the repository, README's program and its tests.
// The module is this checkout by a replace. Nothing is downloaded: what it needs is what this test and the examples need.
func TestREADME_InANewModule(t *testing.T) {
	root, err := filepath.Abs("..")
	require.NoError(t, err)
	dir := t.TempDir()
	gocmd := func(env []string, args ...string) string {
		command := exec.CommandContext(t.Context(), "go", args...)
		command.Dir = dir
		command.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOPROXY=off", "GOSUMDB=off", "GOWORK=off")
		command.Env = append(command.Env, env...)
		out, err := command.CombinedOutput()
		if strings.Contains(string(out), "GOPROXY=off") && os.Getenv("CI") == "" {
			t.Skip("the module cache lacks a module, since the tests run from a vendor folder: " + string(out))
		}
		require.NoError(t, err, "go %q: %s", args, out)
		return string(out)
	}
	copyTo := func(name, from string) {
		data, err := os.ReadFile(filepath.Join(root, from))
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), data, 0o600))
	}
	library := modulePath(t)
	gocmd(nil, "mod", "init", "example.com/myservice")
	gocmd(nil, "mod", "edit", "-require="+library+"@v0.0.0", "-replace="+library+"="+root)
	copyTo("go.sum", "go.sum") // as go get writes it
	copyTo("main_test.go", "examples/quickstart/main_test.go")
	for _, f := range fences(readREADME(t, "README.md")) {
		if f.file == "examples/quickstart/main.go" {
			require.NoError(t, os.WriteFile(filepath.Join(dir, "main.go"), []byte(f.text), 0o600))
		}
	}

	assert.Contains(t, gocmd([]string{"CSR_MODE=local"}, "run", "."), "(local):\n-----BEGIN CERTIFICATE REQUEST-----")
	assert.DirExists(t, filepath.Join(dir, "keys"))

	sh := &shell{dir: t.TempDir(), env: os.Environ()}
	sh.startFake(t)
	key := []string{"ALIBABA_CLOUD_ACCESS_KEY_ID=testid", "ALIBABA_CLOUD_ACCESS_KEY_SECRET=testsecret", "ALIBABA_CLOUD_SECURITY_TOKEN="}
	out := gocmd(append(key, "CSR_MODE=remote", "CDN_ENDPOINT="+sh.fake), "run", ".")
	assert.Contains(t, out, "(CDN):\n-----BEGIN CERTIFICATE REQUEST-----")

	gocmd(nil, "test", "./...")
}
