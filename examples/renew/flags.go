package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"time"

	"github.com/mholt/acmez/v3/acme"

	"github.com/cdncsr/cdncsr/cdn"
	"github.com/cdncsr/cdncsr/examples/internal/cli"
	"github.com/cdncsr/cdncsr/examples/renew/internal/alidns"
	"github.com/cdncsr/cdncsr/examples/renew/internal/http01"
	"github.com/cdncsr/cdncsr/examples/renew/internal/issue"
	"github.com/cdncsr/cdncsr/examples/renew/internal/site"
	"github.com/cdncsr/cdncsr/examples/renew/internal/state"
)

// command holds the flags and the arguments.
type command struct {
	args                      []string
	list, state               string
	creator                   cli.Creator
	directory, profile        string // of the CA
	eabID, eabFile            string
	eab                       *acme.EAB
	challenge                 cli.Word
	httpDir, httpAddr, dnsURL string
	dnsWait, wait, every      time.Duration
	edge                      cdn.Edge
	workers                   int
	dryRun                    bool
}

// parse parses the command line. It returns the sites.
func (c *command) parse(args []string, stdout io.Writer) ([]site.Site, error) {
	flags := c.flags()
	if err := cli.Parse(flags, args, stdout); err != nil {
		return nil, err
	}
	c.args = flags.Args()
	sites, err := c.sites()
	if err != nil {
		return nil, cli.Usagef("%w", err)
	}
	return sites, c.check()
}

func (c *command) flags() *flag.FlagSet {
	flags := flag.NewFlagSet("renew", flag.ContinueOnError)
	flags.Usage = func() {
		_, _ = fmt.Fprint(flags.Output(), "Usage: renew [flags] DOMAIN[,SAN...]...\n       renew [flags] -list FILE\n\n") // as package flag does
		flags.PrintDefaults()
	}
	c.creator.AddTo(flags)
	flags.StringVar(&c.list, "list", "", "`FILE` with a line DOMAIN[,SAN...] for each domain")
	flags.StringVar(&c.state, "state", "renew-state", "`DIR` for the account's key and the certificates")
	c.directory = issue.Staging
	flags.Func("ca", "`CA`: letsencrypt-staging (the default), letsencrypt, zerossl, or the URL of a directory", func(text string) (err error) {
		c.directory, err = issue.ParseCA(text)
		return err
	})
	flags.StringVar(&c.eabID, "eab-kid", "", "`ID` of the external account binding, if the CA wants one")
	flags.StringVar(&c.eabFile, "eab-key-file", "", "`FILE` with its key in base64url")
	flags.StringVar(&c.profile, "profile", "", "`NAME` of the CA's profile")
	c.challenge = cli.OneOf("http", "alidns")
	flags.Var(&c.challenge, "challenge", "`WAY` to prove the names: http or alidns")
	flags.StringVar(&c.httpDir, "http-dir", "", "`DIR` that the origin serves as its root")
	flags.StringVar(&c.httpAddr, "http-addr", "", "`ADDR` to serve the proofs on, instead of -http-dir")
	flags.StringVar(&c.dnsURL, "dns-endpoint", "https://alidns.aliyuncs.com", "`URL` of Alibaba Cloud DNS")
	cli.DurationVar(flags, &c.dnsWait, "dns-wait", 30*time.Second, "`TIME` until a record is seen everywhere")
	flags.Func("edge", "`IP:PORT` of an edge server to ask, instead of all that the DNS has for a domain", func(text string) (err error) {
		c.edge, err = cli.ParseEdge(text)
		return err
	})
	cli.DurationVar(flags, &c.wait, "wait", 10*time.Minute, "`TIME` to wait until a certificate is served")
	cli.DurationVar(flags, &c.every, "every", 0, "`TIME` between passes; 0 for one pass")
	flags.IntVar(&c.workers, "workers", 4, "`N` domains at a time")
	flags.BoolVar(&c.dryRun, "dry-run", false, "say what would be done")
	return flags
}

