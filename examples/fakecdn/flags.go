package main

import (
	"flag"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/netip"
	"net/url"
	"time"

	"github.com/cdncsr/cdncsr/cdn/cdntest"
	"github.com/cdncsr/cdncsr/csr"
	"github.com/cdncsr/cdncsr/examples/internal/cli"
	"github.com/cdncsr/cdncsr/signer"
)

// config has the values of the command line.
type config struct {
	addr, edgeAddr, edgeHTTPAddr string // empty: not served
	api                          *cdntest.API
	edge                         *cdntest.Edge
	origin                       http.Handler
}

// parse reads the command line.
func parse(args []string, stdout io.Writer) (*config, error) {
	c := &config{api: new(cdntest.API), origin: http.NotFoundHandler()}
	var creds signer.Credentials
	var keyType csr.KeyType
	var delay time.Duration
	flags := flag.NewFlagSet("fakecdn", flag.ContinueOnError)
	flags.StringVar(&c.addr, "addr", "127.0.0.1:0", "loopback `ADDRESS` of the API; port 0 is a free one")
	flags.StringVar(&creds.AccessKeyID, "access-key-id", "testid", "`ID` of the only access key")
	flags.StringVar(&creds.AccessKeySecret, "access-key-secret", "testsecret", "`SECRET` of it")
	flags.StringVar(&creds.SecurityToken, "security-token", "", "`TOKEN` that calls with it must have; empty: none")
	flags.TextVar(&keyType, "key-type", csr.RSA2048,
		"`KIND` of the keys that it makes; p-256 and ed25519 take less time")
	flags.Func("domain",
		"`NAME` of a domain of the account, such as www.example.com or .example.com; may be repeated", c.addDomain)
	flags.StringVar(&c.edgeAddr, "edge", "",
		"loopback `ADDRESS` where an edge serves the installed certificates over TLS; empty: no edge")
	flags.StringVar(&c.edgeHTTPAddr, "edge-http", "", "loopback `ADDRESS` of the edge's plain HTTP; empty: none")
	flags.DurationVar(&delay, "edge-delay", 0, "`TIME` from an installation until the edge serves it, such as 30s")
	flags.Func("origin",
		"`URL` that the edge passes requests to, such as http://127.0.0.1:8000; without it the answer is 404", c.setOrigin)
	if err := cli.Parse(flags, args, stdout); err != nil {
		return nil, err
	}
	c.api.Credentials, c.api.Source = []signer.Credentials{creds}, keyType
	c.edge = c.api.NewEdge(c.origin)
	c.edge.Delay = delay
	return c, c.check(flags, creds)
}

// check returns an error if the flags are invalid.
func (c *config) check(flags *flag.FlagSet, creds signer.Credentials) error {
	if flags.NArg() > 0 {
		return cli.Usagef("%q: takes flags only: write it behind its flag, such as -addr", flags.Arg(0))
	}
	if err := creds.Validate(); err != nil {
		return cli.Usagef("%w", err)
	}
	if c.edge.Delay < 0 {
		return cli.Usagef("-edge-delay %s: must not be negative", c.edge.Delay)
	}
	if err := checkLoopback("addr", c.addr); err != nil {
		return err
	}
	for name, addr := range map[string]string{"edge": c.edgeAddr, "edge-http": c.edgeHTTPAddr} {
		if addr == "" {
			continue
		}
		if err := checkLoopback(name, addr); err != nil {
			return err
		}
	}
	return nil
}

func (c *config) addDomain(name string) error {
	if name == "" {
		return cli.Usagef("is empty")
	}
	c.api.AddDomain(name)
	return nil
}

// setOrigin makes the edge a reverse proxy that keeps the Host of a request.
func (c *config) setOrigin(text string) error {
	origin, err := url.Parse(text)
	if err != nil {
		return err
	}
	if origin.Scheme != "http" && origin.Scheme != "https" || origin.Host == "" {
		return cli.Usagef("want http://HOST:PORT")
	}
	c.origin = &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(origin)
		r.SetXForwarded()
		r.Out.Host = r.In.Host
	}}
	return nil
}

// checkLoopback refuses an address that other machines can reach, since the
// access key is public: it is in the usage of this program.
func checkLoopback(name, addr string) error {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return cli.Usagef("-%s %q: want HOST:PORT, as in 127.0.0.1:8080", name, addr)
	}
	ip, err := netip.ParseAddr(host)
	if host != "localhost" && (err != nil || !ip.IsLoopback()) {
		const format = "-%s %q: other machines could reach the fake, whose access key is not secret: write 127.0.0.1:PORT"
		return cli.Usagef(format, name, addr)
	}
	return nil
}
