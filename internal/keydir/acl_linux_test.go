package keydir

import (
	"cmp"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/internal/testenv"
)

// The tags of <linux/posix_acl.h> that only tests need.
const (
	aclUserObj  = 0x01
	aclGroupObj = 0x04
	aclMask     = 0x10
	aclOther    = 0x20
)

const noID = 0xffffffff // ACL_UNDEFINED_ID, that of an entry without a name

// An aclEntry is an entry of a POSIX ACL.
type aclEntry struct {
	tag, perm uint16
	id        uint32
}

// setACL gives a file an ACL with the named entries and that mask. Others have
// no access, and neither has the group itself.
func setACL(t *testing.T, path string, mask uint16, named ...aclEntry) {
	t.Helper()
	entries := slices.Concat(named, []aclEntry{
		{aclUserObj, 7, noID}, {aclGroupObj, 0, noID}, {aclMask, mask, noID}, {aclOther, 0, noID},
	})
	slices.SortStableFunc(entries, func(a, b aclEntry) int { return cmp.Compare(a.tag, b.tag) })
	acl := binary.LittleEndian.AppendUint32(nil, aclVersion)
	for _, entry := range entries {
		acl = binary.LittleEndian.AppendUint16(acl, entry.tag)
		acl = binary.LittleEndian.AppendUint16(acl, entry.perm)
		acl = binary.LittleEndian.AppendUint32(acl, entry.id)
	}
	err := syscall.Setxattr(path, "system.posix_acl_access", acl, 0)
	if errors.Is(err, errors.ErrUnsupported) {
		testenv.SkipOrFail(t, "this file system has no ACLs")
	}
	require.NoError(t, err)
	require.EqualValues(t, mask, mode(t, path)>>3&7, "the group's bits are the mask")
}

// TestRead_ACL shows whose access to a key is accepted if the mode's group bits
// are an ACL's mask.
func TestRead_ACL(t *testing.T) {
	self := uint32(os.Geteuid())
	for _, test := range []struct {
		what    string
		mask    uint16
		named   []aclEntry
		refused bool
	}{
		{"the group's own access", 6, nil, false},
		{"a user", 6, []aclEntry{{aclUser, 6, 1234}}, true},
		{"a user who may only read", 7, []aclEntry{{aclUser, 4, 1234}}, true},
		{"a user who may only execute", 7, []aclEntry{{aclUser, 1, 1234}}, true},
		{"a user without access", 6, []aclEntry{{aclUser, 0, 1234}}, false},
		{"a user whose access is masked", 4, []aclEntry{{aclUser, 2, 1234}}, false},
		{"the second user", 6, []aclEntry{{aclUser, 0, 1234}, {aclUser, 4, 1235}}, true},
		{"this user and root", 6, []aclEntry{{aclUser, 6, 0}, {aclUser, 6, self}}[:min(2, int(self)+1)], false},
		{"another group", 6, []aclEntry{{aclGroup, 4, 1234}}, true},
		{"group 0, which is not root", 6, []aclEntry{{aclGroup, 4, 0}}, true},
	} {
		path := createWithKey(t)
		file := filepath.Join(path, "key")
		setACL(t, file, test.mask, test.named...)
		addErr, readErr := tryBoth(path, true)
		assert.NoError(t, addErr, "another key")
		if test.refused {
			assert.ErrorContains(t, readErr, "run setfacl -b "+file, test.what)
			assert.NotErrorIs(t, readErr, fs.ErrNotExist, test.what)
		} else {
			assert.NoError(t, readErr, test.what)
		}
	}
}

