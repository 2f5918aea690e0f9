package csrtest

import (
	"context"
	"errors"
	"io/fs"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/cdncsr/cdncsr/csr/sealed"
)

func TestTestBlobStore_GoodStore(t *testing.T) {
	TestBlobStore(t, func(*testing.T) sealed.BlobStore { return new(mapBlobs) })
}

func TestTestBlobStore_FindsBrokenStores(t *testing.T) {
	for _, check := range blobChecks {
		assert.NotEmpty(t, brokenBlobStores[check.name], "no broken store for %s", check.name)
		for name, newStore := range brokenBlobStores[check.name] {
			broken := newStore()
			err := guard(func() error { return check.run(t.Context(), broken) })
			assert.Error(t, err, "%s: a store that %s passes", check.name, name)
			assert.NoError(t, check.run(t.Context(), new(mapBlobs)), check.name)
		}
	}
	assert.Len(t, brokenBlobStores, len(blobChecks))
}

// mapBlobs is a good store.
type mapBlobs struct {
	mu    sync.Mutex
	blobs map[string]string
}

func (m *mapBlobs) Put(ctx context.Context, name string, blob []byte) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return m.add(name, string(blob))
}

func (m *mapBlobs) add(name, blob string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := m.blobs[name]; ok {
		return fs.ErrExist
	}
	m.set(name, blob)
	return nil
}

// set replaces; m.mu is locked.
func (m *mapBlobs) set(name, blob string) {
	if m.blobs == nil {
		m.blobs = make(map[string]string)
	}
	m.blobs[name] = blob
}

func (m *mapBlobs) Get(ctx context.Context, name string) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	blob, ok := m.blobs[name]
	if !ok {
		return nil, fs.ErrNotExist
	}
	return []byte(blob), nil
}

// brokenBlobs is a store that does one thing wrong; the rest is mapBlobs'.
type brokenBlobs struct {
	mapBlobs
	put func(m *mapBlobs, ctx context.Context, name string, blob []byte) error
	get func(m *mapBlobs, ctx context.Context, name string) ([]byte, error)
}

func (b *brokenBlobs) Put(ctx context.Context, name string, blob []byte) error {
	if b.put != nil {
		return b.put(&b.mapBlobs, ctx, name, blob)
	}
	return b.mapBlobs.Put(ctx, name, blob)
}

func (b *brokenBlobs) Get(ctx context.Context, name string) ([]byte, error) {
	if b.get != nil {
		return b.get(&b.mapBlobs, ctx, name)
	}
	return b.mapBlobs.Get(ctx, name)
}

// keeping is a store that keeps something else than the blob.
func keeping(change func(blob string) string) func() sealed.BlobStore {
	return func() sealed.BlobStore {
		return &brokenBlobs{put: func(m *mapBlobs, _ context.Context, name string, blob []byte) error {
			return m.add(name, change(string(blob)))
		}}
	}
}

// gettingNear returns a function that makes a store whose Get compares only a
// part of the names.
func gettingNear(part func(name string) string) func() sealed.BlobStore {
	return func() sealed.BlobStore {
		full := make(map[string]string)
		return &brokenBlobs{
			put: func(m *mapBlobs, ctx context.Context, name string, blob []byte) error {
				full[part(name)] = name
				return m.Put(ctx, name, blob)
			},
			get: func(m *mapBlobs, ctx context.Context, name string) ([]byte, error) {
				return m.Get(ctx, full[part(name)])
			},
		}
	}
}

