package main

import (
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/csr"
)

func mustOpenJournal(t *testing.T, path string) *journal {
	t.Helper()
	j, err := openJournal(path)
	require.NoError(t, err)
	return j
}

func TestJournal_DropsATornRecord(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out.jsonl")
	j := mustOpenJournal(t, path)
	require.NoError(t, j.append("A.example", &csr.Response{CommonName: "a.example", Origin: csr.OriginLocal}))
	first := len(readFile(t, path))
	require.NoError(t, j.append("b.example", &csr.Response{CommonName: "b.example", Csr: "PEM\n", Origin: csr.OriginCDN}))
	require.NoError(t, j.close())
	whole := readFile(t, path)
	want := `{"Name": "A.example", "RequestId": "", "CommonName": "a.example", "Csr": "", "PubMd5": "", "Origin": "local"}`
	assert.JSONEq(t, want, whole[:first])

	for end := first; end <= len(whole); end++ {
		require.NoError(t, os.WriteFile(path, []byte(whole[:end]), 0o600))
		j := mustOpenJournal(t, path)
		names, want := map[string]bool{"a.example": true}, whole[:first]
		if end >= len(whole)-1 { // only the line end may be missing
			names["b.example"], want = true, whole
		}
		assert.Equal(t, names, j.names, end)
		require.NoError(t, j.append("c.example", &csr.Response{}))
		require.NoError(t, j.close())
		assert.Equal(t, want, readFile(t, path)[:len(want)], end)
		again := mustOpenJournal(t, path)
		assert.True(t, again.names["c.example"])
		require.NoError(t, again.close())
	}
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	return string(data)
}

func TestJournal_RefusesOtherFiles(t *testing.T) {
	torn := `{"Name": "a.example"}` + "\n{\"Na\n" + `{"Name": "b.example"}` + "\n"
	for _, content := range []string{"CommonName\n", "{}\n", "\n", torn} {
		path := writeList(t, "out.jsonl", content)
		_, err := openJournal(path)
		require.ErrorContains(t, err, "is not a record")
		assert.Equal(t, content, readFile(t, path))
	}
}

func TestJournal_CountsSyncedRecords(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out.jsonl")
	synctest.Test(t, func(t *testing.T) {
		j := mustOpenJournal(t, path)
		require.NoError(t, j.append("a.example", &csr.Response{}))
		assert.NotEmpty(t, readFile(t, path), "not written before the sync")
		assert.Zero(t, j.done())
		<-time.After(2 * syncInterval)
		assert.Equal(t, 1, j.done())
		require.NoError(t, j.append("b.example", &csr.Response{}))
		require.NoError(t, j.close())
		assert.Equal(t, 2, j.done())
	})
}

func TestJournal_AppendsNothingAfterAFailure(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out.jsonl")
	j := mustOpenJournal(t, path)
	good := j.file
	closed, err := os.Open(path)
	require.NoError(t, err)
	require.NoError(t, closed.Close())
	j.file = closed
	require.ErrorIs(t, j.append("a.example", &csr.Response{}), os.ErrClosed)
	j.file = good // the record may be torn, so nothing may follow it
	require.ErrorIs(t, j.append("b.example", &csr.Response{}), os.ErrClosed)
	assert.ErrorIs(t, j.close(), os.ErrClosed)
	assert.Zero(t, j.done())
	assert.Empty(t, readFile(t, path))
}

// A device can't be read again, and reading a pipe would never end.
func TestJournal_RefusesNonRegularFiles(t *testing.T) {
	for _, path := range []string{os.DevNull, t.TempDir()} {
		_, err := openJournal(path)
		require.ErrorContains(t, err, "is not a regular file")
	}
}

func TestJournal_LeavesOtherContentAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out")
	for _, content := range []string{
		"my only copy", "CommonName,SANs", `{"CommonName":"a.example"}`, "\x00\x00x", `{"Name":"a.example"}` + "\nnotes",
	} {
		require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
		_, err := openJournal(path)
		require.ErrorContains(t, err, "is not a record", content)
		assert.Equal(t, content, readFile(t, path))
	}
}

func TestJournal_CompletesALastLineWithoutLineEnd(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out.jsonl")
	require.NoError(t, os.WriteFile(path, []byte(`{"Name":"a.example","CommonName":"a.example"}`), 0o600))
	j := mustOpenJournal(t, path)
	assert.True(t, j.names["a.example"])
	require.NoError(t, j.append("b.example", &csr.Response{CommonName: "b.example"}))
	require.NoError(t, j.close())
	j = mustOpenJournal(t, path)
	assert.Equal(t, map[string]bool{"a.example": true, "b.example": true}, j.names)
	require.NoError(t, j.close())
}
