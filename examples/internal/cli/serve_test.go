package cli

import (
	"context"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestServe_FinishesRequestsInProgress(t *testing.T) {
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	answer := make(chan struct{})
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		interrupt()
		<-answer
		_, _ = io.WriteString(w, "answered") // checked by the client below
	})}
	server.RegisterOnShutdown(func() { close(answer) })
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	served := make(chan error, 1)
	go func() { served <- Serve(ctx, server, listener) }()
	resp, err := http.Get("http://" + listener.Addr().String())
	require.NoError(t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	assert.Equal(t, "answered", string(body))
	require.NoError(t, <-served)
}

func TestServe_ReturnsTheListenersError(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, listener.Close())
	assert.ErrorIs(t, Serve(t.Context(), new(http.Server), listener), net.ErrClosed)
}

// pipeListener accepts one connection, which is a net.Pipe: a socket would stop
// the virtual time of a synctest bubble.
type pipeListener struct {
	conn   chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case conn := <-l.conn:
		return conn, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

func (l *pipeListener) Addr() net.Addr { return &net.TCPAddr{} }

// serveOne serves one connection until ctx ends. It returns the client's side
// of the connection, and a channel with the result of Serve.
func serveOne(ctx context.Context, handler http.HandlerFunc) (client net.Conn, served chan error) {
	client, server := net.Pipe()
	listener := &pipeListener{conn: make(chan net.Conn, 1), closed: make(chan struct{})}
	listener.conn <- server
	served = make(chan error, 1)
	go func() { served <- Serve(ctx, &http.Server{Handler: handler}, listener) }()
	return client, served
}

func TestServe_CutsOffRequestsAfterTheTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, interrupt := context.WithCancel(t.Context())
		started := make(chan struct{})
		client, served := serveOne(ctx, func(_ http.ResponseWriter, r *http.Request) {
			close(started)
			<-r.Context().Done()
		})
		_, err := io.WriteString(client, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
		require.NoError(t, err)
		<-started
		interrupt()
		require.ErrorContains(t, <-served, "were cut off")
		_, err = client.Read(make([]byte, 1))
		require.ErrorIs(t, err, io.EOF)
	})
}

func TestServe_DoesNotWaitForIdleClients(t *testing.T) {
	for name, sent := range map[string]string{
		"incomplete request":   "GET / HTTP/1.1\r\nHost:",
		"missing body":         "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n",
		"idle after a request": "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, interrupt := context.WithCancel(t.Context())
				client, served := serveOne(ctx, func(http.ResponseWriter, *http.Request) {})
				_, err := io.WriteString(client, sent)
				require.NoError(t, err)
				_, err = io.ReadAll(client) // until the server closes the connection
				require.NoError(t, err)
				interrupt()
				require.NoError(t, <-served)
			})
		})
	}
}
