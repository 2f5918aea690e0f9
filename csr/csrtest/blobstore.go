package csrtest

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"testing"

	"github.com/cdncsr/cdncsr/csr/sealed"
)

// TestBlobStore tests that a sealed.BlobStore does what the interface says.
// newStore returns a new, empty store; it is called for each of the subtests,
// and may clean up with t.Cleanup. What only a store's own test can show, such
// as durability, is not tested.
func TestBlobStore(t *testing.T, newStore func(t *testing.T) sealed.BlobStore) {
	for _, check := range blobChecks {
		t.Run(check.name, func(t *testing.T) {
			store := newStore(t)
			if err := guard(func() error { return check.run(t.Context(), store) }); err != nil {
				t.Error(err)
			}
		})
	}
}

// blobChecks are the rules of sealed.BlobStore. Each gets an empty store, and
// returns an error if that breaks the rule.
var blobChecks = []struct {
	name string
	run  func(ctx context.Context, store sealed.BlobStore) error
}{
	{"PutThenGet", blobPutThenGet},
	{"MissingBlob", missingBlob},
	{"OtherName", blobOtherName},
	{"NeverReplaces", blobNeverReplaces},
	{"Copies", blobCopies},
	{"EndedContext", blobEndedContext},
	{"ManyBlobsAtOnce", manyBlobsAtOnce},
	{"OneNameAtOnce", oneNameAtOnce},
}

// blobPutThenGet: each blob comes back as it was, whatever its bytes and up to
// 16 KiB, which is more than a sealed key of RSA-16384 has.
func blobPutThenGet(ctx context.Context, store sealed.BlobStore) error {
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	blobs := map[string][]byte{
		newBlobName(): {0},
		newBlobName(): {0xff},
		newBlobName(): []byte("'; \"\\%_\r\n\t\x00\x1a\x80\xe4"),
		newBlobName(): []byte(`\x00`), // bytes in the notation of PostgreSQL
		newBlobName(): append([]byte(" "), append(all, ' ', 0, ' ')...),
		newBlobName(): newBlob(175),
		newBlobName(): newBlob(1255),
		newBlobName(): newBlob(16 << 10),
	}
	for name, blob := range blobs {
		if err := store.Put(ctx, name, blob); err != nil {
			return fmt.Errorf("put a new blob of %d bytes: %w", len(blob), err)
		}
	}
	for name, blob := range blobs {
		if err := hasBlob(ctx, store, name, blob); err != nil {
			return err
		}
	}
	return nil
}

// missingBlob: a name that was never put is fs.ErrNotExist, also if others are
// there.
func missingBlob(ctx context.Context, store sealed.BlobStore) error {
	missing := newBlobName()
	if err := hasNoBlob(ctx, store, missing); err != nil {
		return fmt.Errorf("in an empty store: %w", err)
	}
	if err := store.Put(ctx, newBlobName(), newBlob(175)); err != nil {
		return fmt.Errorf("put a new blob: %w", err)
	}
	return hasNoBlob(ctx, store, missing)
}

// blobOtherName: a name that differs in one digit is another name.
func blobOtherName(ctx context.Context, store sealed.BlobStore) error {
	name, blob := newBlobName(), newBlob(175)
	if err := store.Put(ctx, name, blob); err != nil {
		return fmt.Errorf("put a new blob: %w", err)
	}
	others := neighbors(name)
	for _, other := range others {
		if err := hasNoBlob(ctx, store, other); err != nil {
			return fmt.Errorf("name %s after a put of %s: %w", other, name, err)
		}
	}
	for _, other := range []string{others[0], others[len(others)-1]} {
		if err := store.Put(ctx, other, newBlob(175)); err != nil {
			return fmt.Errorf("put a new blob under %s after a put of %s: %w", other, name, err)
		}
	}
	return hasBlob(ctx, store, name, blob)
}

// blobNeverReplaces: what has a name stays, and a second blob of that name is
// fs.ErrExist, even if it is the same.
func blobNeverReplaces(ctx context.Context, store sealed.BlobStore) error {
	name, first := newBlobName(), newBlob(175)
	if err := store.Put(ctx, name, first); err != nil {
		return fmt.Errorf("put a new blob: %w", err)
	}
	seconds := map[string][]byte{"the same blob": first, "another blob": newBlob(175), "a shorter blob": first[:20]}
	for what, blob := range seconds {
		if err := store.Put(ctx, name, blob); !errors.Is(err, fs.ErrExist) {
			return fmt.Errorf("put %s of the same name: error %v, want fs.ErrExist", what, err)
		}
		if err := hasBlob(ctx, store, name, first); err != nil {
			return fmt.Errorf("after %s of the same name: %w", what, err)
		}
	}
	return nil
}

