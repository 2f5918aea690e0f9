package csr

import (
	"context"
	"crypto"
	"fmt"
	"io/fs"

	"github.com/cdncsr/cdncsr/internal/keydir"
)

// DirStore is a [KeyStore] in a directory. A key is the file <PubMd5>.pem in
// it: PKCS #8 in PEM, mode 0600. It keeps *rsa.PrivateKey, *ecdsa.PrivateKey
// and ed25519.PrivateKey. For any other key, Put returns an error that matches
// errors.ErrUnsupported.
//
// # Durability
//
// When Put returns nil, the key is on the disk: the file, its directory, and
// the parent of a directory that was made for it are fsynced. If the process or
// the machine dies earlier, the directory has the whole key under its name, or
// nothing under that name. Where the file system has no hard links, a file that
// was cut off may be left, which Get refuses. Put never replaces a file.
//
// Any number of processes may use one directory, also on several machines that
// mount it by NFS. Mount it with lookupcache=positive, so that a machine finds
// a key that another one has just put.
//
// This holds on Linux, macOS (F_FULLFSYNC) and the BSDs, on file systems that
// honor fsync. Windows can't fsync a directory, so a key that was put just
// before a power failure may be missing there, though never half-written.
//
// # Permissions
//
// A missing directory is made with mode 0700, its missing parents too. DirStore
// never changes what it did not make. It refuses a directory that group or
// others can write to, a key file that they have any access to, either of them
// if another user than this one or root owns it, and a symbolic link in the
// place of either; the error says how to repair that. A key that others could
// read should be replaced. Put also fails on a file system that does not keep
// the mode of a new file, such as vfat.
//
// Windows has no such modes and nothing is checked there: use a directory that
// only the program's account has access to.
//
// Get also refuses a file that is damaged, or has another key than its name
// says. Only a missing key matches fs.ErrNotExist.
//
// Temporary files are in .tmp in the directory. A Put removes those that a
// killed process left, an hour later.
//
// # Kubernetes
//
// At each mount, Kubernetes gives the group of a Pod's fsGroup access to all
// that is in a volume. Set AllowGroup, give that group to nobody else, and run
// the Pod as the same user each time, since the keys stay that user's. Use a
// directory in the volume: others may be able to write to the volume itself.
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
	// Path is the directory. Required: an empty one is an error, not the
	// working directory.
	Path string

	// AllowGroup accepts a directory and keys that the group can read or
	// write. New ones are still this user's alone, and others must not have
	// access in any case.
	AllowGroup bool
}

// Put writes key to its file. Its errors are those of [KeyStore]. If the file
// is written and only the directory's fsync fails, Put returns that error and
// the file stays.
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
