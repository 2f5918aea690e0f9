package csr

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
)

// DirStore is a [KeyStore] in the directory of that name; a key is the file <PubMd5>.pem in it, PKCS #8 in PEM, mode
// 0600. It keeps *rsa.PrivateKey, *ecdsa.PrivateKey and ed25519.PrivateKey; other keys match errors.ErrUnsupported. An
// empty DirStore is an error, not the working directory.
//
// # What it promises
//
// When Put returns nil, the key is on the disk: the file, its directory, and the parent of a directory that was made
// for it are fsynced. If the process or the machine dies earlier, the directory has the whole key under its name, or
// nothing under that name. Where the file system has no hard links, a file that was cut off may be left, which Get
// refuses. Any number of processes may use one directory. Put never replaces a file.
//
// That holds on Linux, macOS (F_FULLFSYNC) and the BSDs, on file systems that heed fsync. Windows can't fsync a
// directory, so a key that was put just before a power failure may be missing there, though never half-written. Modes
// mean nothing on Windows and aren't checked there: keep the directory where only the program's account has access.
//
// # What it refuses
//
// A missing directory is made with mode 0700, its missing parents too. What DirStore did not make it never changes: a
// directory that group or others can write to, a key file that they can open, and a symbolic link in the place of
// either are errors that name the repair. So is a file that is damaged or holds another key than its name says; only a
// missing key matches fs.ErrNotExist.
//
// Temporary files are in .tmp in the directory. What a killed process left there is removed by a Put after an hour.
type DirStore string

// Put writes key to its file. Its errors are those of [KeyStore]; when the file is written and only the directory's
// fsync fails, Put returns that error and the file stays.
func (d DirStore) Put(ctx context.Context, pubMd5 string, key crypto.Signer) error {
	if err := d.put(ctx, pubMd5, key); err != nil {
		return fmt.Errorf("csr: keep a key in %q: %w%s", string(d), err, permissionAdvice(err))
	}
	return nil
}

func (d DirStore) put(ctx context.Context, pubMd5 string, key crypto.Signer) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := checkName(pubMd5); err != nil {
		return err
	}
	if err := checkOwnName(pubMd5, key); err != nil {
		return err
	}
	data, err := encodeKeyFile(key)
	if err != nil {
		return err
	}
	dir, err := makeKeyDir(string(d))
	if err != nil {
		return err
	}
	defer func() { _ = dir.Close() }() // nothing was written by it
	return dir.add(pubMd5+keyFileSuffix, data)
}

// Get reads the key from its file and checks it against its name. Its errors are those of [KeyStore].
func (d DirStore) Get(ctx context.Context, pubMd5 string) (crypto.Signer, error) {
	key, err := d.get(ctx, pubMd5)
	if err != nil {
		return nil, fmt.Errorf("csr: find a key in %q: %w%s", string(d), err, permissionAdvice(err))
	}
	return key, nil
}

func (d DirStore) get(ctx context.Context, pubMd5 string) (crypto.Signer, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := checkName(pubMd5); err != nil {
		return nil, fmt.Errorf("%w: %w", fs.ErrNotExist, err)
	}
	dir, err := openKeyDir(string(d))
	if err != nil {
		return nil, err
	}
	defer func() { _ = dir.Close() }() // nothing was written by it
	path := filepath.Join(string(d), pubMd5+keyFileSuffix)
	data, err := dir.read(pubMd5 + keyFileSuffix)
	if err != nil {
		return nil, err
	}
	key, err := decodeKeyFile(data)
	if err != nil {
		return nil, fmt.Errorf("%s is damaged (%w): move it away, or restore it from a backup", path, err)
	}
	if err := checkOwnName(pubMd5, key); err != nil {
		return nil, fmt.Errorf("%s holds another key (%w): give it its own name, or restore it from a backup", path, err)
	}
	return key, nil
}

// permissionAdvice is what to do where the file system refuses this user.
func permissionAdvice(err error) string {
	if errors.Is(err, fs.ErrPermission) {
		return ": run as the directory's owner, or name another directory"
	}
	return ""
}
