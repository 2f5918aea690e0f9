// Service makes certificate signing requests over HTTP, as a component of a
// larger system would:
//
//	service [-addr 127.0.0.1:8090] [-keys DIR] [-endpoint URL]
//
// POST /csrs/DOMAIN returns a CSR for the domain and its www name. The CDN
// makes it, or this machine while the CDN is unavailable. GET /healthz reports
// where the last CSR came from, and GET /metrics returns counters.
//
// Service reads its credentials from the environment. It does not authenticate
// its callers; run it behind a server that does. On an interrupt it finishes
// the requests in progress and exits.
package main

import (
	"context"
	"flag"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"syscall"

	"github.com/cdncsr/cdncsr/cdn"
	"github.com/cdncsr/cdncsr/csr"
	"github.com/cdncsr/cdncsr/examples/internal/cli"
)

// poolSize is the number of RSA keys made in advance, for the burst of requests
// at the beginning of an outage.
const poolSize = 16

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second interrupt ends the program at once
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run runs the program until ctx ends and returns its exit status.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	return cli.Exit("service", stderr, serve(ctx, args, stdout, stderr))
}

func serve(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("service", flag.ContinueOnError)
	addr := flags.String("addr", "127.0.0.1:8090", "listen on `ADDRESS`")
	keys := flags.String("keys", "keys", "`DIR` for the private keys made on this machine")
	endpoint := flags.String("endpoint", "", "`URL` of the CDN (default https://cdn.aliyuncs.com)")
	if err := cli.Parse(flags, args, stdout); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return cli.Usagef("unexpected argument %q", flags.Arg(0))
	}
	pool, err := csr.NewPool(csr.RSA2048, poolSize)
	if err != nil {
		return err
	}
	defer func() { _ = pool.Close() }() // always nil
	log := slog.New(slog.NewTextHandler(stderr, nil))
	local := &csr.Generator{Keys: csr.DirStore{Path: *keys}, Source: pool}
	creds := cdn.EnvCredentials()
	svc, err := newService(creds, &cdn.Options{Endpoint: *endpoint, UserAgent: "service-example"}, local, log)
	if err != nil {
		return cli.Usagef("%w", err)
	}
	if _, err = creds.Credentials(ctx); err != nil {
		return err // now rather than at each call
	}
	listener, err := cli.Listen(ctx, *addr)
	if err != nil {
		return err
	}
	log.Info("listening", "url", "http://"+listener.Addr().String())
	return cli.Serve(ctx, &http.Server{Handler: svc.routes()}, listener)
}