// brokenBlobStores are stores by the check that must find them out.
var brokenBlobStores = map[string]map[string]func() sealed.BlobStore{
	"PutThenGet": {
		"keeps nothing": func() sealed.BlobStore {
			return &brokenBlobs{put: func(*mapBlobs, context.Context, string, []byte) error { return nil }}
		},
		"keeps 16 bytes":       keeping(func(b string) string { return b[:min(len(b), 16)] }), // INSERT IGNORE
		"keeps 1,024 bytes":    keeping(func(b string) string { return b[:min(len(b), 1024)] }),
		"ends at a zero":       keeping(func(b string) string { b, _, _ = strings.Cut(b, "\x00"); return b }),
		"trims spaces":         keeping(func(b string) string { return strings.Trim(b, " ") }),
		"makes it UTF-8":       keeping(func(b string) string { return strings.ToValidUTF8(b, "\ufffd") }),
		"reads \\x":            keeping(func(b string) string { return strings.TrimPrefix(b, `\x`) }),
		"normalizes line ends": keeping(func(b string) string { return strings.ReplaceAll(b, "\r\n", "\n") }),
	},
	"MissingBlob": {
		"no error": func() sealed.BlobStore {
			return &brokenBlobs{get: func(m *mapBlobs, ctx context.Context, name string) ([]byte, error) {
				blob, _ := m.Get(ctx, name)
				return blob, nil
			}}
		},
		"another error": func() sealed.BlobStore {
			return &brokenBlobs{get: func(m *mapBlobs, ctx context.Context, name string) ([]byte, error) {
				blob, err := m.Get(ctx, name)
				if err != nil {
					return nil, errors.New("no rows")
				}
				return blob, nil
			}}
		},
		"any blob will do": func() sealed.BlobStore {
			var last string
			return &brokenBlobs{
				put: func(m *mapBlobs, ctx context.Context, name string, blob []byte) error {
					last = name
					return m.Put(ctx, name, blob)
				},
				get: func(m *mapBlobs, ctx context.Context, _ string) ([]byte, error) { return m.Get(ctx, last) },
			}
		},
	},
	"OtherName": {
		"compares the first eight digits in Get": gettingNear(func(name string) string { return name[:8] }),
		"compares the last eight digits in Get":  gettingNear(func(name string) string { return name[24:] }),
		"has a unique index over the first 31 digits": func() sealed.BlobStore {
			taken := make(map[string]bool)
			return &brokenBlobs{put: func(m *mapBlobs, ctx context.Context, name string, blob []byte) error {
				if taken[name[:31]] {
					return fs.ErrExist
				}
				taken[name[:31]] = true
				return m.Put(ctx, name, blob)
			}}
		},
		"keeps one blob for names that begin alike": func() sealed.BlobStore {
			return &brokenBlobs{
				put: func(m *mapBlobs, ctx context.Context, name string, blob []byte) error {
					for kept := range m.blobs {
						if kept[:31] == name[:31] && kept != name {
							return replace(m, ctx, kept, blob)
						}
					}
					return m.Put(ctx, name, blob)
				},
			}
		},
	},
	"NeverReplaces": {
		"replaces": func() sealed.BlobStore { return &brokenBlobs{put: replace} },
		"replaces, and says so": func() sealed.BlobStore {
			return &brokenBlobs{put: func(m *mapBlobs, ctx context.Context, name string, blob []byte) error {
				if _, err := m.Get(ctx, name); err != nil {
					return m.Put(ctx, name, blob)
				}
				return errors.Join(replace(m, ctx, name, blob), fs.ErrExist)
			}}
		},
		"no error": func() sealed.BlobStore { // INSERT … ON CONFLICT DO NOTHING
			return &brokenBlobs{put: func(m *mapBlobs, ctx context.Context, name string, blob []byte) error {
				_ = m.Put(ctx, name, blob)
				return nil
			}}
		},
		"takes the same blob for its own": func() sealed.BlobStore {
			return &brokenBlobs{put: func(m *mapBlobs, ctx context.Context, name string, blob []byte) error {
				if kept, err := m.Get(ctx, name); err == nil && string(kept) == string(blob) {
					return nil
				}
				return m.Put(ctx, name, blob)
			}}
		},
		"another error": func() sealed.BlobStore {
			return &brokenBlobs{put: func(m *mapBlobs, ctx context.Context, name string, blob []byte) error {
				if m.Put(ctx, name, blob) != nil {
					return errors.New("duplicate key")
				}
				return nil
			}}
		},
	},
	"Copies": {
		"keeps the caller's slice": func() sealed.BlobStore { return &sharing{keepsCallers: true} },
		"returns its own slice":    func() sealed.BlobStore { return new(sharing) },
		"clears the caller's slice": func() sealed.BlobStore {
			return &brokenBlobs{put: func(m *mapBlobs, ctx context.Context, name string, blob []byte) error {
				defer clear(blob)
				return m.Put(ctx, name, blob)
			}}
		},
	},
	"EndedContext": {
		"keeps it all the same": func() sealed.BlobStore {
			return &brokenBlobs{put: func(m *mapBlobs, ctx context.Context, name string, blob []byte) error {
				return errors.Join(m.add(name, string(blob)), ctx.Err())
			}}
		},
		"says that it kept it": func() sealed.BlobStore {
			return &brokenBlobs{put: func(m *mapBlobs, ctx context.Context, name string, blob []byte) error {
				_ = m.Put(ctx, name, blob)
				return nil
			}}
		},
		"says that there is one": func() sealed.BlobStore {
			return &brokenBlobs{put: func(m *mapBlobs, ctx context.Context, name string, blob []byte) error {
				if m.Put(ctx, name, blob) != nil {
					return fs.ErrExist
				}
				return nil
			}}
		},
		"does not look, and says that there is none": func() sealed.BlobStore {
			return &brokenBlobs{get: func(m *mapBlobs, ctx context.Context, name string) ([]byte, error) {
				blob, err := m.Get(ctx, name)
				if err != nil {
					return nil, fs.ErrNotExist
				}
				return blob, nil
			}}
		},
	},
	"ManyBlobsAtOnce": {
		"refuses every second": func() sealed.BlobStore { return newMeeting(errors.New("busy")) },
		"loses every second":   func() sealed.BlobStore { return newMeeting(nil) },
	},
	"OneNameAtOnce": {
		"looks, then keeps": func() sealed.BlobStore { return &hastyBlobs{meet: make(chan struct{})} },
		"another error":     func() sealed.BlobStore { return newMeeting(errors.New("deadlock")) },
		"refuses all":       func() sealed.BlobStore { return &brokenBlobs{put: refuse} },
		"the last one's stays": func() sealed.BlobStore {
			return &brokenBlobs{put: func(m *mapBlobs, ctx context.Context, name string, blob []byte) error {
				err := m.Put(ctx, name, blob)
				if err != nil {
					return errors.Join(err, replace(m, ctx, name, blob))
				}
				return nil
			}}
		},
	},
}

