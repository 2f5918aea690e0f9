package csrtest

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"io"
	"io/fs"
	"strings"
	"sync"

	"github.com/cdncsr/cdncsr/csr"
)

// broken is a MemStore that does one thing wrong.
type broken struct {
	csr.MemStore
	put func(m *csr.MemStore, ctx context.Context, name string, key crypto.Signer) error
	get func(m *csr.MemStore, ctx context.Context, name string) (crypto.Signer, error)
}

func (b *broken) Put(ctx context.Context, name string, key crypto.Signer) error {
	if b.put != nil {
		return b.put(&b.MemStore, ctx, name, key)
	}
	return b.MemStore.Put(ctx, name, key)
}

func (b *broken) Get(ctx context.Context, name string) (crypto.Signer, error) {
	if b.get != nil {
		return b.get(&b.MemStore, ctx, name)
	}
	return b.MemStore.Get(ctx, name)
}

// careless stores any key under any name, as a bare map does.
type careless struct {
	mu   sync.Mutex
	keys map[string]crypto.Signer
}

func (c *careless) Put(_ context.Context, name string, key crypto.Signer) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.keys[name]; ok {
		return fs.ErrExist
	}
	if c.keys == nil {
		c.keys = make(map[string]crypto.Signer)
	}
	c.keys[name] = key
	return nil
}

func (c *careless) Get(_ context.Context, name string) (crypto.Signer, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if key, ok := c.keys[name]; ok {
		return key, nil
	}
	return nil, fs.ErrNotExist
}

// mute has the public part of a key and does not sign.
type mute struct{ pub crypto.PublicKey }

func (m mute) Public() crypto.PublicKey { return m.pub }

func (m mute) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) {
	return nil, errors.New("mute")
}

// gettingBy returns a function that makes a store whose Get changes the name.
func gettingBy(change func(name string) string) func() csr.KeyStore {
	return func() csr.KeyStore {
		return &broken{get: func(m *csr.MemStore, ctx context.Context, name string) (crypto.Signer, error) {
			return m.Get(ctx, change(name))
		}}
	}
}

