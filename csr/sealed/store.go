package sealed

import (
	"bytes"
	"context"
	"crypto"
	"errors"
	"fmt"
	"io/fs"

	"github.com/cdncsr/cdncsr/csr"
)

// A BlobStore keeps bytes by name. [Store] makes a [csr.KeyStore] of it. It
// must be safe for concurrent use. Function TestBlobStore of package csrtest
// tests an implementation.
type BlobStore interface {
	// Put keeps a copy of blob under name, a PubMd5. A blob has 1 byte or more;
	// a store must take at least 16 KiB. When Put returns nil, the blob is as
	// durable as the store can make it. Put never replaces a blob: if the name
	// is taken, even by the same bytes, the error matches fs.ErrExist and the
	// store is unchanged.
	Put(ctx context.Context, name string, blob []byte) error

	// Get returns a copy of the blob of that name, whole. The error matches
	// fs.ErrNotExist if and only if there is none.
	Get(ctx context.Context, name string) ([]byte, error)
}

// An AEAD encrypts and authenticates: authenticated encryption with associated
// data (RFC 5116). Every tink.AEAD is one. If a value also has
//
//	EncryptWithContext(ctx context.Context, plaintext, associatedData []byte) ([]byte, error)
//	DecryptWithContext(ctx context.Context, ciphertext, associatedData []byte) ([]byte, error)
//
// then [Store] calls these instead, as a client of a key management service
// needs. An AEAD must be safe for concurrent use, must not keep or change its
// arguments, and must not put a plaintext into an error.
type AEAD interface {
	Encrypt(plaintext, associatedData []byte) ([]byte, error)
	Decrypt(ciphertext, associatedData []byte) ([]byte, error)
}

// A Store is a [csr.KeyStore] that encrypts each key before it reaches Blobs.
// A key is sealed as PKCS #8 (RFC 5958) in DER, with its name as associated
// data, so that a sealed key does not open under another name. Store keeps
// *rsa.PrivateKey, *ecdsa.PrivateKey and ed25519.PrivateKey; other keys, such
// as those in an HSM, match errors.ErrUnsupported.
//
// A Store is safe for concurrent use. Its fields must not be changed after its
// first use.
type Store struct {
	Blobs BlobStore // required
	AEAD  AEAD      // required: there is no default key
}

var _ csr.KeyStore = (*Store)(nil)

// Put seals key and puts it into Blobs. Its errors are those of
// [csr.KeyStore]; those of Blobs and AEAD are wrapped, but one of AEAD never
// matches fs.ErrExist or fs.ErrNotExist.
func (s *Store) Put(ctx context.Context, pubMd5 string, key crypto.Signer) error {
	if err := s.put(ctx, pubMd5, key); err != nil {
		return fmt.Errorf("sealed: put key %.64q: %w", pubMd5, err)
	}
	return nil
}

func (s *Store) put(ctx context.Context, pubMd5 string, key crypto.Signer) error {
	if err := s.check(ctx); err != nil {
		return err
	}
	der, err := marshalKey(pubMd5, key)
	if err != nil {
		return err
	}
	defer clear(der)
	blob, err := s.seal(ctx, pubMd5, der)
	if err != nil {
		return err
	}
	return s.Blobs.Put(ctx, pubMd5, blob)
}

// Get gets the sealed key from Blobs and opens it. Its errors are those of
// [csr.KeyStore]; those of Blobs and AEAD are wrapped as by Put. A blob that
// does not open, that has a key in the clear, or that has another key than its
// name says, is an error that does not match fs.ErrNotExist.
func (s *Store) Get(ctx context.Context, pubMd5 string) (crypto.Signer, error) {
	key, err := s.get(ctx, pubMd5)
	if err != nil {
		return nil, fmt.Errorf("sealed: get key %.64q: %w", pubMd5, err)
	}
	return key, nil
}

func (s *Store) get(ctx context.Context, pubMd5 string) (crypto.Signer, error) {
	if err := s.check(ctx); err != nil {
		return nil, err
	}
	if err := checkName(pubMd5); err != nil {
		return nil, fmt.Errorf("%w: %w", fs.ErrNotExist, err)
	}
	blob, err := s.Blobs.Get(ctx, pubMd5)
	if err != nil {
		return nil, err
	}
	der, err := s.open(ctx, pubMd5, blob)
	if err != nil {
		return nil, err
	}
	defer clear(der)
	return parseKey(pubMd5, der)
}

// check returns an error if s can't be used, or if ctx has ended.
func (s *Store) check(ctx context.Context) error {
	switch {
	case s == nil:
		return errors.New("the Store is nil")
	case s.Blobs == nil:
		return errors.New("Store.Blobs is nil")
	case s.AEAD == nil:
		return errors.New("Store.AEAD is nil")
	}
	return ctx.Err()
}

// associatedData binds a sealed key to its name and to this use of the AEAD.
func associatedData(pubMd5 string) []byte { return []byte("cdncsr private key v1 " + pubMd5) }

// seal encrypts der and checks that the AEAD did more than to copy it.
func (s *Store) seal(ctx context.Context, pubMd5 string, der []byte) (blob []byte, err error) {
	ad := associatedData(pubMd5)
	if aead, ok := s.AEAD.(interface {
		EncryptWithContext(ctx context.Context, plaintext, associatedData []byte) ([]byte, error)
	}); ok {
		blob, err = aead.EncryptWithContext(ctx, der, ad)
	} else {
		blob, err = s.AEAD.Encrypt(der, ad)
	}
	if err != nil {
		return nil, fmt.Errorf("seal it: %w", opaque(err))
	}
	if len(blob) <= len(der) || bytes.Contains(blob, der) {
		return nil, fmt.Errorf("seal it: %T returned no ciphertext with a tag", s.AEAD)
	}
	return blob, nil
}

// open decrypts blob. The caller clears what it returns.
func (s *Store) open(ctx context.Context, pubMd5 string, blob []byte) (der []byte, err error) {
	if isPlaintext(blob) {
		return nil, errPlaintext
	}
	ad := associatedData(pubMd5)
	if aead, ok := s.AEAD.(interface {
		DecryptWithContext(ctx context.Context, ciphertext, associatedData []byte) ([]byte, error)
	}); ok {
		der, err = aead.DecryptWithContext(ctx, blob, ad)
	} else {
		der, err = s.AEAD.Decrypt(blob, ad)
	}
	if err != nil {
		return nil, fmt.Errorf("open it: %w", opaque(err))
	}
	return der, nil
}

// opaque returns an error of an AEAD that does not match what only a blob, or
// its absence, may match. The missing socket of a key management service
// matches fs.ErrNotExist.
func opaque(err error) error {
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrExist) {
		return errors.New(err.Error())
	}
	return err
}