// TestOpen_DirectoryACL shows that a user whom an ACL names may list a directory,
// as others may, but not write to it. The same applies to the one for temporary
// files, in which only Add writes.
func TestOpen_DirectoryACL(t *testing.T) {
	for _, test := range []struct {
		mask, perm uint16
		refused    bool
	}{
		{7, 7, true},
		{7, 2, true},
		{7, 5, false},
		{5, 7, false},
		{0, 7, false},
	} {
		path := createWithKey(t)
		setACL(t, path, test.mask, aclEntry{aclUser, test.perm, 1234})
		addErr, readErr := tryBoth(path, true)
		for _, err := range []error{addErr, readErr} {
			if test.refused {
				assert.ErrorContains(t, err, "run setfacl -b "+path, "%+v", test)
				assert.NotErrorIs(t, err, fs.ErrNotExist)
			} else {
				assert.NoError(t, err, "%+v", test)
			}
		}

		path = createWithKey(t)
		temp := filepath.Join(path, tempDir)
		setACL(t, temp, test.mask, aclEntry{aclUser, test.perm, 1234})
		addErr, readErr = tryBoth(path, true)
		assert.NoError(t, readErr)
		if test.refused {
			assert.ErrorContains(t, addErr, temp, "%+v", test)
		} else {
			assert.NoError(t, addErr, "%+v", test)
		}
	}
}

// TestAdd_DefaultACL shows that a new file gives no access to a user whom the
// directory's default ACL names.
func TestAdd_DefaultACL(t *testing.T) {
	dir := create(t, newPath(t))
	setACL(t, dir.path, 5, aclEntry{aclUser, 7, 1234})
	acl := make([]byte, maxACLSize)
	n, err := syscall.Getxattr(dir.path, "system.posix_acl_access", acl)
	require.NoError(t, err)
	for _, path := range []string{dir.path, filepath.Join(dir.path, tempDir)} {
		require.NoError(t, syscall.Setxattr(path, "system.posix_acl_default", acl[:n], 0))
	}
	require.NoError(t, dir.Add("key", []byte("data")))
	assert.Equal(t, fs.FileMode(0o600), mode(t, filepath.Join(dir.path, "key")))
	addErr, readErr := tryBoth(dir.path, true)
	assert.NoError(t, addErr)
	assert.NoError(t, readErr)
}

// TestCheckACL_NoAnswer shows that a file whose ACL can't be read is refused,
// and not taken for a missing one. A closed file has no name in /proc.
func TestCheckACL_NoAnswer(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	require.NoError(t, os.WriteFile(path, nil, 0o600))
	require.NoError(t, os.Chmod(path, 0o660))
	f, err := os.Open(path)
	require.NoError(t, err)
	info, err := f.Stat()
	require.NoError(t, err)
	dir := newDir(filepath.Dir(path), true)
	require.NoError(t, dir.checkACL(f, info, path, "rwx"))
	require.NoError(t, f.Close())
	err = dir.checkACL(f, info, path, "rwx")
	require.ErrorContains(t, err, path)
	assert.NotErrorIs(t, err, fs.ErrNotExist)
}

// kernelACL is what Linux 6.18 returns for u::rw-, u:1234:rw-, g::---, m::rw-,
// o::---.
const kernelACL = "0200000001000600ffffffff02000600d204000004000000ffffffff10000600ffffffff20000000ffffffff"

func TestNamedInACL_Malformed(t *testing.T) {
	acl, err := hex.DecodeString(kernelACL)
	require.NoError(t, err)
	who, err := namedInACL(acl, 0, 7)
	require.NoError(t, err)
	assert.Equal(t, "user 1234", who)
	for _, malformed := range [][]byte{nil, acl[:3], acl[:len(acl)-1], append([]byte{3}, acl[1:]...)} {
		_, err := namedInACL(malformed, 0, 7)
		assert.ErrorIs(t, err, errACL, "%x", malformed)
	}
}

// FuzzNamedInACL shows that a user is found whatever entries come before.
func FuzzNamedInACL(f *testing.F) {
	acl, err := hex.DecodeString(kernelACL)
	require.NoError(f, err)
	f.Add(acl)
	f.Fuzz(func(t *testing.T, acl []byte) {
		if _, err := namedInACL(acl, 0, 7); err != nil {
			return
		}
		who, err := namedInACL(append(acl, aclUser, 0, 4, 0, 1, 0, 0, 0), 0, 4)
		require.NoError(t, err)
		require.NotEmpty(t, who)
	})
}