// sites reads the sites of the arguments and of the list, as it is now.
func (c *command) sites() ([]site.Site, error) {
	sites, err := site.Read(c.args, c.list)
	if i := slices.IndexFunc(sites, site.Site.HasWildcard); i >= 0 && c.challenge.String() == "http" {
		return nil, fmt.Errorf("%s: a CA proves a wildcard by dns-01 only: want -challenge alidns", sites[i].Domain)
	}
	return sites, err
}

// check returns an error for what would be noticed only while a certificate is
// ordered.
func (c *command) check() (err error) {
	const maxDNSWait = issue.OrderTimeout / 2
	switch {
	case c.workers < 1:
		return cli.Usagef("-workers %d is less than 1", c.workers)
	case c.every < 0:
		return cli.Usagef("-every %s is negative", c.every)
	case c.wait <= 0:
		return cli.Usagef("-wait %s is not positive", c.wait)
	case c.dnsWait < 0 || c.dnsWait > maxDNSWait:
		return cli.Usagef("-dns-wait %s: want 0 to %s", c.dnsWait, maxDNSWait)
	case c.state == "":
		return cli.Usagef("-state is empty")
	case (c.eabID == "") != (c.eabFile == ""):
		return cli.Usagef("-eab-kid and -eab-key-file belong together")
	case c.directory == issue.ZeroSSL && c.eabID == "":
		return cli.Usagef("-ca zerossl: want -eab-kid and -eab-key-file")
	case c.challenge.String() == "http" && (c.httpDir == "") == (c.httpAddr == ""):
		return cli.Usagef("-challenge http: want one of -http-dir and -http-addr")
	}
	if info, statErr := os.Stat(c.httpDir); c.httpDir != "" && (statErr != nil || !info.IsDir()) {
		return cli.Usagef("-http-dir %s: no such folder", c.httpDir)
	}
	if c.eab, err = issue.ReadEAB(c.eabID, c.eabFile); err != nil {
		return cli.Usagef("-eab-key-file: %w", err)
	}
	return c.creator.Check()
}

// renewer returns what the flags ask for. Logf prints what is no failure.
func (c *command) renewer(transport http.RoundTripper, logf func(string, ...any)) (*renewer, error) {
	client, err := c.creator.Client(cdn.Options{})
	if err != nil {
		return nil, err
	}
	r := &renewer{
		ca:        issue.New(c.directory, transport),
		installer: cdn.Installer{Client: client, Keys: c.creator.Keys()}, edge: c.edge, wait: c.wait,
		staging: state.In(c.state, issue.Staging), ownKeys: !c.creator.IsRemote(), dryRun: c.dryRun, logf: logf,
	}
	r.ca.State, r.ca.EAB, r.ca.Profile, r.ca.Logf = state.In(c.state, c.directory), c.eab, c.profile, logf
	r.ca.Creator, err = c.creator.With(client, cdn.Fallback{
		PrimaryTimeout: issue.RequestTimeout,
		OnFallback: func(_ context.Context, err error) {
			logf("this machine makes the CSR because the CDN could not serve: %v", err)
		},
	})
	if err != nil {
		return nil, err
	}
	r.ca.Challenge, r.ca.Solver, err = c.solver(&r.proofs)
	return r, err
}

// solver returns the type of the challenges and what solves them. Handler is what
// serves proofs.
func (c *command) solver(handler *http01.Handler) (string, issue.Solver, error) {
	switch {
	case c.challenge.String() == "alidns":
		client, err := cdn.NewClient(cdn.EnvCredentials(), &cdn.Options{Endpoint: c.dnsURL})
		return "dns-01", &alidns.Solver{Client: client, Pause: c.dnsWait}, err
	case c.httpDir != "":
		dir := http01.Dir(c.httpDir)
		if c.dryRun {
			return "http-01", dir, nil
		}
		if err := dir.Check(); err != nil {
			return "", nil, cli.Usagef("-http-dir %s: %w", c.httpDir, err)
		}
		return "http-01", dir, nil
	}
	handler.Addr = c.httpAddr
	return "http-01", handler, nil
}
