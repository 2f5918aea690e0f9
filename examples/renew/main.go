// Renew keeps the certificates of domains on the CDN in force: it orders them
// from an ACME CA, installs them, and proves that they are served.
//
//	renew [flags] DOMAIN[,SAN...]...
//	renew [flags] -list FILE
//
// It makes one pass, for cron, or one each -every. A line of stdout says what
// was done for each domain. The exit status is 0 if that went well for all, 1 if
// not, and 2 for wrong usage. README.md in this folder says more.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/cdncsr/cdncsr/examples/internal/cli"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	status := run(ctx, os.Args[1:], os.Stdout, os.Stderr, nil)
	stop()
	os.Exit(status)
}

// run runs the program and returns its exit status. HTTP is the client for the
// CA; nil for a usual one.
func run(ctx context.Context, args []string, stdout, stderr io.Writer, hc *http.Client) int {
	return cli.Exit("renew", stderr, renewAll(ctx, args, stdout, stderr, hc))
}

func renewAll(ctx context.Context, args []string, stdout, stderr io.Writer, hc *http.Client) error {
	var cmd command
	if err := cmd.parse(args, stdout); err != nil {
		return err
	}
	p := &pass{sites: cmd.sites, workers: cmd.workers, stdout: stdout, stderr: stderr}
	var err error
	if p.renewer, err = cmd.renewer(ctx, hc, p.warn); err != nil {
		return err
	}
	return p.repeat(ctx, cmd.every)
}

// A pass looks at each site once.
type pass struct {
	renewer        *renewer
	sites          []site
	workers        int
	stdout, stderr io.Writer

	mu           sync.Mutex // guards stdout, stderr and the counts
	done, failed int
}

// repeat makes a pass each so often, or one if every is zero.
func (p *pass) repeat(ctx context.Context, every time.Duration) error {
	err := p.run(ctx)
	for every > 0 && ctx.Err() == nil {
		if err != nil {
			p.warn(err) // the next pass tries again
		}
		if sleep(ctx, every) == nil {
			err = p.run(ctx)
		}
	}
	if every > 0 {
		return nil // a signal is how a loop ends
	}
	return err
}

// run looks at each site, a few at a time. The error says how many failed.
func (p *pass) run(ctx context.Context) error {
	ctx, unlock, err := p.renewer.state.lock(ctx)
	if errors.Is(err, errLocked) {
		p.warn(fmt.Errorf("%w; nothing done", err))
		return nil
	}
	if err != nil {
		return err
	}
	defer unlock()
	p.done, p.failed = 0, 0
	sites := make(chan site)
	var group sync.WaitGroup
	for range p.workers {
		group.Go(func() {
			for s := range sites {
				o, err := p.renewer.renew(ctx, s)
				p.report(s, o, err)
			}
		})
	}
	for _, s := range p.sites {
		select {
		case sites <- s:
			continue
		case <-ctx.Done():
		}
		break
	}
	close(sites)
	group.Wait()
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("%w: %d of %d domains done, %d failed", context.Cause(ctx), p.done-p.failed, len(p.sites), p.failed)
	case p.failed > 0:
		return fmt.Errorf("%d of %d domains failed", p.failed, len(p.sites))
	}
	return nil
}

// report prints the line of a site, and on a terminal how far the pass is.
func (p *pass) report(s site, o outcome, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done++
	line := s.domain + ": " + o.did
	switch {
	case err != nil:
		p.failed++
		line = fmt.Sprintf("%s: failed: %v", s.domain, err)
	case !o.next.IsZero():
		line += ", next " + o.next.UTC().Format(time.RFC3339)
	}
	_, _ = fmt.Fprintln(p.stdout, strings.ReplaceAll(line, "\n", "; ")) // the exit status counts
	if file, ok := p.stderr.(*os.File); ok && isTerminal(file) {
		_, _ = fmt.Fprintf(file, "%d of %d\r", p.done, len(p.sites))
	}
}

// warn prints what the exit status does not tell.
func (p *pass) warn(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	_, _ = fmt.Fprintf(p.stderr, "renew: %s\n", strings.ReplaceAll(err.Error(), "\n", "; ")) // as in report
}

func isTerminal(file *os.File) bool {
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