// blobCopies: the store shares no memory with its callers.
func blobCopies(ctx context.Context, store sealed.BlobStore) error {
	name, blob := newBlobName(), newBlob(175)
	want := bytes.Clone(blob)
	if err := store.Put(ctx, name, blob); err != nil {
		return fmt.Errorf("put a new blob: %w", err)
	}
	if !bytes.Equal(blob, want) {
		return errors.New("put a new blob: it was changed")
	}
	clear(blob)
	got, err := store.Get(ctx, name)
	if err != nil {
		return fmt.Errorf("get a blob that was put: %w", err)
	}
	clear(got)
	if err := hasBlob(ctx, store, name, want); err != nil {
		return fmt.Errorf("after the caller changed what it put and got: %w", err)
	}
	return nil
}

// blobEndedContext: what Put says is so, also once the context has ended.
func blobEndedContext(ctx context.Context, store sealed.BlobStore) error {
	ended, end := context.WithCancel(ctx)
	end()
	name, blob := newBlobName(), newBlob(175)
	err := store.Put(ended, name, blob)
	switch {
	case err == nil:
		return hasBlob(ctx, store, name, blob)
	case errors.Is(err, fs.ErrExist):
		return fmt.Errorf("put a new blob with a context that has ended: %w", err)
	}
	if err = hasNoBlob(ctx, store, name); err != nil {
		return fmt.Errorf("after a put that failed: %w", err)
	}
	if err = store.Put(ctx, name, blob); err != nil {
		return fmt.Errorf("put a blob again that failed before: %w", err)
	}
	got, err := store.Get(ended, name)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !bytes.Equal(got, blob) {
		return fmt.Errorf("get with a context that has ended: %d bytes and error %v", len(got), err)
	}
	return nil
}

// manyBlobsAtOnce: blobs that are put at the same time are all there.
func manyBlobsAtOnce(ctx context.Context, store sealed.BlobStore) error {
	var names [atOnce]string
	var blobs [atOnce][]byte
	errs := together(func(i int) error {
		names[i], blobs[i] = newBlobName(), newBlob(175)
		return store.Put(ctx, names[i], blobs[i])
	})
	for i, err := range errs {
		if err != nil {
			return fmt.Errorf("put blobs at once: %w", err)
		}
		if err := hasBlob(ctx, store, names[i], blobs[i]); err != nil {
			return err
		}
	}
	return nil
}

// oneNameAtOnce: if different blobs are put under one name at the same time,
// one Put succeeds and its blob is kept; the others return fs.ErrExist.
func oneNameAtOnce(ctx context.Context, store sealed.BlobStore) error {
	name := newBlobName()
	var blobs [atOnce][]byte
	errs := together(func(i int) error {
		blobs[i] = newBlob(175)
		return store.Put(ctx, name, blobs[i])
	})
	var winner []byte
	for i, err := range errs {
		switch {
		case err == nil && winner != nil:
			return errors.New("put one name at once: two without an error, want one")
		case err == nil:
			winner = blobs[i]
		case !errors.Is(err, fs.ErrExist):
			return fmt.Errorf("put one name at once: error %w, want fs.ErrExist", err)
		}
	}
	if winner == nil {
		return errors.New("put one name at once: none without an error, want one")
	}
	return hasBlob(ctx, store, name, winner)
}

// hasBlob returns an error unless store has exactly that blob.
func hasBlob(ctx context.Context, store sealed.BlobStore, name string, want []byte) error {
	got, err := store.Get(ctx, name)
	if err != nil {
		return fmt.Errorf("get a blob that was put: %w", err)
	}
	if !bytes.Equal(got, want) {
		return fmt.Errorf("get a blob of %d bytes: got %d bytes, which differ", len(want), len(got))
	}
	return nil
}

// hasNoBlob returns an error unless store says that it has no blob of that
// name.
func hasNoBlob(ctx context.Context, store sealed.BlobStore, name string) error {
	blob, err := store.Get(ctx, name)
	if blob != nil || !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("get a blob that is not there: %d bytes and error %v, want none and fs.ErrNotExist", len(blob), err)
	}
	return nil
}

// newBlobName returns a random PubMd5.
func newBlobName() string { return hex.EncodeToString(newBlob(16)) }

// newBlob returns random bytes.
func newBlob(size int) []byte {
	blob := make([]byte, size)
	_, _ = rand.Read(blob) // never fails
	return blob
}
