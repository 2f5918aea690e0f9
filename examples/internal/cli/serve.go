package cli

import (
	"context"
	"errors"
	"net"
	"net/http"
	"time"
)

// shutdownTimeout is how long requests that are under way may take when the program ends.
const shutdownTimeout = 30 * time.Second

// Serve serves on listener until ctx ends, and then until the requests under way are answered.
func Serve(ctx context.Context, server *http.Server, listener net.Listener) error {
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
	defer cancel()
	err := server.Shutdown(limited)
	if failure := <-failed; !errors.Is(failure, http.ErrServerClosed) {
		return failure
	}
	return err
}
