// Service hands out certificate signing requests over HTTP, as a part of a larger system would:
//
//	service [-addr 127.0.0.1:8090] [-keys DIR] [-endpoint URL]
//
// POST /csrs/DOMAIN answers with a CSR for the domain and its www name, made by the CDN, or by this machine while the CDN can't.
// GET /healthz tells where the last CSR came from, GET /metrics counts. It serves whoever can reach it: put it behind
// what authenticates your callers. Credentials come from the environment. Interrupt it to end it; requests under way are
// answered first.
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

// readyKeys are RSA keys made ahead of time, for an outage that begins with a burst.
const readyKeys = 16

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second interrupt ends the program at once
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run is the program, until ctx ends; it returns the exit status.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	return cli.Exit("service", stderr, serve(ctx, args, stdout, stderr))
}

func serve(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("service", flag.ContinueOnError)
	addr := flags.String("addr", "127.0.0.1:8090", "`ADDRESS` to listen on")
	keys := flags.String("keys", "keys", "`DIR` of the private keys that this machine makes")
	endpoint := flags.String("endpoint", "", "`URL` of the CDN; empty is https://cdn.aliyuncs.com")
	if err := cli.Parse(flags, args, stdout); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return cli.Usagef("%q: takes flags only: write it behind its flag, such as -addr", flags.Arg(0))
	}
	pool, err := csr.NewPool(csr.RSA2048, readyKeys)
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
		return err // rather now than at each call
	}
	listener, err := cli.Listen(ctx, *addr)
	if err != nil {
		return err
	}
	log.Info("listening", "url", "http://"+listener.Addr().String())
	return cli.Serve(ctx, &http.Server{Handler: svc.routes()}, listener)
}
