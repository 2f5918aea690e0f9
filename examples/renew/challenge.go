package main

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

// A solver proves to the CA that a name is ours. It is acmez.Solver under
// another name, so that every implementation of that fits.
type solver interface {
	Present(ctx context.Context, challenge acme.Challenge) error
	CleanUp(ctx context.Context, challenge acme.Challenge) error
}

// A waiter is a solver whose proofs take some time to be seen. It is
// acmez.Waiter.
type waiter interface {
	Wait(ctx context.Context, challenge acme.Challenge) error
}

// httpDir proves names by files in the web root of the origin, which the CDN
// passes on (http-01, RFC 8555 section 8.3).
type httpDir string

func (d httpDir) file(challenge acme.Challenge) string {
	return filepath.Join(string(d), filepath.FromSlash(challenge.HTTP01ResourcePath()))
}

func (d httpDir) Present(_ context.Context, challenge acme.Challenge) error {
	file := d.file(challenge)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	return os.WriteFile(file, []byte(challenge.KeyAuthorization), 0o644)
}

func (d httpDir) CleanUp(_ context.Context, challenge acme.Challenge) error {
	err := os.Remove(d.file(challenge))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// httpServer proves names by an HTTP server of its own, to which the origin's
// proxy passes /.well-known/acme-challenge/ (http-01).
type httpServer struct {
	mu     sync.Mutex
	proofs map[string]string // by path
}

func (s *httpServer) Present(_ context.Context, challenge acme.Challenge) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.proofs == nil {
		s.proofs = map[string]string{}
	}
	s.proofs[challenge.HTTP01ResourcePath()] = challenge.KeyAuthorization
	return nil
}

func (s *httpServer) CleanUp(_ context.Context, challenge acme.Challenge) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.proofs, challenge.HTTP01ResourcePath())
	return nil
}

func (s *httpServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	proof, ok := s.proofs[r.URL.Path]
	s.mu.Unlock()
	if !ok {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	_, _ = w.Write([]byte(proof)) // the CA reports what it did not get
}

// listen serves s on addr until ctx ends.
func (s *httpServer) listen(ctx context.Context, addr string, warn func(error)) error {
	listener, err := cli.Listen(ctx, addr)
	if err != nil {
		return err
	}
	go func() {
		if err := cli.Serve(ctx, &http.Server{Handler: s}, listener); err != nil {
			warn(err)
		}
	}()
	return nil
}
