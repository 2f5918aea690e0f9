package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"time"
)

// serveArgument makes this program the service until its standard input ends.
const serveArgument = "serve"

// answer is the service's answer to a valid request. Its CSR is as long as a
// real one with two names.
var answer = `{"RequestId":"04F0F334-1335-436C-A1D7-6C044FE73368","CommonName":"example.com","Csr":"` +
	`-----BEGIN CERTIFICATE REQUEST-----\n` + strings.Repeat(strings.Repeat("Q", 64)+`\n`, 16) + `-----END CERTIFICATE REQUEST-----\n` +
	`","PubMd5":"5d41402abc4b2a76b9719d911017c592"}`

// shortAnswer is the service's answer to an operation that returns nothing
// else.
const shortAnswer = `{"RequestId":"04F0F334-1335-436C-A1D7-6C044FE73368"}`

// serve answers on a free port of loopback, whose URL it prints, until in ends.
func serve(in io.Reader, out io.Writer) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	var connections atomic.Int64
	srv := &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body) // a client that has gone is no error of the service
			if r.URL.Path == "/spent" {
				_, _ = fmt.Fprint(w, connections.Swap(0), " ", cpuTime().Nanoseconds())
				return
			}
			w.Header().Set("Content-Type", "application/json;charset=utf-8")
			if bytes.Contains(body, []byte(setAction)) {
				_, _ = io.WriteString(w, shortAnswer)
				return
			}
			_, _ = io.WriteString(w, answer)
		}),
		ConnState: func(_ net.Conn, state http.ConnState) {
			if state == http.StateNew {
				connections.Add(1)
			}
		},
	}
	ended := make(chan error, 1)
	go func() { ended <- srv.Serve(listener) }()
	if _, err := fmt.Fprintln(out, "http://"+listener.Addr().String()); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, in)
	err = errors.Join(err, srv.Close())
	if ending := <-ended; !errors.Is(ending, http.ErrServerClosed) {
		err = errors.Join(err, ending)
	}
	return err
}

// A server is the service in another process.
type server struct {
	url     string
	process *exec.Cmd
	stdin   io.Closer
}

func startServer() (*server, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	process := exec.Command(self, serveArgument)
	process.Stderr = os.Stderr
	stdin, err := process.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := process.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := process.Start(); err != nil {
		return nil, err
	}
	url, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		return nil, fmt.Errorf("the service did not start: %w", err)
	}
	return &server{url: strings.TrimSpace(url), process: process, stdin: stdin}, nil
}

// spent returns the number of connections that were opened since the last call,
// without its own, and the CPU time of the service since its start.
func (s *server) spent() (connections int, cpu time.Duration, err error) {
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Get(s.url + "/spent")
	if err != nil {
		return 0, 0, err
	}
	defer func() { _ = resp.Body.Close() }() // the body has been read
	_, err = fmt.Fscan(resp.Body, &connections, &cpu)
	return connections - 1, cpu, err
}

func (s *server) stop() error {
	return errors.Join(s.stdin.Close(), s.process.Wait())
}
