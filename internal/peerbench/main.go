package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
)

// How much to measure.
const (
	fullRounds  = 41
	shortRounds = 3
	fullCalls   = 1000 // of each contender in each round
	shortCalls  = 20
	signFactor  = 10 // signing is done so many times as often, since it takes less time
)

func main() {
	if len(os.Args) == 2 && os.Args[1] == serveArgument {
		exit(serve(os.Stdin, os.Stdout))
	}
	withoutProxies()
	short := flag.Bool("short", false, "measure little")
	docs := flag.String("docs", "", "write comparison.md and comparison.svg into this `folder`")
	flag.Parse()
	rounds, calls := fullRounds, fullCalls
	if *short {
		rounds, calls = shortRounds, shortCalls
	}
	exit(run(os.Stdout, rounds, calls, *docs))
}

// withoutProxies hides the environment's proxies, which the SDKs use for
// loopback too.
func withoutProxies() {
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"} {
		exitOn(os.Unsetenv(name))
	}
}

// exit ends the program, with a message if err is not nil.
func exit(err error) {
	exitOn(err)
	os.Exit(0)
}

// exitOn ends the program with a message if err is not nil.
func exitOn(err error) {
	if err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "peerbench:", err) // there is nowhere else to report it
		os.Exit(1)
	}
}

// run measures everything and writes the tables to out, and to the folder docs
// if that is not empty.
func run(out io.Writer, rounds, calls int, docs string) (err error) {
	srv, err := startServer()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, srv.stop()) }()
	clients, err := newClients(srv.url)
	if err != nil {
		return err
	}
	signers, err := newSigners()
	if err != nil {
		return err
	}
	operations, err := newOperations(srv.url)
	if err != nil {
		return err
	}
	var all results
	for _, part := range []struct {
		figures *[]figures
		what    measuring
	}{
		{&all.calls, measuring{clients, calls, 1, srv}},
		{&all.crowd, measuring{clients, calls, crowd, srv}},
		{&all.signing, measuring{signers, calls * signFactor, 1, srv}},
		{&all.operations, measuring{operations, calls, 1, srv}},
	} {
		if *part.figures, err = part.what.measure(rounds); err != nil {
			return err
		}
	}
	if err := all.write(out); err != nil {
		return err
	}
	if docs == "" {
		return nil
	}
	return all.publish(docs)
}
