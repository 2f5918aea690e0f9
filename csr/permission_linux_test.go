package csr

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/internal/testenv"
)

const nobody = 65534

// openTempDir returns a directory that every user may search, and a copy of
// this program in it.
func openTempDir(t *testing.T) (dir, program string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "csr")
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, os.RemoveAll(dir)) })
	require.NoError(t, os.Chmod(dir, 0o755))
	data, err := os.ReadFile(os.Args[0])
	require.NoError(t, err)
	program = filepath.Join(dir, "program")
	require.NoError(t, os.WriteFile(program, data, 0o755))
	return dir, program
}

// giveToRoot makes this process the owner of a key directory.
func giveToRoot(t *testing.T, dir string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		return errors.Join(err, os.Chown(path, 0, 0))
	})
	require.NoError(t, err)
}

// TestDirStore_ParentThatCannotBeOpened runs a process as a user who may not
// open the parent of the directory, and so can't fsync it. A directory that
// exists is used nevertheless; a new one is not, since it would not be durable.
func TestDirStore_ParentThatCannotBeOpened(t *testing.T) {
	if os.Getuid() != 0 {
		testenv.SkipOrFail(t, "only root can run a process as another user")
	}
	dir, program := openTempDir(t)
	var stderr strings.Builder
	run := func(keys string) error {
		cmd := newChild(keys, 1)
		cmd.Path = program
		cmd.Dir, cmd.Stderr = dir, &stderr
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
		return cmd.Run()
	}
	parent := filepath.Join(dir, "parent")
	require.NoError(t, os.Mkdir(parent, 0o700))
	require.NoError(t, os.Chmod(parent, 0o733)) // write and search, not read

	found := filepath.Join(parent, "found")
	require.NoError(t, os.Mkdir(found, 0o700))
	require.NoError(t, os.Chown(found, nobody, nobody))
	assert.NoError(t, run(found))
	giveToRoot(t, found)
	assert.Equal(t, 1, assertOnlyKeys(t, found))

	made := filepath.Join(parent, "made")
	for range 2 { // the second finds nothing that it might take for another's
		var exit *exec.ExitError
		require.ErrorAs(t, run(made), &exit)
		assert.Equal(t, 1, exit.ExitCode())
		assert.NoDirExists(t, made)
	}
	assert.Contains(t, stderr.String(), "permission denied\n")
}