// brokenStores has broken stores by the name of the check that must find them.
var brokenStores = map[string]map[string]func() csr.KeyStore{
	"PutThenGet": {
		"stores nothing": func() csr.KeyStore {
			return &broken{put: func(*csr.MemStore, context.Context, string, crypto.Signer) error { return nil }}
		},
		"has no room for RSA-4096": func() csr.KeyStore { // varbinary(2048), say
			return &broken{put: func(m *csr.MemStore, ctx context.Context, name string, key crypto.Signer) error {
				if rsaKey, ok := key.(*rsa.PrivateKey); ok && rsaKey.Size() > 2048/8 {
					return errors.New("data too long for column")
				}
				return m.Put(ctx, name, key)
			}}
		},
		"refuses RSA": func() csr.KeyStore {
			return &broken{put: func(m *csr.MemStore, ctx context.Context, name string, key crypto.Signer) error {
				if _, ok := key.(*rsa.PrivateKey); ok {
					return errors.ErrUnsupported
				}
				return m.Put(ctx, name, key)
			}}
		},
		"returns the public part": func() csr.KeyStore {
			return &broken{get: func(m *csr.MemStore, ctx context.Context, name string) (crypto.Signer, error) {
				key, err := m.Get(ctx, name)
				if err != nil {
					return nil, err
				}
				return mute{key.Public()}, nil
			}}
		},
		"returns another key": func() csr.KeyStore {
			return &broken{get: func(*csr.MemStore, context.Context, string) (crypto.Signer, error) {
				return csr.P256.NewKey(context.Background())
			}}
		},
	},
	"MissingKey": {
		"returns no error": func() csr.KeyStore {
			return &broken{get: func(m *csr.MemStore, ctx context.Context, name string) (crypto.Signer, error) {
				key, _ := m.Get(ctx, name)
				return key, nil
			}}
		},
		"returns another error": func() csr.KeyStore {
			return &broken{get: func(m *csr.MemStore, ctx context.Context, name string) (crypto.Signer, error) {
				key, err := m.Get(ctx, name)
				if err != nil {
					return nil, errors.New("no such key")
				}
				return key, nil
			}}
		},
		"returns any key": func() csr.KeyStore {
			var last string
			return &broken{
				put: func(m *csr.MemStore, ctx context.Context, name string, key crypto.Signer) error {
					last = name
					return m.Put(ctx, name, key)
				},
				get: func(m *csr.MemStore, ctx context.Context, _ string) (crypto.Signer, error) { return m.Get(ctx, last) },
			}
		},
	},
	"NeverReplaces": {
		"returns no error": func() csr.KeyStore {
			return &broken{put: func(m *csr.MemStore, ctx context.Context, name string, key crypto.Signer) error {
				if err := m.Put(ctx, name, key); !errors.Is(err, fs.ErrExist) {
					return err
				}
				return nil
			}}
		},
		"returns another error": func() csr.KeyStore {
			return &broken{put: func(m *csr.MemStore, ctx context.Context, name string, key crypto.Signer) error {
				if m.Put(ctx, name, key) != nil {
					return errors.New("there is one")
				}
				return nil
			}}
		},
		"deletes the good key in a rollback": func() csr.KeyStore { // certmagic
			gone := false
			return &broken{
				put: func(m *csr.MemStore, ctx context.Context, name string, key crypto.Signer) error {
					err := m.Put(ctx, name, key)
					gone = err != nil
					return err
				},
				get: func(m *csr.MemStore, ctx context.Context, name string) (crypto.Signer, error) {
					if gone {
						return nil, fs.ErrNotExist
					}
					return m.Get(ctx, name)
				},
			}
		},
	},
	"OtherName": {
		"accepts any name": func() csr.KeyStore { return new(careless) },
		"stores it under its own name": func() csr.KeyStore {
			return &broken{put: func(m *csr.MemStore, ctx context.Context, name string, key crypto.Signer) error {
				own, _ := csr.PubMD5(key.Public())
				if err := m.Put(ctx, own, key); err != nil {
					return err
				}
				if own != name {
					return errors.New("another name")
				}
				return nil
			}}
		},
		"has another error for a name that no key can have": func() csr.KeyStore {
			return &broken{get: func(m *csr.MemStore, ctx context.Context, name string) (crypto.Signer, error) {
				if len(name) != 32 {
					return nil, errors.New("bad name")
				}
				return m.Get(ctx, name)
			}}
		},
		"shortens the name": func() csr.KeyStore {
			return &broken{put: func(m *csr.MemStore, ctx context.Context, name string, key crypto.Signer) error {
				return m.Put(ctx, strings.TrimSuffix(name, ".pem"), key)
			}}
		},
		"folds case in Get":              gettingBy(strings.ToLower), // MySQL's default collation
		"ignores trailing blanks in Get": gettingBy(func(name string) string { return strings.TrimRight(name, " ") }),
		"ends the name at a zero in Get": gettingBy(func(name string) string { return strings.Split(name, "\x00")[0] }),
		"compares 31 digits in Get": func() csr.KeyStore {
			var last string
			return &broken{
				put: func(m *csr.MemStore, ctx context.Context, name string, key crypto.Signer) error {
					err := m.Put(ctx, name, key)
					if err == nil {
						last = name
					}
					return err
				},
				get: func(m *csr.MemStore, ctx context.Context, name string) (crypto.Signer, error) {
					if last != "" && len(name) == len(last) && name[:31] == last[:31] {
						name = last
					}
					return m.Get(ctx, name)
				},
			}
		},
	},
	"NilKey": {
		"stores nil": func() csr.KeyStore { return new(careless) },
		"panics": func() csr.KeyStore {
			return &broken{put: func(_ *csr.MemStore, _ context.Context, _ string, key crypto.Signer) error {
				_ = key.Public()
				return errors.New("nil")
			}}
		},
		"accepts an ECDSA key without its scalar": func() csr.KeyStore {
			return &broken{put: func(m *csr.MemStore, ctx context.Context, name string, key crypto.Signer) error {
				if key, ok := key.(*ecdsa.PrivateKey); ok && key != nil {
					return nil
				}
				return m.Put(ctx, name, key)
			}}
		},
		"accepts an RSA key without its exponent": func() csr.KeyStore {
			return &broken{put: func(m *csr.MemStore, ctx context.Context, name string, key crypto.Signer) error {
				if key, ok := key.(*rsa.PrivateKey); ok && key != nil {
					return nil
				}
				return m.Put(ctx, name, key)
			}}
		},
		"panics in crypto/x509": func() csr.KeyStore {
			return &broken{put: func(m *csr.MemStore, ctx context.Context, name string, key crypto.Signer) error {
				if key, ok := key.(*ecdsa.PrivateKey); ok && key != nil {
					_, _ = x509.MarshalPKCS8PrivateKey(key)
				}
				return m.Put(ctx, name, key)
			}}
		},
	},
	"CanceledContext": {
		"does not check it": func() csr.KeyStore {
			return &broken{put: func(m *csr.MemStore, ctx context.Context, name string, key crypto.Signer) error {
				return m.Put(context.WithoutCancel(ctx), name, key)
			}}
		},
		"stores it before the error": func() csr.KeyStore {
			return &broken{put: func(m *csr.MemStore, ctx context.Context, name string, key crypto.Signer) error {
				return errors.Join(m.Put(context.WithoutCancel(ctx), name, key), ctx.Err())
			}}
		},
		"does not look, and says that there is none": func() csr.KeyStore {
			return &broken{get: func(m *csr.MemStore, ctx context.Context, name string) (crypto.Signer, error) {
				key, err := m.Get(ctx, name)
				if err != nil {
					return nil, fs.ErrNotExist
				}
				return key, nil
			}}
		},
	},
	"ForeignKey": {
		"forgets it": func() csr.KeyStore {
			return &broken{put: func(m *csr.MemStore, ctx context.Context, name string, key crypto.Signer) error {
				if _, ok := key.(*foreign); ok {
					return nil
				}
				return m.Put(ctx, name, key)
			}}
		},
		"returns another error": func() csr.KeyStore {
			return &broken{put: func(*csr.MemStore, context.Context, string, crypto.Signer) error { return errors.New("no") }}
		},
		"stores it before the error": func() csr.KeyStore {
			return &broken{put: func(m *csr.MemStore, ctx context.Context, name string, key crypto.Signer) error {
				return errors.Join(m.Put(ctx, name, key), errors.ErrUnsupported)
			}}
		},
	},
	"ManyKeysAtOnce": {
		"loses every second":      func() csr.KeyStore { return &lossy{meet: make(chan struct{})} },
		"refuses a second caller": func() csr.KeyStore { return &busy{meet: make(chan struct{})} },
	},
	"OneKeyAtOnce": {
		"checks, then stores":   func() csr.KeyStore { return &racy{meet: make(chan struct{})} },
		"returns another error": func() csr.KeyStore { return new(locked) },
	},
}

