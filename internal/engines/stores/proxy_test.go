package stores_test

import (
	"bytes"
	"net"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// A place is where a proxy cuts a connection.
type place int

const (
	beforeItIsSent place = iota // the engine never sees the statement
	afterItIsSent               // the engine may execute it, before or after the client has looked
	atTheAnswer                 // the engine has executed it
)

var places = map[string]place{
	"before it is sent": beforeItIsSent, "after it is sent": afterItIsSent, "at the answer": atTheAnswer,
}

// A proxy passes TCP connections on to an engine and cuts one on demand.
type proxy struct {
	listener net.Listener
	engine   string // its address
	wait     sync.WaitGroup

	mu    sync.Mutex
	conns map[net.Conn]bool
	text  []byte // the first message that has it is cut; nil: none
	place place
}

// newProxy starts a proxy until the test ends.
func newProxy(t testing.TB, engine string) *proxy {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	p := &proxy{listener: listener, engine: engine, conns: make(map[net.Conn]bool)}
	p.wait.Go(p.serve)
	t.Cleanup(func() {
		_ = listener.Close() // nothing is pending
		p.closeAll()
		p.wait.Wait()
	})
	return p
}

func (p *proxy) addr() string { return p.listener.Addr().String() }

// cut makes p cut the connection whose client next sends text.
func (p *proxy) cut(text string, at place) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.text, p.place = []byte(text), at
}

// hasCut reports whether what cut asked for has happened.
func (p *proxy) hasCut() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text == nil
}

// found reports whether this message is to be cut, and where; it is so once.
func (p *proxy) found(message []byte) (at place, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.text == nil || !bytes.Contains(message, p.text) {
		return 0, false
	}
	p.text = nil
	return p.place, true
}

func (p *proxy) serve() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", p.engine)
		if err != nil {
			_ = client.Close() // as the engine does
			continue
		}
		p.add(client, server)
		link := &link{proxy: p, client: client, server: server}
		p.wait.Go(link.requests)
		p.wait.Go(link.answers)
	}
}

func (p *proxy) add(conns ...net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, conn := range conns {
		p.conns[conn] = true
	}
}

func (p *proxy) closeAll() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for conn := range p.conns {
		_ = conn.Close() // it may be closed
	}
}

// A link is one connection through a proxy.
type link struct {
	proxy          *proxy
	client, server net.Conn

	mu       sync.Mutex
	deafened bool // what the engine answers is not passed on
}

func (l *link) close() {
	_ = l.client.Close() // both may be closed
	_ = l.server.Close()
}

// requests passes on what the client sends.
func (l *link) requests() {
	defer l.close()
	buffer := make([]byte, 1<<17)
	for {
		n, err := l.client.Read(buffer)
		if err != nil {
			return
		}
		at, cut := l.proxy.found(buffer[:n])
		if cut && at == beforeItIsSent {
			return
		}
		if cut && at == atTheAnswer {
			l.deafen()
		}
		if _, err := l.server.Write(buffer[:n]); err != nil {
			return
		}
		if cut && at == afterItIsSent {
			return
		}
	}
}

func (l *link) deafen() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.deafened = true
}

func (l *link) isDeafened() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.deafened
}

// answers passes on what the engine sends.
func (l *link) answers() {
	defer l.close()
	buffer := make([]byte, 1<<17)
	for {
		n, err := l.server.Read(buffer)
		if err != nil || l.isDeafened() {
			return
		}
		if _, err := l.client.Write(buffer[:n]); err != nil {
			return
		}
	}
}
