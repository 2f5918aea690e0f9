// Create makes one certificate signing request and prints it in the form of the CDN's API:
//
//	create [flags] COMMON-NAME [SAN...]
//
// Without flags this machine makes it, and no account is needed. With -mode remote or fallback the CDN is asked, with the
// credentials in ALIBABA_CLOUD_ACCESS_KEY_ID, ALIBABA_CLOUD_ACCESS_KEY_SECRET and, for temporary ones,
// ALIBABA_CLOUD_SECURITY_TOKEN. The response goes to stdout; where its private key is goes to stderr. The exit status is 0,
// 1 after a failure, 2 after wrong usage.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"

	"github.com/cdncsr/cdncsr/cdn"
	"github.com/cdncsr/cdncsr/csr"
	"github.com/cdncsr/cdncsr/examples/internal/cli"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	status := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(status)
}

// run is the program; it returns the exit status.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	return cli.Exit("create", stderr, create(ctx, args, stdout, stderr))
}

func create(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	var cmd command
	if err := cmd.parse(args, stdout); err != nil {
		return err
	}
	creator, err := cmd.creator.New(cdn.Options{Format: strings.ToUpper(cmd.format.String())}, cdn.Fallback{
		OnFallback: func(_ context.Context, err error) {
			_, _ = fmt.Fprintf(stderr, "create: made on this machine, since the CDN could not serve: %v\n", err) // a notice
		},
	})
	if err != nil {
		return err
	}
	resp, err := creator.CreateCdnCertificateSigningRequest(ctx, &cmd.request)
	if err != nil {
		return err
	}
	_, _ = fmt.Fprintln(stderr, "create: the private key is "+cmd.creator.KeyPlace(resp)) // a notice
	return write(stdout, resp, cmd.format.String())
}

// command is the command line.
type command struct {
	creator cli.Creator
	format  cli.Word
	request csr.Request
}

func (c *command) parse(args []string, stdout io.Writer) error {
	flags := flag.NewFlagSet("create", flag.ContinueOnError)
	flags.Usage = func() {
		_, _ = fmt.Fprint(flags.Output(), "Usage: create [flags] COMMON-NAME [SAN...]\n\n") // as package flag does
		flags.PrintDefaults()
	}
	c.creator.AddTo(flags)
	c.format = cli.OneOf("json", "xml")
	flags.Var(&c.format, "format", "`FORM` of the response, between the CDN and this machine too: json, xml")
	flags.StringVar(&c.request.Organization, "organization", "", "`NAME` of the organization; empty is Alibaba Inc")
	flags.StringVar(&c.request.OrganizationUnit, "organization-unit", "", "`NAME` of the unit in it; empty is Aliyun CDN")
	flags.StringVar(&c.request.Country, "country", "", "two-letter `CODE` of the country; empty is CN")
	flags.StringVar(&c.request.State, "state", "", "`NAME` of the state or province; empty is Zhejiang")
	flags.StringVar(&c.request.City, "city", "", "`NAME` of the city; empty is Hangzhou")
	flags.StringVar(&c.request.Email, "email", "", "`ADDRESS` of the organization; empty leaves it out")
	if err := cli.Parse(flags, args, stdout); err != nil {
		return err
	}
	for _, name := range flags.Args() {
		if strings.HasPrefix(name, "-") {
			return cli.Usagef("%q stands behind a name: write the flags first", name)
		}
	}
	if flags.NArg() == 0 {
		return cli.Usagef("no name is given: name the domain, as in create example.com www.example.com")
	}
	c.request.CommonName, c.request.SANs = flags.Arg(0), flags.Args()[1:]
	return nil
}
