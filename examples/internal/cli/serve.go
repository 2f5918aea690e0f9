package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"
)

const (
	readTimeout     = 10 * time.Second // to read a request
	idleTimeout     = time.Minute      // between two requests on a connection
	shutdownTimeout = 30 * time.Second // for the requests in progress at the end
)

// Listen listens on a TCP address, the value of the flag -addr.
func Listen(ctx context.Context, addr string) (net.Listener, error) {
	return new(net.ListenConfig).Listen(ctx, "tcp", addr)
}

// Serve serves on listener until ctx ends, and then waits up to 30 s for the
// requests in progress. It sets the server's timeouts.
func Serve(ctx context.Context, server *http.Server, listener net.Listener) error {
	server.ReadTimeout, server.IdleTimeout = readTimeout, idleTimeout
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	shutdownCtx, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
	defer cancel()
	err := server.Shutdown(shutdownCtx)
	if errors.Is(err, context.DeadlineExceeded) {
		err = errors.Join(fmt.Errorf("requests still in progress after %s were cut off", shutdownTimeout), server.Close())
	}
	if failure := <-failed; !errors.Is(failure, http.ErrServerClosed) {
		return failure
	}
	return err
}
