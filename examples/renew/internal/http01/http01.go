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

// Check returns an error if d is no folder in which proofs can be written.
func (d Dir) Check() error {
	folder, err := d.folder()
	if err != nil {
		return err
	}
	probe, err := os.CreateTemp(folder, "check-")
	if err != nil {
		return err
	}
	return errors.Join(probe.Close(), os.Remove(probe.Name()))
}

// folder returns the folder of the proofs and makes it if need be, but not the
// web root: nobody would serve it. The web server may run as another user, so
// what is made can be read by all whatever the umask.
func (d Dir) folder() (string, error) {
	path := string(d)
	for _, name := range []string{".well-known", "acme-challenge"} {
		path = filepath.Join(path, name)
		err := os.Mkdir(path, 0o755)
		if err == nil {
			err = os.Chmod(path, 0o755)
		}
		if err != nil && !errors.Is(err, fs.ErrExist) {
			return "", err
		}
	}
	return path, nil
}

func (d Dir) file(challenge acme.Challenge) string {
	return filepath.Join(string(d), filepath.FromSlash(challenge.HTTP01ResourcePath()))
}

// Present writes the file. The web root must exist.
func (d Dir) Present(_ context.Context, challenge acme.Challenge) error {
	if _, err := d.folder(); err != nil {
		return err
	}
	file := d.file(challenge)
	if err := os.WriteFile(file, []byte(challenge.KeyAuthorization), 0o644); err != nil {
		return err
	}
	return os.Chmod(file, 0o644)
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
