// Install puts a certificate on a domain of the CDN and waits until it is
// served:
//
//	install [flags] DOMAIN CHAIN.pem
//
// CHAIN.pem has the domain's certificate first, then the intermediates. If the
// directory of -keys has the certificate's private key, install uploads it with
// the certificate; otherwise the CDN must have the key, since it made the CSR.
//
// Install reads the credentials from ALIBABA_CLOUD_ACCESS_KEY_ID,
// ALIBABA_CLOUD_ACCESS_KEY_SECRET and, if they are temporary,
// ALIBABA_CLOUD_SECURITY_TOKEN. It prints what it did to stdout. The exit
// status is 0 once the certificate is served, 1 for a failure and 2 for wrong
// usage.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/cdncsr/cdncsr/cdn"
	"github.com/cdncsr/cdncsr/csr"
	"github.com/cdncsr/cdncsr/examples/internal/cli"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	status := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(status)
}

// run returns the exit status of the program.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	return cli.Exit("install", stderr, install(ctx, args, stdout))
}

func install(ctx context.Context, args []string, stdout io.Writer) error {
	var cmd command
	if err := cmd.parse(args, stdout); err != nil {
		return err
	}
	chain, err := os.ReadFile(cmd.chainFile)
	if err != nil {
		return err
	}
	client, err := cdn.NewClient(cdn.EnvCredentials(), &cdn.Options{Endpoint: cmd.endpoint})
	if err != nil {
		return err
	}
	installer := &cdn.Installer{Client: client, Keys: csr.DirStore{Path: cmd.keys}}
	done, err := installer.Install(ctx, cmd.domain, chain)
	if err != nil {
		return err
	}
	if _, err = fmt.Fprintln(stdout, cmd.report(done)); err != nil {
		return err
	}
	if cmd.wait == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, cmd.wait)
	defer cancel()
	if err = installer.Wait(ctx, cmd.domain, chain); err != nil {
		return err
	}
	if err = cmd.waitForEdges(ctx, done.Domain, chain); err != nil {
		return err
	}
	_, err = fmt.Fprintln(stdout, "served")
	return err
}

// report describes what was done, and who has the private key.
func (c *command) report(done *cdn.Installation) string {
	key := "the CDN has the private key"
	call := "SetCdnDomainCSRCertificate"
	if done.KeyOrigin == csr.OriginLocal {
		key = "the private key is " + filepath.Join(c.keys, done.PubMd5+".pem")
		call = "SetCdnDomainSSLCertificate"
	}
	if done.Already {
		return fmt.Sprintf("%s has the certificate already; %s", done.Domain, key)
	}
	return fmt.Sprintf("installed on %s by %s; %s", done.Domain, call, key)
}

// waitForEdges waits until the edge servers present the certificate.
func (c *command) waitForEdges(ctx context.Context, domain string, chain []byte) error {
	leaf, err := cli.Leaf(chain)
	if err != nil {
		return err
	}
	host := domain
	if strings.HasPrefix(host, ".") {
		host = cli.WildcardLabel + host // a wildcard has no address of its own
	}
	return c.edge.Wait(ctx, host, leaf)
}

// command has the flags and the arguments.
type command struct {
	keys, endpoint    string
	wait              time.Duration
	edge              cdn.Edge
	domain, chainFile string
}

func (c *command) parse(args []string, stdout io.Writer) error {
	flags := flag.NewFlagSet("install", flag.ContinueOnError)
	flags.Usage = func() {
		_, _ = fmt.Fprint(flags.Output(), "Usage: install [flags] DOMAIN CHAIN.pem\n\n") // as package flag does
		flags.PrintDefaults()
	}
	flags.StringVar(&c.keys, "keys", "keys", "`DIR` of the private keys made on this machine")
	flags.StringVar(&c.endpoint, "endpoint", "https://cdn.aliyuncs.com", "`URL` of the CDN")
	flags.DurationVar(&c.wait, "wait", 10*time.Minute, "`TIME` to wait until the certificate is served; 0 to not wait")
	flags.Func("edge", "`IP:PORT` of an edge server to ask, instead of all that the DNS has for DOMAIN", c.setEdge)
	if err := cli.Parse(flags, args, stdout); err != nil {
		return err
	}
	switch {
	case flags.NArg() != 2:
		return cli.Usagef("%d arguments: want DOMAIN and CHAIN.pem, after the flags", flags.NArg())
	case c.keys == "":
		return cli.Usagef("-keys is empty")
	case c.wait < 0:
		return cli.Usagef("-wait %s is negative", c.wait)
	}
	c.domain, c.chainFile = flags.Arg(0), flags.Arg(1)
	return nil
}

func (c *command) setEdge(text string) (err error) {
	c.edge, err = cli.ParseEdge(text)
	return err
}
