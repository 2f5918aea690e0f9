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
	"path/filepath"
	"sync"
	"syscall"

	"github.com/cdncsr/cdncsr/examples/internal/cli"
	"github.com/cdncsr/cdncsr/examples/renew/internal/lease"
	"github.com/cdncsr/cdncsr/examples/renew/internal/site"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	status := run(ctx, os.Args[1:], os.Stdout, os.Stderr, nil)
	stop()
	os.Exit(status)
}

// run runs the program and returns its exit status. Transport is the one for
// the CA; nil for the usual one.
func run(ctx context.Context, args []string, stdout, stderr io.Writer, transport http.RoundTripper) int {
	return cli.Exit("renew", stderr, renewAll(ctx, args, stdout, stderr, transport))
}

func renewAll(ctx context.Context, args []string, stdout, stderr io.Writer, transport http.RoundTripper) error {
	var cmd command
	sites, err := cmd.parse(args, stdout)
	if err != nil {
		return err
	}
	p := &pass{sites: sites, workers: cmd.workers, stdout: stdout, stderr: stderr}
	if p.renewer, err = cmd.renewer(transport, p.logf); err != nil {
		return err
	}
	err = p.run(ctx)
	if cmd.every == 0 {
		return err
	}
	p.logError(err)
	for cli.Sleep(ctx, cmd.every) == nil {
		if sites, err = cmd.sites(); err == nil {
			p.sites = sites
		}
		p.logError(err) // the sites are those of the last pass
		p.logError(p.run(ctx))
	}
	return nil // a signal is how a loop ends
}

// A pass looks at each site once.
type pass struct {
	renewer        *renewer
	sites          []site.Site
	workers        int
	stdout, stderr io.Writer

	mu           sync.Mutex // guards stdout, stderr and the counts
	done, failed int
}

// run makes the pass once no other run is at work. A dry run changes nothing, so
// that it need not wait.
func (p *pass) run(ctx context.Context) error {
	if p.renewer.dryRun {
		return p.lookAtAll(ctx)
	}
	if err := p.renewer.ca.State.Make(); err != nil {
		return err
	}
	ctx, free, err := lease.Take(ctx, filepath.Dir(string(p.renewer.ca.State)))
	if errors.Is(err, lease.ErrHeld) {
		p.logf("%v; nothing done", err)
		return nil
	}
	if err != nil {
		return err
	}
	defer free()
	stop, err := p.renewer.proofs.Listen(ctx, p.logf)
	if err != nil {
		return err
	}
	defer stop()
	return p.lookAtAll(ctx)
}

// lookAtAll looks at each site, a few at a time. The error says how many failed.
func (p *pass) lookAtAll(ctx context.Context) error {
	if err := p.renewer.begin(ctx); err != nil {
		return err
	}
	p.done, p.failed = 0, 0
	cli.ForEach(ctx, p.workers, p.sites, func(s site.Site) { p.look(ctx, s) })
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("%w: %d of %d domains done, %d failed", context.Cause(ctx), p.done-p.failed, len(p.sites), p.failed)
	case p.failed > 0:
		return fmt.Errorf("%d of %d domains failed", p.failed, len(p.sites))
	}
	return nil
}

// look looks at a site. It prints the line of the site, and on a terminal how
// far the pass is.
func (p *pass) look(ctx context.Context, s site.Site) {
	did, err := p.renewer.renew(ctx, s)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done++
	if err != nil {
		p.failed++
		did = "failed: " + err.Error()
	}
	_, _ = fmt.Fprintln(p.stdout, s.Domain+": "+cli.OneLine(did)) // the exit status counts
	if cli.IsTerminal(p.stderr) {
		_, _ = fmt.Fprintf(p.stderr, "%d of %d\r", p.done, len(p.sites))
	}
}

// logf prints what the exit status does not tell.
func (p *pass) logf(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	_, _ = fmt.Fprintln(p.stderr, "renew: "+cli.OneLine(fmt.Sprintf(format, args...))) // as in report
}

func (p *pass) logError(err error) {
	if err != nil {
		p.logf("%v", err)
	}
}
