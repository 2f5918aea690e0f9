package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/mholt/acmez/v3/acme"

	"github.com/cdncsr/cdncsr/cdn"
	"github.com/cdncsr/cdncsr/csr"
	"github.com/cdncsr/cdncsr/examples/internal/cli"
)

// directories are the CAs that have a name.
var directories = map[string]string{
	"letsencrypt":         "https://acme-v02.api.letsencrypt.org/directory",
	"letsencrypt-staging": "https://acme-staging-v02.api.letsencrypt.org/directory",
	"zerossl":             "https://acme.zerossl.com/v2/DV90",
}

// command holds the flags and the arguments.
type command struct {
	creator   cli.Creator
	state     string
	list      string
	directory string
	eabKID    string
	eabFile   string
	profile   string
	challenge cli.Word
	httpDir   string
	httpAddr  string
	dnsURL    string
	dnsWait   time.Duration
	edge      cdn.Edge
	wait      time.Duration
	every     time.Duration
	workers   int
	dryRun    bool
	sites     []site
}

func (c *command) parse(args []string, stdout io.Writer) error {
	flags := flag.NewFlagSet("renew", flag.ContinueOnError)
	flags.Usage = func() {
		_, _ = fmt.Fprint(flags.Output(), "Usage: renew [flags] DOMAIN[,SAN...]...\n       renew [flags] -list FILE\n\n") // as package flag does
		flags.PrintDefaults()
	}
	c.creator.AddTo(flags)
	c.challenge = cli.OneOf("http", "alidns")
	c.directory = directories["letsencrypt-staging"]
	flags.StringVar(&c.list, "list", "", "`FILE` with a line DOMAIN[,SAN...] for each domain")
	flags.StringVar(&c.state, "state", "renew-state", "`DIR` for the account's key and the certificates")
	flags.Func("ca", "`CA`: letsencrypt-staging (the default), letsencrypt, zerossl, or the URL of a directory", c.setCA)
	flags.StringVar(&c.eabKID, "eab-kid", "", "`ID` of the external account binding, if the CA wants one")
	flags.StringVar(&c.eabFile, "eab-key-file", "", "`FILE` with its key in base64url")
	flags.StringVar(&c.profile, "profile", "", "`NAME` of the CA's profile")
	flags.Var(&c.challenge, "challenge", "`WAY` to prove the names: http or alidns")
	flags.StringVar(&c.httpDir, "http-dir", "", "`DIR` that the origin serves as its root")
	flags.StringVar(&c.httpAddr, "http-addr", "", "`ADDR` to serve the proofs on, instead of -http-dir")
	flags.StringVar(&c.dnsURL, "dns-endpoint", "https://alidns.aliyuncs.com", "`URL` of Alibaba Cloud DNS")
	flags.DurationVar(&c.dnsWait, "dns-wait", 30*time.Second, "`TIME` until a record is seen everywhere")
	flags.Func("edge", "`IP:PORT` of an edge server to ask, instead of all that the DNS has for a domain", func(text string) (err error) {
		c.edge, err = cli.ParseEdge(text)
		return err
	})
	flags.DurationVar(&c.wait, "wait", 10*time.Minute, "`TIME` to wait until a certificate is served")
	flags.DurationVar(&c.every, "every", 0, "`TIME` between passes; 0 for one pass")
	flags.IntVar(&c.workers, "workers", 4, "`N` domains at a time")
	flags.BoolVar(&c.dryRun, "dry-run", false, "say what would be done")
	if err := cli.Parse(flags, args, stdout); err != nil {
		return err
	}
	if err := c.check(); err != nil {
		return err
	}
	if err := checkKeys(flags); err != nil {
		return err
	}
	return c.readSites(flags.Args())
}

func (c *command) check() error {
	switch {
	case c.workers < 1:
		return cli.Usagef("-workers %d is less than 1", c.workers)
	case c.every < 0:
		return cli.Usagef("-every %s is negative", c.every)
	case c.wait <= 0:
		return cli.Usagef("-wait %s is not positive", c.wait)
	case c.dnsWait < 0 || c.dnsWait > orderTimeout/2:
		return cli.Usagef("-dns-wait %s: want 0 to %s", c.dnsWait, orderTimeout/2)
	case (c.eabKID == "") != (c.eabFile == ""):
		return cli.Usagef("-eab-kid and -eab-key-file belong together")
	case c.state == "":
		return cli.Usagef("-state is empty")
	case c.challenge.String() == "http" && (c.httpDir == "") == (c.httpAddr == ""):
		return cli.Usagef("-challenge http: want one of -http-dir and -http-addr")
	}
	return nil
}

