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
// this program in it, for runAsNobody.
func openTempDir(t *testing.T) (dir, program string) {
	t.Helper()
	if os.Getuid() != 0 {
		testenv.SkipOrFail(t, "only root can run a process as another user")
	}
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

// runAsNobody runs a process that makes one CSR with its key in keys, as a user
// other than root and with that umask, and returns what it printed.
func runAsNobody(t *testing.T, program, keys string, umask int) (stderr string, err error) {
	t.Helper()
	cmd := newChild(keys, 1)
	var text strings.Builder
	cmd.Path, cmd.Dir, cmd.Stderr = program, filepath.Dir(program), &text
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	old := syscall.Umask(umask)
	defer syscall.Umask(old)
	err = cmd.Run()
	return text.String(), err
}

// TestDirStore_UmaskOfTheOwner shows that a user to whom permissions apply can
// read a key back, whatever the umask takes away.
func TestDirStore_UmaskOfTheOwner(t *testing.T) {
	for _, umask := range []int{0o400, 0o600, 0o777} {
		dir, program := openTempDir(t)
		parent := filepath.Join(dir, "parent")
		require.NoError(t, os.Mkdir(parent, 0o700))
		require.NoError(t, os.Chown(parent, nobody, nobody))
		keys := filepath.Join(parent, "new", "keys")
		for range 2 { // the second finds the directory
			stderr, err := runAsNobody(t, program, keys, umask)
			assert.NoError(t, err, "%04o: %s", umask, stderr)
		}
		giveToRoot(t, keys)
		assert.Equal(t, 2, assertOnlyKeys(t, keys), "%04o", umask)
	}
}

// TestDirStore_ParentThatCannotBeOpened runs a process as a user who may not
// open the parent of the directory, and so can't fsync it. A directory that
// exists is used nevertheless; a new one is not, since it would not be durable.
func TestDirStore_ParentThatCannotBeOpened(t *testing.T) {
	dir, program := openTempDir(t)
	parent := filepath.Join(dir, "parent")
	require.NoError(t, os.Mkdir(parent, 0o700))
	require.NoError(t, os.Chmod(parent, 0o733)) // write and search, not read

	found := filepath.Join(parent, "found")
	require.NoError(t, os.Mkdir(found, 0o700))
	require.NoError(t, os.Chown(found, nobody, nobody))
	stderr, err := runAsNobody(t, program, found, 0o022)
	assert.NoError(t, err, stderr)
	giveToRoot(t, found)
	assert.Equal(t, 1, assertOnlyKeys(t, found))

	made := filepath.Join(parent, "made")
	for range 2 { // the second finds nothing that it might take for another's
		stderr, err := runAsNobody(t, program, made, 0o022)
		var exit *exec.ExitError
		require.ErrorAs(t, err, &exit)
		assert.Equal(t, 1, exit.ExitCode())
		assert.Contains(t, stderr, "permission denied\n")
		assert.NoDirExists(t, made)
	}
}
