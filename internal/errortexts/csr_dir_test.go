package errortexts

import (
	"crypto"
	"crypto/ecdh"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/csr"
)

// A keyFile is a DirStore with one key in it.
type keyFile struct {
	dir, name, path string
	key             crypto.Signer
}

func newKeyFile(t *testing.T) keyFile {
	t.Helper()
	key := newKey(t)
	f := keyFile{dir: filepath.Join(t.TempDir(), "keys"), name: nameOf(t, key), key: key}
	f.path = filepath.Join(f.dir, f.name+".pem")
	require.NoError(t, csr.DirStore(f.dir).Put(t.Context(), f.name, key))
	return f
}

// broken is the error of finding a key after break was done to its file.
func broken(how string, breakIt func(t *testing.T, f keyFile) error) provocation {
	return provocation{how, func(t *testing.T) error {
		f := newKeyFile(t)
		require.NoError(t, breakIt(t, f))
		return errorOf(csr.DirStore(f.dir).Get(t.Context(), f.name))
	}}
}

// written is broken with another content of the file.
func written(how string, content func(t *testing.T, pem string) string) provocation {
	return broken(how, func(t *testing.T, f keyFile) error {
		data, err := os.ReadFile(f.path)
		require.NoError(t, err)
		return os.WriteFile(f.path, []byte(content(t, string(data))), 0o600)
	})
}

// dirStoreTexts are the errors of a DirStore.
func dirStoreTexts(*testing.T) []provocation {
	all := append(directoryTexts(), putTexts()...)
	return append(all,
		broken("a key that is not there", func(_ *testing.T, f keyFile) error { return os.Remove(f.path) }),
		broken("a key file that others can open", func(_ *testing.T, f keyFile) error { return os.Chmod(f.path, 0o644) }),
		broken("a key file that is a link", func(_ *testing.T, f keyFile) error { return relink(f.path) }),
		broken("a directory in the place of a key file", func(_ *testing.T, f keyFile) error {
			if err := os.Remove(f.path); err != nil {
				return err
			}
			return os.Mkdir(f.path, 0o700)
		}),
		written("a file that is no key", func(*testing.T, string) string { return strings.Repeat("x", 64<<10+1) }),
		written("a key file that is cut off", func(_ *testing.T, text string) string { return text[:60] }),
		written("a text before the key", func(_ *testing.T, text string) string { return "my key\n" + text }),
		written("a text behind the key", func(_ *testing.T, text string) string { return text + "the end" }),
		written("two keys in one file", func(_ *testing.T, text string) string { return "-----BEGIN X-----\n" + text }),
		written("a key with headers", func(_ *testing.T, text string) string {
			return strings.Replace(text, "KEY-----\n", "KEY-----\nName: mine\n\n", 1)
		}),
		written("a key in another form", func(_ *testing.T, text string) string { return strings.ReplaceAll(text, "PRIVATE", "EC PRIVATE") }),
		written("a key that does not sign", func(t *testing.T, _ string) string { return keyAgreement(t) }),
		written("another key in the file", func(t *testing.T, _ string) string {
			data, err := os.ReadFile(newKeyFile(t).path)
			require.NoError(t, err)
			return string(data)
		}),
	)
}

// relink puts a symbolic link in the place of a file.
func relink(path string) error {
	if err := os.Rename(path, path+".moved"); err != nil {
		return err
	}
	return os.Symlink(path+".moved", path)
}

// keyAgreement is a key in PEM that can't sign.
func keyAgreement(t *testing.T) string {
	t.Helper()
	key, err := ecdh.X25519().GenerateKey(rand.Reader)
	require.NoError(t, err)
	der, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// directoryTexts are what is wrong with the directory.
func directoryTexts() []provocation {
	return []provocation{
		{"a directory without a name", func(t *testing.T) error { return put(t, "") }},
		{"a file in the place of the directory", func(t *testing.T) error { return put(t, newKeyFile(t).path) }},
		{"a file in the place of a parent", func(t *testing.T) error { return put(t, filepath.Join(newKeyFile(t).path, "keys")) }},
		broken("a directory that others can write to", func(_ *testing.T, f keyFile) error { return os.Chmod(f.dir, 0o777) }),
		broken("a directory that is a link", func(_ *testing.T, f keyFile) error { return relink(f.dir) }),
		{"a file in the place of the temporary directory", func(t *testing.T) error {
			dir := t.TempDir()
			require.NoError(t, os.WriteFile(filepath.Join(dir, ".tmp"), nil, 0o600))
			return put(t, dir)
		}},
	}
}

// putTexts are what is wrong with a key or its name.
func putTexts() []provocation {
	return []provocation{
		{"a key put after the context has ended", func(t *testing.T) error { return csr.DirStore(t.TempDir()).Put(ended(t), "", newKey(t)) }},
		{"a key found after the context has ended", func(t *testing.T) error { return errorOf(csr.DirStore(t.TempDir()).Get(ended(t), "")) }},
		{"a name that is none", func(t *testing.T) error { return errorOf(csr.DirStore(t.TempDir()).Get(t.Context(), "../key")) }},
		{"a key put under another's name", func(t *testing.T) error {
			return csr.DirStore(t.TempDir()).Put(t.Context(), strings.Repeat("0", 32), newKey(t))
		}},
		{"a key put twice", func(t *testing.T) error {
			f := newKeyFile(t)
			return csr.DirStore(f.dir).Put(t.Context(), f.name, f.key)
		}},
		{"an HSM's key", func(t *testing.T) error {
			key := foreignKey{public: newKey(t).Public()}
			return csr.DirStore(t.TempDir()).Put(t.Context(), nameOf(t, key), key)
		}},
	}
}

// put puts a key into a directory.
func put(t *testing.T, dir string) error {
	t.Helper()
	key := newKey(t)
	return csr.DirStore(dir).Put(t.Context(), nameOf(t, key), key)
}
