//go:build unix

package lease

import (
	"os"
	"os/signal"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// fillDisk has every write to a file fail until the test ends, as on a full
// disk. A file can still be made.
func fillDisk(t *testing.T) {
	t.Helper()
	var limit syscall.Rlimit
	require.NoError(t, syscall.Getrlimit(syscall.RLIMIT_FSIZE, &limit))
	signal.Ignore(syscall.SIGXFSZ)
	full := limit
	full.Cur = 0
	require.NoError(t, syscall.Setrlimit(syscall.RLIMIT_FSIZE, &full))
	t.Cleanup(func() {
		require.NoError(t, syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit))
		signal.Reset(syscall.SIGXFSZ)
	})
}

// A folder that can't be written is an error, and not the work of another run:
// no lock is left for the next run, and a lock that is there says nothing.
func TestTake_FullDisk(t *testing.T) {
	for name, isKilled := range map[string]bool{"free": false, "after a run that was killed": true} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if isKilled {
				other(t, dir, "killed", true)
				grow(t, dir)
			}
			fillDisk(t)
			_, _, err := Take(t.Context(), dir)
			require.ErrorIs(t, err, syscall.EFBIG)
			files, err := os.ReadDir(dir)
			require.NoError(t, err)
			assert.Equal(t, isKilled, len(files) == 1, files)
		})
	}
}