func refuse(*mapBlobs, context.Context, string, []byte) error { return fs.ErrExist }

func replace(m *mapBlobs, _ context.Context, name string, blob []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.set(name, string(blob))
	return nil
}

// sharing shares memory with its callers.
type sharing struct {
	keepsCallers bool
	blobs        map[string][]byte
}

func (s *sharing) Put(_ context.Context, name string, blob []byte) error {
	if !s.keepsCallers {
		blob = append([]byte{}, blob...)
	}
	s.blobs = map[string][]byte{name: blob}
	return nil
}

func (s *sharing) Get(_ context.Context, name string) ([]byte, error) {
	if s.keepsCallers {
		return append([]byte{}, s.blobs[name]...), nil
	}
	return s.blobs[name], nil
}

// meeting does not keep what comes at the same time as another.
type meeting struct {
	mapBlobs
	meet   chan struct{}
	second error
}

func newMeeting(second error) *meeting { return &meeting{meet: make(chan struct{}), second: second} }

func (m *meeting) Put(ctx context.Context, name string, blob []byte) error {
	if meet(m.meet) {
		return m.mapBlobs.Put(ctx, name, blob)
	}
	return m.second
}

// hastyBlobs looks whether a blob is there, and keeps it when another may have
// done the same.
type hastyBlobs struct {
	mapBlobs
	meet chan struct{}
}

func (h *hastyBlobs) Put(ctx context.Context, name string, blob []byte) error {
	_, missing := h.Get(ctx, name)
	meet(h.meet)
	if missing == nil {
		return fs.ErrExist
	}
	return replace(&h.mapBlobs, ctx, name, blob)
}
