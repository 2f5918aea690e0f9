package csr

import (
	"context"
	"crypto"
	"fmt"
	"io/fs"

	"github.com/cdncsr/cdncsr/internal/keydir"
)

// DirStore is a [KeyStore] in a directory. A key is the file <PubMd5>.pem in
// it: PKCS #8 in PEM, mode 0600. It stores *rsa.PrivateKey, *ecdsa.PrivateKey
// and ed25519.PrivateKey. For any other key, Put returns an error that matches
// errors.ErrUnsupported.
//
// # Durability
//
// When Put returns nil, the key is on the disk: the file, its directory, and
// the parent of a directory that was made for it are fsynced. If the process or
// the machine dies earlier, the directory has either the whole key under its
// name or no file of that name. On a file system without hard links an
// incomplete file may be left, which Get refuses. Put never replaces a file.
//
// Any number of processes may share a directory, also on several machines
// through NFS. Mount it with lookupcache=positive, so that a machine finds a
// key that another one has just stored.
//
// All this requires Linux, macOS (F_FULLFSYNC) or a BSD, and a file system that
// honors fsync. Windows can't fsync a directory, so a key that was put just
// before a power failure may be missing there, though never half-written.
//
// # Permissions
//
// A missing directory is made with mode 0700, and so are its missing parents.
// These modes, and that of a key file, do not depend on the umask. DirStore
// never changes the mode or the owner of anything that exists. It refuses a
// directory that the group or others can write to, and a key file that they can
// access at all. It refuses both if they are symbolic links, or if their owner
// is neither this user nor root. The error says how to repair that. Replace a
// key that others could read. Put also fails on a file system that does not
// keep the mode of a new file, such as vfat.
//
// On Linux, the access that a POSIX ACL gives to the users and groups that it
// names looks like the group's. DirStore refuses it even with AllowGroup, unless
// the ACL names only this user and root. It looks neither at NFSv4 ACLs nor at
// those of other systems.
//
// Windows has no such modes, so nothing is checked there: use a directory that
// only the program's account can access.
//
// Get also refuses a file that is damaged or whose key does not match its name.
// Only the error for a missing key matches fs.ErrNotExist.
//
// Temporary files are in .tmp in the directory. Put removes those that a killed
// process left and that are more than an hour old. It looks for them about once
// an hour, and whenever it fails, so that a disk that is full of them has room
// for the next Put.
//
// # Kubernetes
//
// At each mount, Kubernetes gives the group in a Pod's fsGroup access to
// everything in a volume. Set AllowGroup, use a group that nobody else is in,
// and always run the Pod as the same user, who owns the keys. Use a directory
// in the volume: others may be able to write to the volume itself.
//
//	apiVersion: v1
//	kind: Pod
//	metadata:
//	  name: issuer
//	spec:
//	  securityContext:
//	    runAsNonRoot: true
//	    runAsUser: 10001
//	    runAsGroup: 10001
//	    fsGroup: 10001
//	  containers:
//	    - name: issuer
//	      image: registry.example.com/issuer:1.0
//	      volumeMounts:
//	        - name: keys
//	          mountPath: /data # csr.DirStore{Path: "/data/keys", AllowGroup: true}
//	  volumes:
//	    - name: keys
//	      persistentVolumeClaim:
//	        claimName: issuer-keys
type DirStore struct {
	// Path is the directory. It is required: if empty, Put and Get return an
	// error.
	Path string

	// AllowGroup accepts a directory and keys that their group can read or
	// write. New ones get no group access even so. Others must never have
	// access, nor users and groups that a POSIX ACL names.
	AllowGroup bool
}

// Put writes key to its file. Its errors are those of [KeyStore]. If only the
// fsync of the directory fails, Put returns that error and the file stays.
func (d DirStore) Put(ctx context.Context, pubMd5 string, key crypto.Signer) error {
	if err := d.put(ctx, pubMd5, key); err != nil {
		return fmt.Errorf("csr: put a key into %q: %w", d.Path, err)
	}
	return nil
}

func (d DirStore) put(ctx context.Context, pubMd5 string, key crypto.Signer) error {
	if err := withCause(ctx, ctx.Err()); err != nil {
		return err
	}
	if err := checkName(pubMd5); err != nil {
		return err
	}
	if err := checkOwnName(pubMd5, key); err != nil {
		return err
	}
	data, err := encodeKey(key)
	if err != nil {
		return err
	}
	if _, err = readKey(pubMd5, data); err != nil {
		return fmt.Errorf("read the encoded key back: %w", err) // such as a private part of another key
	}
	dir, err := keydir.Create(d.Path, d.AllowGroup)
	if err != nil {
		return err
	}
	defer func() { _ = dir.Close() }() // Add has fsynced what it wrote
	return dir.Add(keyFile(pubMd5), data)
}

// Get reads the key from its file and checks it against its name. Its errors
// are those of [KeyStore].
func (d DirStore) Get(ctx context.Context, pubMd5 string) (crypto.Signer, error) {
	key, err := d.get(ctx, pubMd5)
	if err != nil {
		return nil, fmt.Errorf("csr: get a key from %q: %w", d.Path, err)
	}
	return key, nil
}

func (d DirStore) get(ctx context.Context, pubMd5 string) (crypto.Signer, error) {
	if err := withCause(ctx, ctx.Err()); err != nil {
		return nil, err
	}
	if err := checkName(pubMd5); err != nil {
		return nil, fmt.Errorf("%w: %w", fs.ErrNotExist, err)
	}
	dir, err := keydir.Open(d.Path, d.AllowGroup)
	if err != nil {
		return nil, err
	}
	defer func() { _ = dir.Close() }() // nothing was written through it
	data, err := dir.Read(keyFile(pubMd5))
	if err != nil {
		return nil, err
	}
	return readKey(pubMd5, data)
}

// readKey returns the key in data, the content of the file of that name.
func readKey(pubMd5 string, data []byte) (crypto.Signer, error) {
	key, err := decodeKey(data)
	if err != nil {
		return nil, fmt.Errorf("%s is damaged: %w", keyFile(pubMd5), err)
	}
	if err := checkOwnName(pubMd5, key); err != nil {
		return nil, fmt.Errorf("%s has another key: %w", keyFile(pubMd5), err)
	}
	return key, nil
}

// keyFile returns the name of a key's file.
func keyFile(pubMd5 string) string { return pubMd5 + ".pem" }
