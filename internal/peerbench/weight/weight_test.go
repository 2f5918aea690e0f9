package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Downloads and builds take minutes, so the test does without.
func TestPrograms_Exist(t *testing.T) {
	for _, p := range programs {
		assert.FileExists(t, filepath.Join("programs", p.folder, "main.go"))
	}
}

func TestDownload_CountsWhatComesOverTheNetwork(t *testing.T) {
	var d download
	for path, size := range map[string]int64{
		"/golang.org/x/net/@v/v1.zip": 1, "/golang.org/x/text/@v/v1.mod": 2, "/golang.org/x/nettest/@v/v1.zip": 4,
		"/github.com/!owner/lib/@v/v1.zip": 8, "/github.com/!owner/lib/v2/@v/v1.zip": 16, "/github.com/!owner/lib/@v/v1.ziphash": 32,
	} {
		d.add(path, size, "github.com/Owner/lib")
	}
	assert.Equal(t, download{all: 31, own: 8, idna: 3}, d)
}

func TestPublish_BetweenTheMarks(t *testing.T) {
	page := filepath.Join(t.TempDir(), "comparison.md")
	require.NoError(t, os.WriteFile(page, []byte("a\n<!-- begin: go run ./weight -->\nold\n<!-- end: go run ./weight -->\nb\n"), 0o600))
	require.NoError(t, publish(page, "new\n"))
	text, err := os.ReadFile(page)
	require.NoError(t, err)
	assert.Equal(t, "a\n<!-- begin: go run ./weight -->\nnew\n<!-- end: go run ./weight -->\nb\n", string(text))
	require.NoError(t, os.WriteFile(page, nil, 0o600))
	require.Error(t, publish(page, "new\n"))
}

func TestInAnother_IsInAFolderWithAGoMod(t *testing.T) {
	names := []string{"go.mod", "a.go", "sub/b.go", "other/go.mod", "other/deep/c.go", "others/d.go"}
	for name, want := range map[string]bool{
		"a.go": false, "sub/b.go": false, "go.mod": false, "other/go.mod": true, "other/deep/c.go": true, "others/d.go": false,
	} {
		assert.Equal(t, want, inAnother(name, names), name)
	}
}
