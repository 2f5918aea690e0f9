package cli

import (
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/csr"
)

func TestCreator_Check(t *testing.T) {
	for _, test := range []struct {
		args []string
		want string // empty: no error
	}{
		{nil, ""},
		{[]string{"-mode", "remote", "-key-type", "ed25519", "-signer", "acs3"}, ""},
		{[]string{"-mode", "fallback", "-key-type", "ed25519"}, "-key-type ed25519"},
		{[]string{"-mode", "local", "-signer", "acs3"}, "-signer acs3"},
	} {
		var c Creator
		flags := flag.NewFlagSet("program", flag.ContinueOnError)
		c.AddTo(flags)
		require.NoError(t, flags.Parse(test.args))
		if err := c.Check(); test.want == "" {
			assert.NoError(t, err, test.args)
		} else {
			assert.ErrorContains(t, err, test.want)
		}
	}
}

func TestDurationVar(t *testing.T) {
	var d time.Duration
	flags := flag.NewFlagSet("program", flag.ContinueOnError)
	DurationVar(flags, &d, "wait", time.Minute, "`TIME` to wait")
	require.Equal(t, time.Minute, d)
	require.NoError(t, flags.Parse([]string{"-wait", "1h30m"}))
	require.Equal(t, 90*time.Minute, d)
	assert.Equal(t, "1m0s", flags.Lookup("wait").DefValue)
	assert.ErrorContains(t, flags.Lookup("wait").Value.Set("5"), "want a duration such as")
	assert.Equal(t, 90*time.Minute, d)
}

func TestCheckKeys(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, CheckKeys(t.Context(), csr.DirStore{Path: filepath.Join(dir, "none yet")}))
	file := filepath.Join(dir, "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	assert.ErrorContains(t, CheckKeys(t.Context(), csr.DirStore{Path: file}), "-keys: ")
}
