// Create makes one certificate signing request and prints the response as JSON
// or XML:
//
//	create [flags] COMMON-NAME [SAN...]
//
// By default this machine makes the CSR, which needs no account. With -mode
// remote or fallback, create calls the CDN. It reads the credentials from
// ALIBABA_CLOUD_ACCESS_KEY_ID, ALIBABA_CLOUD_ACCESS_KEY_SECRET and, if they are
// temporary, ALIBABA_CLOUD_SECURITY_TOKEN.
//
// Create writes the response to stdout, and a line that says where the private
// key is to stderr. The exit status is 0 for success, 1 for a failure and 2 for
// wrong usage.
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

// run returns the exit status of the program.
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
			_, _ = fmt.Fprintf(stderr, "create: this machine makes the CSR because the CDN could not serve: %v\n", err)
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

// command has the flags and the arguments.
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
	flags.Var(&c.format, "format", "`FORMAT` of the response: json or xml")
	flags.StringVar(&c.request.Organization, "organization", "", "`NAME` of the organization (default Alibaba Inc)")
	flags.StringVar(&c.request.OrganizationUnit, "organization-unit", "", "`NAME` of the unit in it (default Aliyun CDN)")
	flags.StringVar(&c.request.Country, "country", "", "two-letter `CODE` of the country (default CN)")
	flags.StringVar(&c.request.State, "state", "", "`NAME` of the state or province (default Zhejiang)")
	flags.StringVar(&c.request.City, "city", "", "`NAME` of the city (default Hangzhou)")
	flags.StringVar(&c.request.Email, "email", "", "email `ADDRESS` of the organization (default none)")
	if err := cli.Parse(flags, args, stdout); err != nil {
		return err
	}
	for _, name := range flags.Args() {
		if strings.HasPrefix(name, "-") {
			return cli.Usagef("%q: want flags before the names", name)
		}
	}
	if flags.NArg() == 0 {
		return cli.Usagef("no COMMON-NAME: want a domain, such as example.com")
	}
	c.request.CommonName, c.request.SANs = flags.Arg(0), flags.Args()[1:]
	return nil
}
