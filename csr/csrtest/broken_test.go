package csrtest

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"sync"

	"github.com/cdncsr/cdncsr/csr"
)

// broken is a store that does one thing wrong; the rest is MemStore's.
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

// careless keeps any key under any name, as a bare map does.
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

// mute has the public part of a key and can't sign.
type mute struct{ pub crypto.PublicKey }

func (m mute) Public() crypto.PublicKey { return m.pub }

func (m mute) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) {
	return nil, errors.New("mute")
}

// brokenStores are stores by the check that must find them out.
var brokenStores = map[string]map[string]func() csr.KeyStore{
	"PutThenGet": {
		"keeps nothing": func() csr.KeyStore {
			return &broken{put: func(*csr.MemStore, context.Context, string, crypto.Signer) error { return nil }}
		},
		"refuses RSA": func() csr.KeyStore {
			return &broken{put: func(m *csr.MemStore, ctx context.Context, name string, key crypto.Signer) error {
				if strings.Contains(fmt.Sprintf("%T", key), "rsa") {
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
		"no error": func() csr.KeyStore {
			return &broken{get: func(m *csr.MemStore, ctx context.Context, name string) (crypto.Signer, error) {
				key, _ := m.Get(ctx, name)
				return key, nil
			}}
		},
		"another error": func() csr.KeyStore {
			return &broken{get: func(m *csr.MemStore, ctx context.Context, name string) (crypto.Signer, error) {
				key, err := m.Get(ctx, name)
				if err != nil {
					return nil, errors.New("no such key")
				}
				return key, nil
			}}
		},
		"any key will do": func() csr.KeyStore {
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
		"no error": func() csr.KeyStore {
			return &broken{put: func(m *csr.MemStore, ctx context.Context, name string, key crypto.Signer) error {
				if err := m.Put(ctx, name, key); !errors.Is(err, fs.ErrExist) {
					return err
				}
				return nil
			}}
		},
		"another error": func() csr.KeyStore {
			return &broken{put: func(m *csr.MemStore, ctx context.Context, name string, key crypto.Signer) error {
				if m.Put(ctx, name, key) != nil {
					return errors.New("there is one")
				}
				return nil
			}}
		},
		"rollback deletes the good key": func() csr.KeyStore { // certmagic
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
		"any name will do": func() csr.KeyStore { return new(careless) },
		"keeps it all the same": func() csr.KeyStore {
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
		"cuts the name": func() csr.KeyStore {
			return &broken{put: func(m *csr.MemStore, ctx context.Context, name string, key crypto.Signer) error {
				return m.Put(ctx, strings.TrimSuffix(name, ".pem"), key)
			}}
		},
	},
	"NilKey": {
		"keeps nil": func() csr.KeyStore { return new(careless) },
		"panics": func() csr.KeyStore {
			return &broken{put: func(_ *csr.MemStore, _ context.Context, _ string, key crypto.Signer) error {
				_ = key.Public()
				return errors.New("nil")
			}}
		},
	},
	"EndedContext": {
		"does not look": func() csr.KeyStore {
			return &broken{put: func(m *csr.MemStore, ctx context.Context, name string, key crypto.Signer) error {
				return m.Put(context.WithoutCancel(ctx), name, key)
			}}
		},
		"keeps it all the same": func() csr.KeyStore {
			return &broken{put: func(m *csr.MemStore, ctx context.Context, name string, key crypto.Signer) error {
				return errors.Join(m.Put(context.WithoutCancel(ctx), name, key), ctx.Err())
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
		"another error": func() csr.KeyStore {
			return &broken{put: func(*csr.MemStore, context.Context, string, crypto.Signer) error { return errors.New("no") }}
		},
		"unsupported, and kept": func() csr.KeyStore {
			return &broken{put: func(m *csr.MemStore, ctx context.Context, name string, key crypto.Signer) error {
				return errors.Join(m.Put(ctx, name, key), errors.ErrUnsupported)
			}}
		},
	},
	"ManyKeysAtOnce": {
		"loses every second":          func() csr.KeyStore { return newPairs() },
		"one at a time or not at all": func() csr.KeyStore { return &busy{meet: make(chan struct{})} },
	},
	"OneKeyAtOnce": {
		"looks, then keeps": func() csr.KeyStore { return &hasty{meet: make(chan struct{})} },
		"another error":     func() csr.KeyStore { return new(locked) },
	},
}

// meet waits for another caller, and tells which of the two comes first. Tests call it an even number of times.
func meet(at chan struct{}) (first bool) {
	select {
	case at <- struct{}{}:
		return true
	case <-at:
		return false
	}
}

// hasty looks whether a key is there, and keeps it when another may have done the same.
type hasty struct {
	csr.MemStore
	meet chan struct{}
}

func (h *hasty) Put(ctx context.Context, name string, key crypto.Signer) error {
	_, missing := h.Get(ctx, name)
	meet(h.meet)
	if err := h.MemStore.Put(ctx, name, key); missing == nil {
		return err
	}
	return nil
}

// busy refuses whoever comes at the same time as another.
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

// pairs keeps one key of each two.
type pairs struct {
	csr.MemStore
	meet chan struct{}
}

func newPairs() *pairs { return &pairs{meet: make(chan struct{})} }

func (p *pairs) Put(ctx context.Context, name string, key crypto.Signer) error {
	if meet(p.meet) {
		return p.MemStore.Put(ctx, name, key)
	}
	return nil
}

// locked calls a key that is there an error of its own.
type locked struct{ csr.MemStore }

func (l *locked) Put(ctx context.Context, name string, key crypto.Signer) error {
	if err := l.MemStore.Put(ctx, name, key); err != nil {
		return errors.New("locked")
	}
	return nil
}
