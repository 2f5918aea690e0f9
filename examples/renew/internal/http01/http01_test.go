package http01

import (
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/mholt/acmez/v3/acme"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var challenge = acme.Challenge{Type: "http-01", Token: "token", KeyAuthorization: "token.thumbprint"}

const path = "/.well-known/acme-challenge/token"

func TestDir(t *testing.T) {
	d := Dir(t.TempDir())
	require.NoError(t, d.Present(t.Context(), challenge))
	proof, err := os.ReadFile(filepath.Join(string(d), path))
	require.NoError(t, err)
	assert.Equal(t, challenge.KeyAuthorization, string(proof))
	require.NoError(t, d.CleanUp(t.Context(), challenge))
	assert.NoFileExists(t, filepath.Join(string(d), path))
	assert.NoError(t, d.CleanUp(t.Context(), challenge), "none is no error")
}

// A web root that does not exist is a mistake: nobody serves what would be
// written there.
func TestDir_DoesNotMakeTheRoot(t *testing.T) {
	d := Dir(filepath.Join(t.TempDir(), "none"))
	require.ErrorIs(t, d.Present(t.Context(), challenge), fs.ErrNotExist)
	assert.NoDirExists(t, string(d))
}

func TestDir_Check(t *testing.T) {
	d := Dir(t.TempDir())
	require.NoError(t, d.Check())
	entries, err := os.ReadDir(filepath.Join(string(d), filepath.Dir(path)))
	require.NoError(t, err)
	assert.Empty(t, entries, "it leaves nothing behind")
	require.NoError(t, d.Check(), "the folder exists")

	require.ErrorIs(t, Dir(filepath.Join(string(d), "none")).Check(), fs.ErrNotExist)
	for _, name := range []string{".well-known", filepath.Join(".well-known", "acme-challenge")} {
		root := t.TempDir()
		file := filepath.Join(root, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o700))
		require.NoError(t, os.WriteFile(file, nil, 0o600))
		assert.Error(t, Dir(root).Check(), "%s is a file", name)
	}
}

func TestHandler(t *testing.T) {
	h := new(Handler)
	get := func() (int, string) {
		reply := httptest.NewRecorder()
		h.ServeHTTP(reply, httptest.NewRequest(http.MethodGet, path, nil))
		return reply.Code, reply.Body.String()
	}
	status, _ := get()
	require.Equal(t, http.StatusNotFound, status)
	require.NoError(t, h.Present(t.Context(), challenge))
	status, proof := get()
	require.Equal(t, http.StatusOK, status)
	assert.Equal(t, challenge.KeyAuthorization, proof)
	require.NoError(t, h.CleanUp(t.Context(), challenge))
	status, _ = get()
	assert.Equal(t, http.StatusNotFound, status)
}
