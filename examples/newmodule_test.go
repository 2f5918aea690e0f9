package examples_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	_ "github.com/jarcoal/httpmock" // the copied test imports it
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestREADME_InANewModule does what a new user does: in an empty module outside
// this repository, it runs the README's program and its test. A replace
// directive stands for the published module. Nothing is downloaded: the module
// cache has what this test and the examples import.
func TestREADME_InANewModule(t *testing.T) {
	root, err := filepath.Abs("..")
	require.NoError(t, err)
	dir := t.TempDir()
	gocmd := func(env []string, args ...string) string {
		command := exec.CommandContext(t.Context(), "go", args...)
		command.Dir = dir
		command.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOPROXY=off", "GOSUMDB=off", "GOWORK=off")
		command.Env = append(command.Env, env...)
		output, failed := command.CombinedOutput()
		if failed != nil && strings.Contains(string(output), "GOPROXY=off") && os.Getenv("CI") == "" {
			t.Skip("the module cache lacks a module, since the tests run from a vendor folder: " + string(output))
		}
		require.NoError(t, failed, "go %q: %s", args, output)
		return string(output)
	}
	library := modulePath(t)
	gocmd(nil, "mod", "init", "example.com/first")
	gocmd(nil, "mod", "edit", "-require="+library+"@v0.0.0", "-replace="+library+"="+root)
	test, err := os.ReadFile(filepath.Join(root, "examples/quickstart/main_test.go"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "main_test.go"), test, 0o600))
	for _, f := range fences(readREADME(t, "README.md")) {
		if f.file == "examples/quickstart/main.go" {
			require.NoError(t, os.WriteFile(filepath.Join(dir, "main.go"), []byte(f.text), 0o600))
		}
	}
	gocmd(nil, "mod", "tidy", "-e") // -e: the module cache may lack what tests of dependencies import

	assert.Contains(t, gocmd([]string{"CSR_MODE=local"}, "run", "."), "(local):\n-----BEGIN CERTIFICATE REQUEST-----")
	assert.DirExists(t, filepath.Join(dir, "keys"))

	sh := &shell{dir: t.TempDir(), env: os.Environ()}
	sh.startFake(t)
	output := gocmd([]string{
		"ALIBABA_CLOUD_ACCESS_KEY_ID=testid", "ALIBABA_CLOUD_ACCESS_KEY_SECRET=testsecret", "ALIBABA_CLOUD_SECURITY_TOKEN=",
		"CSR_MODE=remote", "CDN_ENDPOINT=" + sh.fake,
	}, "run", ".")
	assert.Contains(t, output, "(CDN):\n-----BEGIN CERTIFICATE REQUEST-----")

	gocmd(nil, "test", "./...")
}

// modulePath returns the path of this module.
func modulePath(t *testing.T) string {
	t.Helper()
	mod, err := os.ReadFile("../go.mod")
	require.NoError(t, err)
	path, _, _ := strings.Cut(strings.TrimPrefix(string(mod), "module "), "\n")
	return path
}
