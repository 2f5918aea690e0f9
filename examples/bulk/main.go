// Bulk makes a certificate signing request for each name in a list:
//
//	bulk [flags] FILE
//
// FILE is CSV (.csv) or JSON Lines (.jsonl). The first line of a CSV file names
// its columns after the operation's parameters; the column SANs has names
// separated by commas. Each line of a JSON Lines file is an object with those
// parameters, in which SANs is an array.
//
// Bulk appends its results to the file given by -out, one JSON object per line:
// the response, the name as it is in the list, and who has the private key
// ("CDN" or "local").
//
// Bulk can be interrupted or killed at any time and run again: it skips the
// names that have a result already. After a kill, each worker repeats at most
// one call. If a row is invalid or its call fails, bulk reports its line number
// and goes on with the rest of the list. It stops after 64 calls in a row
// during which the CDN was unavailable. Only one process at a time may write to
// a results file.
//
// The exit status is 0 if every name has a CSR, 1 if not, and 2 for wrong
// usage.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"github.com/cdncsr/cdncsr/cdn"
	"github.com/cdncsr/cdncsr/examples/internal/cli"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second interrupt ends the program at once
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run returns the exit status of the program. Once ctx has ended, it starts no
// further call and waits for those in progress.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	return cli.Exit("bulk", stderr, bulk(ctx, args, stdout, stderr))
}

func bulk(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	var cmd command
	if err := cmd.parse(args, stdout); err != nil {
		return err
	}
	display := newDisplay(stderr)
	var first sync.Once // one notice is enough
	creator, err := cmd.creator.New(cdn.Options{}, cdn.Fallback{
		OnFallback: func(_ context.Context, err error) {
			first.Do(func() { display.note("this machine makes the CSR because the CDN could not serve: %v", err) })
		},
	})
	if err != nil {
		return err
	}
	rows, err := readList(cmd.list)
	if err != nil {
		return err
	}
	journal, err := openJournal(cmd.out)
	if err != nil {
		return err
	}
	b := &batch{creator: creator, journal: journal, display: display}
	return b.run(ctx, cmd.workers, rows)
}

// command has the flags and the argument.
type command struct {
	creator cli.Creator
	list    string
	out     string
	workers int
}

const usage = `Usage: bulk [flags] FILE.csv|FILE.jsonl

The first line of FILE.csv names the columns, such as CommonName,SANs,Organization.
Each line of FILE.jsonl is an object, such as
{"CommonName": "example.com", "SANs": ["www.example.com"]}.

`

// defaultWorkers uses the CDN's 100 calls a second if a call takes up to 0.3 s.
const defaultWorkers = 32

func (c *command) parse(args []string, stdout io.Writer) error {
	flags := flag.NewFlagSet("bulk", flag.ContinueOnError)
	flags.Usage = func() {
		_, _ = fmt.Fprint(flags.Output(), usage) // as package flag does
		flags.PrintDefaults()
	}
	c.creator.AddTo(flags)
	flags.StringVar(&c.out, "out", "csrs.jsonl", "append the results to `FILE`")
	flags.IntVar(&c.workers, "workers", defaultWorkers, "make `N` calls at a time")
	if err := cli.Parse(flags, args, stdout); err != nil {
		return err
	}
	if flags.NArg() != 1 {
		return cli.Usagef("%d arguments after the flags: want 1, the list", flags.NArg())
	}
	if c.workers < 1 {
		return cli.Usagef("-workers %d: want 1 or more", c.workers)
	}
	c.list = flags.Arg(0)
	return nil
}
