package keydir

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"syscall"
)

// A POSIX ACL as an extended attribute (<linux/posix_acl_xattr.h>) has a header
// with the version, and entries: a tag and permissions, which have 2 bytes each,
// and the number of a user or group, which has 4. All are little-endian.
const (
	aclVersion    = 2
	aclHeaderSize = 4
	aclEntrySize  = 8
	aclUser       = 0x02     // the tag of a named user
	aclGroup      = 0x08     // the tag of a named group
	maxACLSize    = 64 << 10 // XATTR_SIZE_MAX
)

var errACL = errors.New("unknown format")

// checkACL returns an error if the ACL of the open file f gives access to
// someone whom allowGroup does not: a named user other than this one and root,
// or a named group. The permissions are those of access, which has refused the
// mode's group bits unless allowGroup is set.
func (d *Dir) checkACL(f *os.File, info fs.FileInfo, path, permissions string) error {
	bits := uint16(info.Mode() >> 3 & 7) // the group's; if the ACL has names, its mask, which limits them (acl(5))
	if permissions == "w" {
		bits &= 2
	}
	if !d.allowGroup || bits == 0 {
		return nil
	}
	acl := make([]byte, maxACLSize)
	n, err := syscall.Getxattr("/proc/self/fd/"+strconv.Itoa(int(f.Fd())), "system.posix_acl_access", acl)
	if errors.Is(err, syscall.ENODATA) || errors.Is(err, errors.ErrUnsupported) {
		return nil
	}
	if err != nil { // which must not match fs.ErrNotExist: only /proc may be missing, not the file
		return fmt.Errorf("%s: read its ACL through /proc: %s", path, err.Error())
	}
	who, err := namedInACL(acl[:n], d.user, bits)
	if err != nil {
		return fmt.Errorf("%s: read its ACL: %w", path, err)
	}
	if who != "" {
		return fmt.Errorf("%s is open to %s by its ACL: run setfacl -b %s", path, who, path)
	}
	return nil
}

// namedInACL describes the first user other than root and self, or group, whom
// an entry of the ACL gives one of the permissions. If there is none, who is
// empty.
func namedInACL(acl []byte, self int, permissions uint16) (who string, err error) {
	if len(acl)%aclEntrySize != aclHeaderSize || binary.LittleEndian.Uint32(acl) != aclVersion {
		return "", errACL
	}
	for entry := acl[aclHeaderSize:]; len(entry) > 0; entry = entry[aclEntrySize:] {
		id := binary.LittleEndian.Uint32(entry[4:])
		switch tag := binary.LittleEndian.Uint16(entry); {
		case binary.LittleEndian.Uint16(entry[2:])&permissions == 0:
		case tag == aclUser && id != 0 && id != uint32(self):
			return fmt.Sprintf("user %d", id), nil
		case tag == aclGroup:
			return fmt.Sprintf("group %d", id), nil
		}
	}
	return "", nil
}
