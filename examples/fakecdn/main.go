// Fakecdn serves a fake of the CDN's API on this machine, for clients in any language:
//
//	fakecdn [-addr 127.0.0.1:0] [-access-key-id testid] [-access-key-secret testsecret] [-security-token T] [-key-type rsa-2048]
//
// Its first line on stdout is "listening on http://HOST:PORT". Each call is a line on stderr, without secrets. Interrupt it to
// end it; calls that are under way are answered first. The exit status is 0, 1 after a failure, 2 after wrong usage.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/signal"
	"syscall"

	"github.com/cdncsr/cdncsr/cdn/cdntest"
	"github.com/cdncsr/cdncsr/csr"
	"github.com/cdncsr/cdncsr/examples/internal/cli"
	"github.com/cdncsr/cdncsr/signer"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second interrupt ends the program at once
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run is the program, until ctx ends; it returns the exit status.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	return cli.Exit("fakecdn", stderr, serve(ctx, args, stdout, stderr))
}

func serve(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	addr, api, err := parse(args, stdout)
	if err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(stderr, nil))
	api.OnRequest = func(r cdntest.Request) { logRequest(log, r) }
	listener, err := cli.Listen(ctx, addr)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(stdout, "listening on http://%s\n", listener.Addr()); err != nil {
		return errors.Join(err, listener.Close())
	}
	server := &http.Server{
		Handler: api, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	return cli.Serve(ctx, server, listener)
}

// parse makes the fake that the command line asks for.
func parse(args []string, stdout io.Writer) (addr string, api *cdntest.API, err error) {
	var creds signer.Credentials
	var keyType csr.KeyType
	flags := flag.NewFlagSet("fakecdn", flag.ContinueOnError)
	flags.StringVar(&addr, "addr", "127.0.0.1:0", "loopback `ADDRESS` to listen on; port 0 is a free one")
	flags.StringVar(&creds.AccessKeyID, "access-key-id", "testid", "`ID` of the only access key")
	flags.StringVar(&creds.AccessKeySecret, "access-key-secret", "testsecret", "`SECRET` of it")
	flags.StringVar(&creds.SecurityToken, "security-token", "", "`TOKEN` that calls with it must have; empty is none")
	flags.TextVar(&keyType, "key-type", csr.RSA2048, "`KIND` of the keys that it makes: the service's; p-256 and ed25519 take less time")
	if err := cli.Parse(flags, args, stdout); err != nil {
		return "", nil, err
	}
	if flags.NArg() > 0 {
		return "", nil, cli.Usagef("%q: takes flags only: write it behind its flag, such as -addr", flags.Arg(0))
	}
	if err := creds.Validate(); err != nil {
		return "", nil, cli.Usagef("%w", err)
	}
	return addr, &cdntest.API{Credentials: []signer.Credentials{creds}, Source: keyType}, checkLoopback(addr)
}

// checkLoopback refuses an address that other machines can reach: the access key is in this program's usage.
func checkLoopback(addr string) error {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return cli.Usagef("-addr %q: want HOST:PORT, as in 127.0.0.1:8080", addr)
	}
	ip, err := netip.ParseAddr(host)
	if host != "localhost" && (err != nil || !ip.IsLoopback()) {
		return cli.Usagef("-addr %q: other machines could reach a fake whose access key is no secret: write 127.0.0.1:PORT", addr)
	}
	return nil
}

// logRequest logs a request in one line. A Request holds no secret.
func logRequest(log *slog.Logger, r cdntest.Request) {
	log.Info("request", "method", r.Method, "signature", r.Signature, "action", r.Action,
		"common_name", r.Params["CommonName"], "sans", r.Params["SANs"],
		"status", r.StatusCode, "code", r.Code, "request_id", r.RequestId)
}
