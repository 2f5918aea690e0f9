package sealed

import (
	"crypto/ecdh"
	"crypto/hpke"
	"errors"
	"fmt"
)

const (
	hpkeKeySize  = 32 // of an X25519 key, private or public, and of an encapsulated one
	hpkeOverhead = hpkeKeySize + 16
)

// A Recipient is an [AEAD] that seals for the holder of a private key and can't
// open: for machines that make keys and must not be able to read those that are
// there. It is HPKE (RFC 9180) in base mode with DHKEM(X25519, HKDF-SHA256),
// HKDF-SHA256 and AES-256-GCM; the associated data is HPKE's info. A ciphertext
// is
//
//	version 2 (1 byte) | key ID (8) | encapsulated key (32) | ciphertext | tag (16)
//
// where the key ID is the beginning of the SHA-256 of "cdncsr hpke v1 " and the
// public key. Each ciphertext has a key of its own, so there is no limit to
// their number. Anyone who has the public key can seal: HPKE does not
// authenticate the sender.
//
// A Recipient is safe for concurrent use.
type Recipient struct {
	id  keyID
	key hpke.PublicKey
}

// NewRecipient returns a Recipient for an X25519 public key of 32 bytes, as
// (*ecdh.PublicKey).Bytes returns it. Any other key is an error.
func NewRecipient(publicKey []byte) (*Recipient, error) {
	r, err := newRecipient(publicKey)
	if err != nil {
		return nil, fmt.Errorf("sealed: new recipient: %w", err)
	}
	return r, nil
}

func newRecipient(publicKey []byte) (*Recipient, error) {
	if len(publicKey) != hpkeKeySize {
		return nil, fmt.Errorf("public key: %d bytes, want %d of X25519", len(publicKey), hpkeKeySize)
	}
	key, err := kem().NewPublicKey(publicKey)
	if err != nil {
		return nil, fmt.Errorf("public key: %w", err)
	}
	r := &Recipient{id: newKeyID(labelHPKE, publicKey), key: key}
	if _, err := r.Encrypt(nil, nil); err != nil { // a point of low order
		return nil, fmt.Errorf("public key: %w", err)
	}
	return r, nil
}

// Encrypt seals plaintext for the holder of the private key.
func (r *Recipient) Encrypt(plaintext, associatedData []byte) ([]byte, error) {
	if r == nil || r.key == nil {
		return nil, errors.New("hpke: the recipient has no key, make one by NewRecipient")
	}
	body, err := hpke.Seal(r.key, hpke.HKDFSHA256(), hpke.AES256GCM(), associatedData, plaintext)
	if err != nil {
		return nil, fmt.Errorf("hpke: %w", err)
	}
	envelope := make([]byte, 0, headerSize+len(body))
	return append(appendHeader(envelope, versionHPKE, r.id), body...), nil
}

// Decrypt returns an error that matches errors.ErrUnsupported.
func (r *Recipient) Decrypt([]byte, []byte) ([]byte, error) {
	return nil, fmt.Errorf("hpke: a recipient can only seal: %w", errors.ErrUnsupported)
}

// An Identity is an [AEAD] that opens what a [Recipient] sealed for it, and
// seals as that Recipient does. Like a [Keyring] it may have more than one key,
// of which the first seals and each opens only what was sealed for it.
//
// An Identity is safe for concurrent use. Printing one shows no private key.
type Identity struct{ keys []*identityKey }

// An identityKey stands behind a pointer so that fmt prints an address.
type identityKey struct {
	recipient *Recipient
	private   hpke.PrivateKey
}

// NewIdentity returns the Identity that holds an X25519 private key of 32
// bytes, as (*ecdh.PrivateKey).Bytes returns it, and perhaps others, which only
// open. They are copied. A key of another size, one of zeros only, and one that
// is given twice are errors.
func NewIdentity(privateKey []byte, others ...[]byte) (*Identity, error) {
	i := new(Identity)
	if err := i.add(privateKey); err != nil {
		return nil, fmt.Errorf("sealed: new identity: private key: %w", err)
	}
	for n, key := range others {
		if err := i.add(key); err != nil {
			return nil, fmt.Errorf("sealed: new identity: others[%d]: %w", n, err)
		}
	}
	return i, nil
}

func (i *Identity) add(key []byte) error {
	if err := checkSecret(key, hpkeKeySize); err != nil {
		return err
	}
	private, err := kem().NewPrivateKey(key)
	if err != nil {
		return err
	}
	recipient, err := newRecipient(private.PublicKey().Bytes())
	if err != nil {
		return err
	}
	if i.find(recipient.id) != nil {
		return fmt.Errorf("key %s is given twice", recipient.id)
	}
	i.keys = append(i.keys, &identityKey{recipient: recipient, private: private})
	return nil
}

// Encrypt seals plaintext for the first key.
func (i *Identity) Encrypt(plaintext, associatedData []byte) ([]byte, error) {
	if i == nil || len(i.keys) == 0 {
		return nil, errEmptyIdentity
	}
	return i.keys[0].recipient.Encrypt(plaintext, associatedData)
}

// Decrypt opens what was sealed for one of the keys. If it was sealed for
// another one, the error has that key's ID.
func (i *Identity) Decrypt(ciphertext, associatedData []byte) ([]byte, error) {
	if i == nil || len(i.keys) == 0 {
		return nil, errEmptyIdentity
	}
	id, body, err := cutHeader(ciphertext, versionHPKE, hpkeOverhead)
	if err != nil {
		return nil, fmt.Errorf("hpke: ciphertext %w", err)
	}
	key := i.find(id)
	if key == nil {
		return nil, fmt.Errorf("hpke: %w: %s sealed it, the first one here is %s", errNoKey, id, i.keys[0].recipient.id)
	}
	plaintext, err := hpke.Open(key.private, hpke.HKDFSHA256(), hpke.AES256GCM(), associatedData, body)
	if err != nil {
		return nil, fmt.Errorf("hpke: ciphertext of key %s %w", id, errAltered)
	}
	return plaintext, nil
}

var errEmptyIdentity = errors.New("hpke: the identity has no keys, make one by NewIdentity")

func (i *Identity) find(id keyID) *identityKey {
	for _, key := range i.keys {
		if key.recipient.id == id {
			return key
		}
	}
	return nil
}

func kem() hpke.KEM { return hpke.DHKEM(ecdh.X25519()) }
