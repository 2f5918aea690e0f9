package sealed

import (
	"context"
	"fmt"
	"io/fs"

	"github.com/cdncsr/cdncsr/internal/keydir"
)

// A Dir is a [BlobStore] in a directory; a blob is the file <PubMd5>.sealed in
// it, mode 0600. What [csr.DirStore] promises of its files holds here too: they
// are durable when Put returns, never replaced, and refused if others than the
// user may open them. Any number of processes may use one directory, also on
// many machines through a shared NFS mount.
//
// A file with more than 64 KiB, or another file than a regular one, is an
// error.
type Dir struct {
	// Path is the directory. It is made if it is missing. Required: an empty
	// one is an error, not the working directory.
	Path string

	// AllowGroup accepts a directory and files that the group can read or
	// write, as on a Kubernetes volume with an fsGroup.
	AllowGroup bool
}

var _ BlobStore = Dir{}

// Put writes blob to its file. Its errors are those of [BlobStore]. If the file
// is written and only the directory's fsync fails, Put returns that error and
// the file stays.
func (d Dir) Put(ctx context.Context, name string, blob []byte) error {
	if err := d.put(ctx, name, blob); err != nil {
		return fmt.Errorf("sealed: put into directory %q: %w", d.Path, err)
	}
	return nil
}

func (d Dir) put(ctx context.Context, name string, blob []byte) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := checkName(name); err != nil {
		return err
	}
	if len(blob) == 0 || len(blob) > keydir.MaxSize {
		return fmt.Errorf("blob of %d bytes: want 1 to %d", len(blob), keydir.MaxSize)
	}
	dir, err := keydir.Create(d.Path, d.AllowGroup)
	if err != nil {
		return err
	}
	defer func() { _ = dir.Close() }() // Add has fsynced what it wrote
	return dir.Add(blobFile(name), blob)
}

// Get reads the blob from its file. Its errors are those of [BlobStore].
func (d Dir) Get(ctx context.Context, name string) ([]byte, error) {
	blob, err := d.get(ctx, name)
	if err != nil {
		return nil, fmt.Errorf("sealed: get from directory %q: %w", d.Path, err)
	}
	return blob, nil
}

func (d Dir) get(ctx context.Context, name string) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := checkName(name); err != nil {
		return nil, fmt.Errorf("%w: %w", fs.ErrNotExist, err)
	}
	dir, err := keydir.Open(d.Path, d.AllowGroup)
	if err != nil {
		return nil, err
	}
	defer func() { _ = dir.Close() }() // nothing was written through it
	return dir.Read(blobFile(name))
}

func blobFile(name string) string { return name + ".sealed" }