// meet waits for another caller, and reports whether this one came first. Tests
// call it an even number of times.
func meet(at chan struct{}) (first bool) {
	select {
	case at <- struct{}{}:
		return true
	case <-at:
		return false
	}
}

// racy checks whether it has a key, and stores it although another caller may
// have done the same meanwhile.
type racy struct {
	csr.MemStore
	meet chan struct{}
}

func (r *racy) Put(ctx context.Context, name string, key crypto.Signer) error {
	_, missing := r.Get(ctx, name)
	meet(r.meet)
	if err := r.MemStore.Put(ctx, name, key); missing == nil {
		return err
	}
	return nil
}

// busy refuses the second of two callers that come at the same time.
type busy struct {
	csr.MemStore
	meet chan struct{}
}

func (b *busy) Put(ctx context.Context, name string, key crypto.Signer) error {
	if meet(b.meet) {
		return b.MemStore.Put(ctx, name, key)
	}
	return errors.New("busy")
}

// lossy stores one of two keys that are put at the same time.
type lossy struct {
	csr.MemStore
	meet chan struct{}
}

func (l *lossy) Put(ctx context.Context, name string, key crypto.Signer) error {
	if meet(l.meet) {
		return l.MemStore.Put(ctx, name, key)
	}
	return nil
}

// locked has an error of its own for a key that exists.
type locked struct{ csr.MemStore }

func (l *locked) Put(ctx context.Context, name string, key crypto.Signer) error {
	if err := l.MemStore.Put(ctx, name, key); err != nil {
		return errors.New("locked")
	}
	return nil
}
