package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// chdirModule makes the working directory a module with these files.
func chdirModule(t *testing.T, files map[string]string) {
	t.Helper()
	t.Chdir(t.TempDir())
	for _, folder := range []string{"api", "signer", "csr", "cdn"} {
		require.NoError(t, os.Mkdir(folder, 0o700))
	}
	for name, text := range files {
		require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o700))
		require.NoError(t, os.WriteFile(name, []byte(text), 0o600))
	}
}

func TestCheckAll_ListsEveryExportedPackage(t *testing.T) {
	chdirModule(t, map[string]string{
		"signer/a.go":              "package signer\n\n// F does.\nfunc F(x int) { g() }\n\nfunc g() {}\n",
		"csr/b.go":                 "package csr\n\n// T is.\ntype T struct{ A, b int }\n\nfunc (T) M() {}\n",
		"csr/sub/deep/c.go":        "package deep\n\nconst C = 1\n",
		"csr/sub/c_test.go":        "package sub\n",
		"cdn/internal/hidden/d.go": "package hidden\n\nconst D = 1\n",
		"cdn/testdata/e.go":        "package e\n\nconst E = 1\n",
	})
	require.Error(t, checkAll(false), "a package has no list")
	require.NoError(t, checkAll(true))
	require.NoError(t, checkAll(false))
	lists, err := filepath.Glob("api/*")
	require.NoError(t, err)
	assert.Equal(t, []string{"api/csr-sub-deep.txt", "api/csr.txt", "api/signer.txt"}, lists)
	text, err := os.ReadFile("api/csr.txt")
	require.NoError(t, err)
	assert.Equal(t, "type T struct {\n\tA int\n\t// contains filtered or unexported fields\n}\nfunc (T) M()\n", string(text))
}

func TestCheckAll_FailsAfterAChange(t *testing.T) {
	for name, change := range map[string]func() error{
		"a function more": func() error { return os.WriteFile("csr/more.go", []byte("package csr\n\nfunc G() {}\n"), 0o600) },
		"a package less":  func() error { return os.Remove("cdn/c.go") },
		"a package more":  func() error { return os.WriteFile("signer/s.go", []byte("package signer\n"), 0o600) },
	} {
		t.Run(name, func(t *testing.T) {
			chdirModule(t, map[string]string{"csr/a.go": "package csr\n\nfunc F() {}\n", "cdn/c.go": "package cdn\n\nfunc F() {}\n"})
			require.NoError(t, checkAll(true))
			require.NoError(t, change())
			require.Error(t, checkAll(false))
		})
	}
}
