package sealed

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
)

// The first byte of an envelope says how the rest is sealed. A keyID follows.
const (
	versionAES  = 1 // nonce (12 bytes), ciphertext, tag (16 bytes): AES-256-GCM
	versionHPKE = 2 // encapsulated key (32 bytes), ciphertext, tag (16 bytes): HPKE
)

const headerSize = 1 + len(keyID{})

// Labels keep the IDs of the two kinds of keys apart.
const (
	labelAES  = "cdncsr keyring v1 "
	labelHPKE = "cdncsr hpke v1 "
)

var (
	errNotSealed = errors.New("is not a sealed key")
	errNoKey     = errors.New("no key of this ID")
	errAltered   = errors.New("was altered, or sealed under another name")
)

// A keyID names the key that sealed an envelope: the first bytes of a SHA-256
// of the AES key or of the HPKE public key. It reveals neither.
type keyID [8]byte

func newKeyID(label string, key []byte) keyID {
	h := sha256.New()
	h.Write([]byte(label)) // a Hash never returns an error
	h.Write(key)
	return keyID(h.Sum(nil))
}

func (id keyID) String() string { return hex.EncodeToString(id[:]) }

// appendHeader begins an envelope.
func appendHeader(dst []byte, version byte, id keyID) []byte {
	return append(append(dst, version), id[:]...)
}

// cutHeader returns the key ID of an envelope of that version, and what
// follows it, which is at least overhead bytes.
func cutHeader(envelope []byte, version byte, overhead int) (id keyID, body []byte, err error) {
	if len(envelope) < headerSize+overhead {
		return keyID{}, nil, fmt.Errorf("%w: %d bytes, want %d or more", errNotSealed, len(envelope), headerSize+overhead)
	}
	if got := envelope[0]; got != version {
		return keyID{}, nil, fmt.Errorf("%w of version %d: it begins with 0x%02x", errNotSealed, version, got)
	}
	return sealedBy(envelope), envelope[headerSize:], nil
}

// sealedBy returns the key ID of an envelope that cutHeader accepts.
func sealedBy(envelope []byte) keyID { return keyID(envelope[1:headerSize]) }
