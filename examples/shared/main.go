// Shared hands out certificate signing requests over HTTP, on as many machines
// as it runs on:
//
//	shared create-table
//	shared serve
//
// Private keys are sealed in PostgreSQL, where each process finds those of the
// others, and the calls of all processes share one limit in Redis.
//
// POST /csrs/DOMAIN returns a CSR for the domain, made by the CDN or, while the
// CDN can't serve, by this process. GET /keys/PUBMD5 shows the public half of a
// key that a process has made. The environment configures it; see README.md.
// Put it behind what authenticates your callers.
package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	"github.com/redis/go-redis/v9"

	"github.com/cdncsr/cdncsr/cdn"
	"github.com/cdncsr/cdncsr/cdn/sharedlimit"
	"github.com/cdncsr/cdncsr/csr"
	"github.com/cdncsr/cdncsr/csr/sealed"
	"github.com/cdncsr/cdncsr/csr/sqlstore"
)

const (
	readTimeout     = 10 * time.Second
	shutdownTimeout = 30 * time.Second // for requests under way
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Getenv, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "shared:", err)
		os.Exit(1)
	}
}

// run does what the command line says.
func run(ctx context.Context, args []string, getenv func(string) string, stderr io.Writer) error {
	if len(args) != 1 || args[0] != "serve" && args[0] != "create-table" {
		return errors.New("usage: shared serve | shared create-table")
	}
	c, err := readConfig(getenv)
	if err != nil {
		return err
	}
	db, err := sql.Open("pgx", c.databaseURL)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }() // the program ends
	table := &sqlstore.Table{DB: db, Dialect: sqlstore.Postgres}
	if args[0] == "create-table" {
		return table.Create(ctx)
	}
	return serve(ctx, c, table, slog.New(slog.NewTextHandler(stderr, nil)))
}

// serve serves until ctx ends.
func serve(ctx context.Context, c *config, table *sqlstore.Table, log *slog.Logger) error {
	if err := table.Check(ctx); err != nil { // a database that may lose keys
		return err
	}
	keys := &sealed.Store{Blobs: table, AEAD: c.ring}
	rdb := redis.NewClient(c.redis)
	defer func() { _ = rdb.Close() }() // the program ends
	creator, err := newCreator(c, keys, newLimiter(rdb, c.processes, log), log)
	if err != nil {
		return err
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", c.addr)
	if err != nil {
		return err
	}
	log.Info("listening", "url", "http://"+listener.Addr().String(), "ring", c.ring.String())
	return serveOn(ctx, listener, (&service{creator: creator, keys: keys, log: log}).routes())
}

// newLimiter returns the limiter that all processes share.
func newLimiter(rdb *redis.Client, processes int, log *slog.Logger) cdn.Limiter {
	eval := func(ctx context.Context, script string, keys []string, args ...any) (any, error) {
		return rdb.Eval(ctx, script, keys, args...).Result()
	}
	return &sharedlimit.Limiter{Turns: sharedlimit.Redis(eval, "cdn-calls"), Processes: processes, Logger: log}
}

// newCreator returns what asks the CDN, and makes keys in this process while
// the CDN can't serve.
func newCreator(c *config, keys csr.KeyStore, limiter cdn.Limiter, log *slog.Logger) (cdn.CSRCreator, error) {
	client, err := cdn.NewClient(cdn.EnvCredentials(), &cdn.Options{Endpoint: c.endpoint, Limiter: limiter, UserAgent: "shared-example"})
	if err != nil {
		return nil, err
	}
	breaker, err := cdn.NewBreaker(client, &cdn.BreakerOptions{Logger: log})
	if err != nil {
		return nil, err
	}
	return &cdn.Fallback{
		Primary:   breaker,
		Secondary: &csr.Generator{Keys: keys},
		OnFallback: func(ctx context.Context, err error) {
			log.WarnContext(ctx, "the CDN can't serve, this process makes the key", "error", err)
		},
	}, nil
}

// serveOn serves until ctx ends, and then until the requests under way are
// answered.
func serveOn(ctx context.Context, listener net.Listener, handler http.Handler) error {
	server := &http.Server{Handler: handler, ReadTimeout: readTimeout}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
	defer cancel()
	return server.Shutdown(limited)
}
