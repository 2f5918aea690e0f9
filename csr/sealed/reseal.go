package sealed

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
)

// A Swapper is a [BlobStore] that can replace a blob. [Store.Reseal] needs one;
// Put and Get never call Swap.
type Swapper interface {
	BlobStore

	// Swap replaces the blob of that name by blob, durably and atomically, if
	// it is old, and reports whether it did. If there is no blob of that name,
	// the error matches fs.ErrNotExist.
	Swap(ctx context.Context, name string, old, blob []byte) (swapped bool, err error)
}

const swapAttempts = 3

// Reseal seals the key of that name anew if the first key of a [Keyring] or
// an [Identity] did not seal it. With another AEAD it always seals anew. It
// opens the key first, so one that does not open stays as it is. Reseal may be
// called on many machines at once, and again after an error.
//
// If Blobs is not a [Swapper], the error matches errors.ErrUnsupported. If
// there is no key of that name, it matches fs.ErrNotExist.
func (s *Store) Reseal(ctx context.Context, pubMd5 string) error {
	if err := s.reseal(ctx, pubMd5); err != nil {
		return fmt.Errorf("sealed: reseal key %.64q: %w", pubMd5, err)
	}
	return nil
}

func (s *Store) reseal(ctx context.Context, pubMd5 string) error {
	if err := s.check(ctx); err != nil {
		return err
	}
	blobs, ok := s.Blobs.(Swapper)
	if !ok {
		return fmt.Errorf("%T can't replace: %w", s.Blobs, errors.ErrUnsupported)
	}
	if err := checkName(pubMd5); err != nil {
		return fmt.Errorf("%w: %w", fs.ErrNotExist, err)
	}
	for range swapAttempts {
		old, err := blobs.Get(ctx, pubMd5)
		if err != nil {
			return err
		}
		blob, err := s.renew(ctx, pubMd5, old)
		if err != nil || blob == nil {
			return err
		}
		if swapped, err := blobs.Swap(ctx, pubMd5, old, blob); err != nil || swapped {
			return err
		}
	}
	return fmt.Errorf("others changed it %d times meanwhile", swapAttempts)
}

// renew opens old and seals it anew. It returns nil if that is not needed.
func (s *Store) renew(ctx context.Context, pubMd5 string, old []byte) ([]byte, error) {
	der, err := s.open(ctx, pubMd5, old)
	if err != nil {
		return nil, err
	}
	defer clear(der)
	if _, err := parseKey(pubMd5, der); err != nil {
		return nil, err
	}
	if s.isCurrent(old) {
		return nil, nil
	}
	return s.seal(ctx, pubMd5, der)
}

// isCurrent reports whether the first key of a Keyring or an Identity sealed
// blob, which that AEAD has opened.
func (s *Store) isCurrent(blob []byte) bool {
	switch aead := s.AEAD.(type) {
	case *Keyring:
		return sealedBy(blob) == aead.keys[0].id
	case *Identity:
		return sealedBy(blob) == aead.keys[0].recipient.id
	}
	return false
}
