// Package http01 proves names by files below /.well-known/acme-challenge/ of
// the origin, which the CDN passes on (http-01, RFC 8555 section 8.3).
package http01

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"sync"

	"github.com/mholt/acmez/v3/acme"

	"github.com/cdncsr/cdncsr/examples/internal/cli"
)

// A Dir is the web root of the origin. Its proofs are files in it. It
// implements acmez.Solver, and is safe for concurrent use.
type Dir string

func (d Dir) file(challenge acme.Challenge) string {
	return filepath.Join(string(d), filepath.FromSlash(challenge.HTTP01ResourcePath()))
}

// Present writes the file. The web root must exist.
func (d Dir) Present(_ context.Context, challenge acme.Challenge) error {
	if _, err := os.Stat(string(d)); err != nil {
		return err
	}
	file := d.file(challenge)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	return os.WriteFile(file, []byte(challenge.KeyAuthorization), 0o644)
}

// CleanUp removes the file. It is no error if there is none.
func (d Dir) CleanUp(_ context.Context, challenge acme.Challenge) error {
	err := os.Remove(d.file(challenge))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// A Handler serves its proofs to the origin's proxy, which passes
// /.well-known/acme-challenge/ on. It implements acmez.Solver, and is safe for
// concurrent use.
type Handler struct {
	Addr   string   // the TCP address that it listens on; none if empty
	proofs sync.Map // of string, by path
}

// Listen serves h until ctx ends or stop is called, which waits for the end. If
// it can't go on before, it calls logf.
func (h *Handler) Listen(ctx context.Context, logf func(format string, args ...any)) (stop func(), err error) {
	if h.Addr == "" {
		return func() {}, nil
	}
	listener, err := cli.Listen(ctx, h.Addr)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	var served sync.WaitGroup
	served.Go(func() {
		if err := cli.Serve(ctx, &http.Server{Handler: h}, listener); err != nil {
			logf("%s: %v", h.Addr, err)
		}
	})
	return func() { cancel(); served.Wait() }, nil
}

// Present serves the proof from now on.
func (h *Handler) Present(_ context.Context, challenge acme.Challenge) error {
	h.proofs.Store(challenge.HTTP01ResourcePath(), challenge.KeyAuthorization)
	return nil
}

// CleanUp ends that.
func (h *Handler) CleanUp(_ context.Context, challenge acme.Challenge) error {
	h.proofs.Delete(challenge.HTTP01ResourcePath())
	return nil
}

// ServeHTTP implements http.Handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	proof, ok := h.proofs.Load(r.URL.Path)
	if !ok {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	_, _ = w.Write([]byte(proof.(string))) // the CA reports what it did not get
}