// checkKeys refuses what would be noticed only after a certificate was ordered.
func checkKeys(flags *flag.FlagSet) error {
	value := func(name string) string { return flags.Lookup(name).Value.String() }
	if value("mode") == "remote" {
		return nil
	}
	switch {
	case value("key-type") == "ed25519":
		return cli.Usagef("-key-type ed25519: neither CAs nor the CDN take such keys")
	case value("signer") == "acs3":
		return cli.Usagef("-signer acs3: puts private keys into URLs; want rpc, or -mode remote")
	}
	return nil
}

func (c *command) setCA(text string) error {
	if known, ok := directories[text]; ok {
		text = known
	}
	if !strings.HasPrefix(text, "https://") {
		return fmt.Errorf("%q is neither a CA that is known nor an https:// URL", text)
	}
	c.directory = text
	return nil
}

// readSites reads the domains of the arguments and of the list.
func (c *command) readSites(args []string) error {
	if c.list != "" {
		data, err := os.ReadFile(c.list)
		if err != nil {
			return err
		}
		for line := range strings.Lines(string(data)) {
			if line, _, _ = strings.Cut(line, "#"); strings.TrimSpace(line) != "" {
				args = append(args, strings.TrimSpace(line))
			}
		}
	}
	seen := map[string]bool{}
	for _, arg := range args {
		s, err := parseSite(arg)
		if err != nil {
			return cli.Usagef("%q: %w", arg, err)
		}
		if strings.Contains(strings.Join(s.names, ","), "*") && c.challenge.String() == "http" {
			return cli.Usagef("%q: a CA proves a wildcard by dns-01 only: want -challenge alidns", arg)
		}
		if seen[s.domain] {
			return cli.Usagef("%s is there twice", s.domain)
		}
		seen[s.domain] = true
		c.sites = append(c.sites, s)
	}
	if len(c.sites) == 0 {
		return cli.Usagef("no DOMAIN")
	}
	return nil
}

// parseSite reads DOMAIN[,SAN...].
func parseSite(text string) (site, error) {
	names := strings.Split(text, ",")
	for i := range names {
		names[i] = strings.TrimSpace(names[i])
	}
	if strings.HasPrefix(names[0], ".") {
		names[0] = "*" + names[0] // as the CDN writes a wildcard domain
	}
	normal, err := (&csr.Request{CommonName: names[0], SANs: names[1:]}).Normalize()
	if err != nil {
		return site{}, err
	}
	s := site{domain: normal.CommonName, names: []string{normal.CommonName}}
	for _, san := range normal.SANs {
		if san != s.domain {
			s.names = append(s.names, san)
		}
	}
	return s, nil
}

// renewer returns what the flags ask for. Warn is told what is no failure.
func (c *command) renewer(ctx context.Context, hc *http.Client, warn func(error)) (*renewer, error) {
	if err := os.MkdirAll(c.state, 0o700); err != nil {
		return nil, err
	}
	client, err := c.creator.Client(cdn.Options{})
	if err != nil {
		return nil, err
	}
	creator, err := c.creator.With(client, cdn.Fallback{PrimaryTimeout: requestTimeout, OnFallback: func(_ context.Context, err error) {
		warn(fmt.Errorf("this machine makes the CSR because the CDN could not serve: %w", err))
	}})
	if err != nil {
		return nil, err
	}
	issuer := &ca{
		client: &acme.Client{Directory: c.directory, HTTPClient: newHTTPClient(hc), UserAgent: "cdncsr-renew"},
		state:  state(c.state), profile: c.profile, creator: creator, warn: warn,
	}
	if issuer.eab, err = c.readEAB(); err != nil {
		return nil, err
	}
	if issuer.challenge, issuer.solver, err = c.solver(ctx, warn); err != nil {
		return nil, err
	}
	return &renewer{
		ca: issuer, installer: &cdn.Installer{Client: client, Keys: c.creator.Keys()}, edge: c.edge,
		state: state(c.state), wait: c.wait, dryRun: c.dryRun,
	}, nil
}

func (c *command) readEAB() (*acme.EAB, error) {
	if c.eabFile == "" {
		return nil, nil
	}
	key, err := os.ReadFile(c.eabFile)
	if err != nil {
		return nil, err
	}
	return &acme.EAB{KeyID: c.eabKID, MACKey: strings.TrimRight(strings.TrimSpace(string(key)), "=")}, nil
}

// solver returns the type of the challenges and what solves them.
func (c *command) solver(ctx context.Context, warn func(error)) (string, solver, error) {
	switch {
	case c.challenge.String() == "alidns":
		client, err := cdn.NewClient(cdn.EnvCredentials(), &cdn.Options{Endpoint: c.dnsURL})
		return "dns-01", &aliDNS{client: client, pause: c.dnsWait}, err
	case c.httpDir != "":
		return "http-01", httpDir(c.httpDir), nil
	}
	server := new(httpServer)
	return "http-01", server, server.listen(ctx, c.httpAddr, warn)
}
