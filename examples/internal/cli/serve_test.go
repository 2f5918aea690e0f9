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

func TestServe_AnswersWhatIsUnderWay(t *testing.T) {
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	answer := make(chan struct{})
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		interrupt()
		<-answer
		_, _ = io.WriteString(w, "answered") // the client below tells
	})}
	server.RegisterOnShutdown(func() { close(answer) })
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ended := make(chan error, 1)
	go func() { ended <- Serve(ctx, server, listener) }()
	resp, err := http.Get("http://" + listener.Addr().String())
	require.NoError(t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	assert.Equal(t, "answered", string(body))
	require.NoError(t, <-ended)
}

func TestServe_FailsWithItsListener(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, listener.Close())
	assert.ErrorIs(t, Serve(t.Context(), new(http.Server), listener), net.ErrClosed)
}

// pipeListener gives one connection, without a socket, so that a bubble's time goes on.
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

// serveOne serves one connection until ctx ends, and returns the client's end of it and what Serve returns.
func serveOne(ctx context.Context, handler http.HandlerFunc) (client net.Conn, ended chan error) {
	client, server := net.Pipe()
	listener := &pipeListener{conn: make(chan net.Conn, 1), closed: make(chan struct{})}
	listener.conn <- server
	ended = make(chan error, 1)
	go func() { ended <- Serve(ctx, &http.Server{Handler: handler}, listener) }()
	return client, ended
}

func TestServe_CutsOffWhatDoesNotEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, interrupt := context.WithCancel(t.Context())
		begun := make(chan struct{})
		client, ended := serveOne(ctx, func(_ http.ResponseWriter, r *http.Request) {
			close(begun)
			<-r.Context().Done()
		})
		_, err := io.WriteString(client, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
		require.NoError(t, err)
		<-begun
		interrupt()
		require.ErrorContains(t, <-ended, "were cut off")
		_, err = client.Read(make([]byte, 1))
		require.ErrorIs(t, err, io.EOF)
	})
}

func TestServe_WaitsForNoClient(t *testing.T) {
	for what, sent := range map[string]string{
		"a request cut short":     "GET / HTTP/1.1\r\nHost:",
		"a body that never comes": "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n",
		"no further request":      "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
	} {
		t.Run(what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, interrupt := context.WithCancel(t.Context())
				client, ended := serveOne(ctx, func(http.ResponseWriter, *http.Request) {})
				_, err := io.WriteString(client, sent)
				require.NoError(t, err)
				_, err = io.ReadAll(client) // until the server closes the connection
				require.NoError(t, err)
				interrupt()
				require.NoError(t, <-ended)
			})
		})
	}
}
