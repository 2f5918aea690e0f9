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
	readTimeout     = 10 * time.Second // of a request
	idleTimeout     = time.Minute      // between two of a connection
	shutdownTimeout = 30 * time.Second // for requests that are under way when the program ends
)

// Listen listens on the address of a flag -addr.
func Listen(ctx context.Context, addr string) (net.Listener, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("%w: name another address by -addr", err)
	}
	return listener, nil
}

// Serve serves on listener until ctx ends, and then until the requests under way are answered. It sets the server's time-outs.
func Serve(ctx context.Context, server *http.Server, listener net.Listener) error {
	server.ReadTimeout, server.IdleTimeout = readTimeout, idleTimeout
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
	if errors.Is(err, context.DeadlineExceeded) {
		err = errors.Join(fmt.Errorf("requests were under way %s after the end was asked for: they were cut off", shutdownTimeout), server.Close())
	}
	if failure := <-failed; !errors.Is(failure, http.ErrServerClosed) {
		return failure
	}
	return err
}
