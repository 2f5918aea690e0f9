// Bulk makes a certificate signing request for each name of a list:
//
//	bulk [flags] FILE
//
// FILE is CSV (.csv) whose header has the names of the operation's parameters, with the SANs in one column, separated by commas;
// or JSON Lines (.jsonl) with an object of those parameters on each line, whose SANs are a list. The results are appended to
// the file of -out as JSON Lines: a response, the name as the list has it, and who has the private key.
//
// It may be stopped at any time, also by a kill, and run again: names that are in the file of -out are not asked for again. At
// most one call a worker is made twice after a kill. A row that is wrong, or that the CDN could not serve, is reported with its
// line, and the others are done, unless 64 in a row were not served. One program at a time may write to a file.
//
// The exit status is 0 if each name has its CSR, 1 if not, 2 after wrong usage.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
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

// overlap has threads enough for one worker to compute while others wait for the disk: a goroutine in a system call keeps its
// processor until the scheduler misses it, which takes longer than a fsync does on a good disk. The function that it returns
// undoes that.
func overlap() (undo func()) {
	processors := runtime.GOMAXPROCS(0)
	runtime.GOMAXPROCS(4 * processors)
	return func() { runtime.GOMAXPROCS(processors) }
}

// run is the program; once ctx has ended it begins no call, and ends after those under way. It returns the exit status.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	return cli.Exit("bulk", stderr, bulk(ctx, args, stdout, stderr))
}

// command is the command line.
type command struct {
	creator cli.Creator
	list    string
	out     string
	workers int
}

func bulk(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	var cmd command
	if err := cmd.parse(args, stdout); err != nil {
		return err
	}
	if cmd.creator.WaitsForDisk() && os.Getenv("GOMAXPROCS") == "" {
		defer overlap()()
	}
	display := newDisplay(stderr)
	var first sync.Once // of many
	creator, err := cmd.creator.New(cdn.Options{}, cdn.Fallback{
		OnFallback: func(_ context.Context, err error) {
			first.Do(func() { display.note("the CDN could not serve, this machine stands in: %v", err) })
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

const usage = `Usage: bulk [flags] FILE.csv|FILE.jsonl

The first line of FILE.csv names the columns, such as CommonName,SANs,Organization; a line of FILE.jsonl is
{"CommonName": "example.com", "SANs": ["www.example.com"]}.

`

// defaultWorkers is enough for the CDN's 100 calls a second if each takes up to 0.3 s, and keeps a disk busy.
const defaultWorkers = 32

func (c *command) parse(args []string, stdout io.Writer) error {
	flags := flag.NewFlagSet("bulk", flag.ContinueOnError)
	flags.Usage = func() {
		_, _ = fmt.Fprint(flags.Output(), usage) // as package flag does
		flags.PrintDefaults()
	}
	c.creator.AddTo(flags)
	flags.StringVar(&c.out, "out", "csrs.jsonl", "`FILE` that the results are appended to")
	flags.IntVar(&c.workers, "workers", defaultWorkers, "`NUMBER` of calls at a time")
	if err := cli.Parse(flags, args, stdout); err != nil {
		return err
	}
	if flags.NArg() != 1 {
		return cli.Usagef("%d arguments behind the flags: name one list, as in bulk names.csv", flags.NArg())
	}
	if c.workers < 1 {
		return cli.Usagef("-workers %d: want 1 or more", c.workers)
	}
	c.list = flags.Arg(0)
	return nil
}
