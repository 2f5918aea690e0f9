package stores_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A search looks for secrets in what was dumped, logged or written, in every
// spelling that a log or a dump may have.
type search struct {
	begins   []uint64                      // a bit for each first three bytes of a spelling
	bySample map[[sampleSize]byte][][]byte // the spellings by their beginnings, which some share
}

const sampleSize = 8

func newSearch(secrets ...[]byte) *search {
	s := &search{begins: make([]uint64, 1<<24/64), bySample: make(map[[sampleSize]byte][][]byte)}
	for _, secret := range secrets {
		for _, spelling := range spellings(secret) {
			i := first3(spelling)
			s.begins[i/64] |= 1 << (i % 64)
			sample := [sampleSize]byte(spelling)
			s.bySample[sample] = append(s.bySample[sample], spelling)
		}
	}
	return s
}

// spellings returns how a text may spell secret, or 24 bytes of it.
func spellings(secret []byte) [][]byte {
	secret = secret[:24]
	decimal := strings.Trim(fmt.Sprint(secret), "[]")
	return [][]byte{
		secret,
		[]byte(hex.EncodeToString(secret)),
		[]byte(strings.ToUpper(hex.EncodeToString(secret))),
		[]byte(base64.StdEncoding.EncodeToString(secret)), // at each of three places in a longer text
		[]byte(base64.StdEncoding.EncodeToString(secret[1:22])),
		[]byte(base64.StdEncoding.EncodeToString(secret[2:23])),
		[]byte(base64.URLEncoding.EncodeToString(secret)),
		[]byte(decimal),
		[]byte(strings.ReplaceAll(decimal, " ", ", ")),
	}
}

func first3(data []byte) uint32 { return binary.BigEndian.Uint32(data) >> 8 }

// in reports whether data has one of the secrets.
func (s *search) in(data []byte) bool {
	for i := range max(0, len(data)-sampleSize) {
		if begin := first3(data[i:]); s.begins[begin/64]&(1<<(begin%64)) == 0 {
			continue
		}
		for _, spelling := range s.bySample[[sampleSize]byte(data[i:])] {
			if bytes.HasPrefix(data[i:], spelling) {
				return true
			}
		}
	}
	return bytes.Contains(data, []byte("PRIVATE KEY-----"))
}

// inFiles returns the files below dirs that have one of the secrets, and the
// number of files.
func (s *search) inFiles(t testing.TB, dirs ...string) (found []string, files int) {
	t.Helper()
	for _, dir := range dirs {
		require.NoError(t, filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
			if errors.Is(err, fs.ErrNotExist) {
				return nil // a temporary file of the engine
			}
			if err != nil || !entry.Type().IsRegular() {
				return err
			}
			data, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			files++
			if s.in(data) {
				found = append(found, path)
			}
			return nil
		}))
	}
	return found, files
}

// secretOf returns the secret number of a private key.
func secretOf(t testing.TB, key crypto.Signer) []byte {
	t.Helper()
	switch key := key.(type) {
	case *rsa.PrivateKey:
		return key.Primes[0].Bytes()
	case *ecdsa.PrivateKey:
		secret, err := key.Bytes()
		require.NoError(t, err)
		return secret
	case ed25519.PrivateKey:
		return key.Seed()
	}
	require.Fail(t, "unknown key", "%T", key)
	return nil
}

func TestSearch_FindsEverySpelling(t *testing.T) {
	for name, secret := range map[string][]byte{
		"random": newSecret(),
		// Beginnings that two spellings share: hexadecimal digits, then letters;
		// base64 without a sign, then with signs.
		"digits first": append([]byte{0x12, 0x34, 0x56, 0x78, 0xab, 0xcd, 0xef}, newSecret()[:25]...),
		"signs later":  append(make([]byte, 8), bytes.Repeat([]byte{0xff}, 24)...),
	} {
		t.Run(name, func(t *testing.T) { findsEverySpelling(t, secret) })
	}
}

func findsEverySpelling(t *testing.T, secret []byte) {
	s := newSearch(newSecret(), secret)
	for i, spelling := range spellings(secret) {
		assert.True(t, s.in(append([]byte("text before "), append(spelling, " and after"...)...)), "spelling %d", i)
	}
	for offset := range 3 {
		text := base64.StdEncoding.EncodeToString(append(make([]byte, offset), secret...))
		assert.True(t, s.in([]byte(text)), "offset %d", offset)
	}
	assert.True(t, s.in([]byte("-----BEGIN EC PRIVATE KEY-----")))
	assert.False(t, s.in(newSecret()))
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "log"), []byte(hex.EncodeToString(secret)), 0o600))
	found, files := s.inFiles(t, dir)
	assert.Len(t, found, 1)
	assert.Equal(t, 1, files)
}
