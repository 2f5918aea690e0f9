// Fakecdn serves a fake of the CDN on this machine, its API and its edge, for
// clients in any language:
//
//	fakecdn [-addr 127.0.0.1:0] [-access-key-id testid] [-access-key-secret testsecret] [-security-token T]
//	        [-key-type rsa-2048] [-domain NAME ...]
//	        [-edge ADDR] [-edge-http ADDR] [-edge-delay TIME] [-origin URL]
//
// Its first line on stdout is "listening on http://HOST:PORT". With -edge the
// next one is "edge on HOST:PORT", and with -edge-http the last one is "edge
// HTTP on HOST:PORT".
//
// Fakecdn logs each request to the API as a line on stderr, without secrets. On
// an interrupt it finishes the requests in progress and exits. The exit status
// is 0 for success, 1 for a failure and 2 for wrong usage.
package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"

	"github.com/cdncsr/cdncsr/cdn/cdntest"
	"github.com/cdncsr/cdncsr/examples/internal/cli"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second interrupt ends the program at once
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run runs the program until ctx ends and returns its exit status.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	return cli.Exit("fakecdn", stderr, serve(ctx, args, stdout, stderr))
}

func serve(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	c, err := parse(args, stdout)
	if err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(stderr, nil))
	c.api.OnRequest = func(r cdntest.Request) { logRequest(log, r) }
	sites, err := listen(ctx, c)
	if err != nil {
		return err
	}
	for _, s := range sites {
		if _, err := fmt.Fprintln(stdout, s.announce); err != nil {
			return errors.Join(err, closeAll(sites))
		}
	}
	return serveAll(ctx, sites, log)
}

// A site is a handler on a listener.
type site struct {
	announce string // its line on stdout
	listener net.Listener
	handler  http.Handler
}

// listen opens every listener of the command line. If one fails, it closes the
// others.
func listen(ctx context.Context, c *config) (sites []site, err error) {
	for _, want := range []struct {
		flag, addr, prefix string
		handler            http.Handler
	}{
		{"addr", c.addr, "listening on http://", c.api},
		{"edge", c.edgeAddr, "edge on ", c.origin},
		{"edge-http", c.edgeHTTPAddr, "edge HTTP on ", c.origin},
	} {
		if want.addr == "" {
			continue
		}
		listener, err := new(net.ListenConfig).Listen(ctx, "tcp", want.addr)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("-%s: %w", want.flag, err), closeAll(sites))
		}
		s := site{want.prefix + listener.Addr().String(), listener, want.handler}
		if want.flag == "edge" {
			s.listener = tls.NewListener(listener, c.edge.TLSConfig())
		}
		sites = append(sites, s)
	}
	return sites, nil
}

func closeAll(sites []site) error {
	var errs []error
	for _, s := range sites {
		errs = append(errs, s.listener.Close())
	}
	return errors.Join(errs...)
}

// serveAll serves the sites until ctx ends or one of them fails.
func serveAll(ctx context.Context, sites []site, log *slog.Logger) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	results := make(chan error, len(sites))
	for _, s := range sites {
		server := &http.Server{Handler: s.handler, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn)}
		go func() { results <- cli.Serve(ctx, server, s.listener) }()
	}
	var errs []error
	for range sites {
		errs = append(errs, <-results)
		stop()
	}
	return errors.Join(errs...)
}

// logRequest logs a request in one line. A Request contains no secret.
func logRequest(log *slog.Logger, r cdntest.Request) {
	attrs := []any{"method", r.Method, "signature", r.Signature, "action", r.Action}
	for _, p := range []struct{ param, key string }{
		{"CommonName", "common_name"}, {"SANs", "sans"}, {"DomainName", "domain"},
	} {
		if value, ok := r.Params[p.param]; ok {
			attrs = append(attrs, p.key, value)
		}
	}
	log.Info("request", append(attrs, "status", r.StatusCode, "code", r.Code, "request_id", r.RequestId)...)
	if r.SecretInURL {
		log.Warn("a private key came in the URL, where proxies and servers log it", "request_id", r.RequestId)
	}
}
