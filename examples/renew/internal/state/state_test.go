package state

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/csr"
	"github.com/cdncsr/cdncsr/examples/renew/internal/lease"
)

// folder returns a new folder of a CA.
func folder(t *testing.T) Folder {
	t.Helper()
	f := In(t.TempDir(), "https://ca.example.net:14000/dir")
	require.NoError(t, f.Make())
	return f
}

func TestIn_EachCAHasItsOwn(t *testing.T) {
	for directory, want := range map[string]string{
		"https://acme-v02.api.letsencrypt.org/directory": "acme-v02.api.letsencrypt.org_directory",
		"https://ca.example.net:14000/dir":               "ca.example.net_14000_dir",
		"https://ca.example.net/../../dir?a=b":           "ca.example.net_.._.._dir_a_b",
	} {
		assert.Equal(t, Folder(filepath.Join("state", want)), In("state", directory))
	}
}

func TestRecord_IsStored(t *testing.T) {
	f := folder(t)
	rec, err := f.Load("*.example.com")
	require.NoError(t, err)
	rec.Chain, rec.OrderURL = "chain", "https://ca.example.net/1"
	require.NoError(t, rec.Save(t.Context()))
	again, err := f.Load("*.example.com")
	require.NoError(t, err)
	assert.Equal(t, rec, again)
	assert.Nil(t, again.Leaf(), "a chain that can't be read")
	other, err := f.Load("example.com")
	require.NoError(t, err)
	assert.Empty(t, other.Chain)

	require.NoError(t, os.WriteFile(rec.path, []byte(`{"Chain":`), 0o600))
	damaged, err := f.Load("*.example.com")
	require.NoError(t, err)
	assert.Empty(t, damaged.Chain, "a damaged record counts as none")
	files, err := os.ReadDir(string(f))
	require.NoError(t, err)
	assert.Len(t, files, 1, "no temporary file is left")
}

func TestAccountKey_Stays(t *testing.T) {
	f := Folder(filepath.Join(string(folder(t)), "state[1-")) // which filepath.Glob does not take literally
	require.NoError(t, f.Make())
	key, err := f.AccountKey(t.Context())
	require.NoError(t, err)
	again, err := f.AccountKey(t.Context())
	require.NoError(t, err)
	assert.Equal(t, key, again)
	other, err := folder(t).AccountKey(t.Context())
	require.NoError(t, err)
	assert.NotEqual(t, key, other)
	name, err := csr.PubMD5(key.Public())
	require.NoError(t, err)
	file := filepath.Join(string(f), "account", name+".pem")
	require.FileExists(t, file)
	for name, content := range map[string]string{"empty": "", "no key": "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"} {
		require.NoError(t, os.WriteFile(file, []byte(content), 0o600))
		_, err = f.AccountKey(t.Context())
		assert.ErrorContains(t, err, filepath.Base(file), name)
	}
}

func TestRecord_Pauses(t *testing.T) {
	const aDay = 24 * time.Hour
	rec, err := folder(t).Load("example.com")
	require.NoError(t, err)
	now := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	for _, want := range []time.Duration{time.Minute, 10 * time.Minute, 100 * time.Minute, aDay, aDay} {
		require.ErrorIs(t, rec.Fail(t.Context(), now, time.Time{}, assert.AnError), assert.AnError)
		assert.ErrorContains(t, rec.CheckPause(now), "no order before")
		assert.Error(t, rec.CheckPause(now.Add(want-1)))
		assert.NoError(t, rec.CheckPause(now.Add(want)), want)
		assert.NoError(t, rec.CheckPause(now.Add(-time.Second)), "the clock was set back")
		now = now.Add(want)
	}
	require.ErrorIs(t, rec.Fail(t.Context(), now, now.Add(72*time.Hour), assert.AnError), assert.AnError)
	assert.Error(t, rec.CheckPause(now.Add(aDay-1)), "the CA's Retry-After")
	assert.NoError(t, rec.CheckPause(now.Add(aDay)), "no Retry-After holds a domain for longer than a day")
	rec.Failures = 0
	assert.NoError(t, rec.CheckPause(now), "what README.md advises")
	rec.Failures = 1
	require.NoError(t, rec.Succeed(t.Context()))
	assert.NoError(t, rec.CheckPause(now))
}

// A run that has lost its lease does not replace what the next one has stored.
func TestSave_NotOnceTheLeaseIsLost(t *testing.T) {
	dir := t.TempDir()
	ctx, free, err := lease.Take(t.Context(), dir)
	require.NoError(t, err)
	defer free()
	rec, err := Folder(dir).Load("example.com")
	require.NoError(t, err)
	rec.Chain = "ours"
	require.NoError(t, rec.Save(ctx))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "lock"), []byte("another run"), 0o600))
	rec.Chain = "late"
	require.Error(t, rec.Save(ctx))
	rec, err = Folder(dir).Load("example.com")
	require.NoError(t, err)
	assert.Equal(t, "ours", rec.Chain)
}
