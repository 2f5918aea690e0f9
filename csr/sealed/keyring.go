package sealed

import (
	"crypto/aes"
	"crypto/cipher"
	"errors"
	"fmt"
	"strings"
)

// ringKeySize is that of AES-256, in bytes.
const ringKeySize = 32

// A Keyring is an [AEAD] of AES-256-GCM (NIST SP 800-38D) with random nonces.
// Its first key seals; all of its keys open, each only what it sealed itself:
// a ciphertext names its key. It is
//
//	version 1 (1 byte) | key ID (8) | nonce (12) | ciphertext | tag (16)
//
// where the key ID is the beginning of the SHA-256 of "cdncsr keyring v1 " and
// the key. One key must not seal more than 2³² times.
//
// A Keyring is safe for concurrent use. Printing one shows no key.
type Keyring struct{ keys []*ringKey }

// A ringKey stands behind a pointer so that fmt prints an address.
type ringKey struct {
	id   keyID
	aead cipher.AEAD
}

// NewKeyring returns a Keyring of the given keys, 32 random bytes each, as from
// "openssl rand 32". They are copied. A key of another size, one of zeros only,
// and one that is given twice are errors.
func NewKeyring(first []byte, others ...[]byte) (*Keyring, error) {
	ring := new(Keyring)
	if err := ring.add(first); err != nil {
		return nil, fmt.Errorf("sealed: new keyring: first key: %w", err)
	}
	for i, key := range others {
		if err := ring.add(key); err != nil {
			return nil, fmt.Errorf("sealed: new keyring: others[%d]: %w", i, err)
		}
	}
	return ring, nil
}

func (k *Keyring) add(key []byte) error {
	if err := checkSecret(key, ringKeySize); err != nil {
		return err
	}
	id := newKeyID(labelAES, key)
	if k.find(id) != nil {
		return fmt.Errorf("key %s is given twice", id)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return err
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return err
	}
	k.keys = append(k.keys, &ringKey{id: id, aead: aead})
	return nil
}

// checkSecret returns an error for what can't be a random key of size bytes.
func checkSecret(key []byte, size int) error {
	if len(key) != size {
		return fmt.Errorf("%d bytes, want %d random ones", len(key), size)
	}
	for _, b := range key {
		if b != 0 {
			return nil
		}
	}
	return errors.New("only zeros, want random bytes")
}

// Encrypt seals plaintext with the first key.
func (k *Keyring) Encrypt(plaintext, associatedData []byte) ([]byte, error) {
	if k == nil || len(k.keys) == 0 {
		return nil, errEmptyRing
	}
	first := k.keys[0]
	envelope := make([]byte, 0, headerSize+len(plaintext)+first.aead.Overhead())
	envelope = appendHeader(envelope, versionAES, first.id)
	return first.aead.Seal(envelope, nil, plaintext, associatedData), nil
}

// Decrypt opens what Encrypt returned. If the key that sealed it is not in the
// ring, the error has that key's ID.
func (k *Keyring) Decrypt(ciphertext, associatedData []byte) ([]byte, error) {
	if k == nil || len(k.keys) == 0 {
		return nil, errEmptyRing
	}
	id, body, err := cutHeader(ciphertext, versionAES, k.keys[0].aead.Overhead())
	if err != nil {
		return nil, fmt.Errorf("keyring: ciphertext %w", err)
	}
	key := k.find(id)
	if key == nil {
		return nil, fmt.Errorf("keyring: %w: %s sealed it, the ring has %s", errNoKey, id, k.ids())
	}
	plaintext, err := key.aead.Open(nil, nil, body, associatedData)
	if err != nil {
		return nil, fmt.Errorf("keyring: ciphertext of key %s %w", id, errAltered)
	}
	return plaintext, nil
}

var errEmptyRing = errors.New("keyring: it has no keys, make one by NewKeyring")

// String returns the IDs of the keys, the first one first.
func (k *Keyring) String() string { return "keyring of " + k.ids() }

func (k *Keyring) ids() string {
	if k == nil || len(k.keys) == 0 {
		return "no keys"
	}
	ids := make([]string, len(k.keys))
	for i, key := range k.keys {
		ids[i] = key.id.String()
	}
	return strings.Join(ids, ", ")
}

func (k *Keyring) find(id keyID) *ringKey {
	for _, key := range k.keys {
		if key.id == id {
			return key
		}
	}
	return nil
}
