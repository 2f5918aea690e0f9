// Command soak lets one client make calls for a while, as fast as it can, against a fake CDN on loopback that fails in every
// way that it knows. Each call must end as its script says, and memory and goroutines must be as flat at the end as they were
// at the beginning.
//
//	go run ./internal/soak -for 10m
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/signal"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"github.com/cdncsr/cdncsr/cdn"
	"github.com/cdncsr/cdncsr/cdn/cdntest"
	"github.com/cdncsr/cdncsr/csr"
	"github.com/cdncsr/cdncsr/signer"
)

const (
	workers       = 32  // most of them wait for a retry at any time; of 64 the client's retry budget would rightly run out
	callsPerRound = 400 // of each worker
)

func main() {
	duration := flag.Duration("for", 30*time.Second, "how long")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := soak(ctx, *duration, os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "soak:", err)
		os.Exit(1)
	}
}

// A sample is what a round left behind.
type sample struct {
	heap       uint64 // bytes in use after a collection
	goroutines int
}

// soak plays rounds until the time is over. Between two rounds no call is under way.
func soak(ctx context.Context, duration time.Duration, out io.Writer) error {
	var fake atomic.Pointer[cdntest.API]
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fake.Load().ServeHTTP(w, r) }))
	defer srv.Close()
	creds := signer.Credentials{AccessKeyID: "testid", AccessKeySecret: "testsecret"}
	client, err := cdn.NewClient(cdn.StaticCredentials(creds), &cdn.Options{Endpoint: srv.URL, Limiter: rate.NewLimiter(rate.Inf, 0)})
	if err != nil {
		return err
	}
	defer client.CloseIdleConnections()
	key, err := csr.P256.NewKey(ctx) // one for all: it is not the making of keys that is soaked
	if err != nil {
		return err
	}
	var samples []sample
	total := 0
	for end := time.Now().Add(duration); time.Now().Before(end) || len(samples) < 3; {
		fake.Store(&cdntest.API{Credentials: []signer.Credentials{creds}, Source: oneKey{key}}) // forgets nonces and keys
		start := time.Now()
		if err := playRound(ctx, client, fake.Load(), total); err != nil {
			return err
		}
		total += workers * callsPerRound
		samples = append(samples, take())
		last := samples[len(samples)-1]
		_, _ = fmt.Fprintf(out, "%d calls, %.0f a second, %.1f MB in use, %d goroutines\n", // a report lost is no failure
			total, workers*callsPerRound/time.Since(start).Seconds(), float64(last.heap)/(1<<20), last.goroutines)
	}
	return flat(samples)
}

// playRound lets all workers make their calls, and returns the first that did not end as its script says.
func playRound(ctx context.Context, client *cdn.Client, fake *cdntest.API, first int) error {
	failed := make(chan error, workers)
	var group sync.WaitGroup
	for w := range workers {
		group.Go(func() {
			for i := range callsPerRound {
				n := first + w*callsPerRound + i
				if err := playCall(ctx, client, fake, n); err != nil {
					failed <- err
					return
				}
			}
		})
	}
	group.Wait()
	close(failed)
	return <-failed // nil if there is none
}

// playCall makes the n-th call by the n-th script.
func playCall(ctx context.Context, client *cdn.Client, fake *cdntest.API, n int) error {
	s := scripts[n%len(scripts)]
	name := fmt.Sprintf("n%d.example.com", n)
	for _, fault := range s.faults {
		fault.Match = func(params map[string]string) bool { return params["CommonName"] == name }
		fake.Inject(fault)
	}
	resp, err := client.CreateCdnCertificateSigningRequest(ctx, &csr.Request{CommonName: name})
	if !s.endsAs(resp, err, name) {
		return fmt.Errorf("call %d, %s: ended with %v, %w", n, s.name, resp, err)
	}
	return nil
}

func take() sample {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return sample{heap: stats.HeapAlloc, goroutines: runtime.NumGoroutine()}
}

// flat compares the end with the beginning: the last third of the rounds with the first, without the very first one, which
// opens the connections.
func flat(samples []sample) error {
	third := len(samples) / 3
	early, late := most(samples[1:1+max(1, third)]), most(samples[len(samples)-max(1, third):])
	if late.heap > early.heap+early.heap/4+1<<20 {
		return fmt.Errorf("memory grew from %d to %d bytes", early.heap, late.heap)
	}
	if late.goroutines > early.goroutines+8 {
		return fmt.Errorf("goroutines grew from %d to %d", early.goroutines, late.goroutines)
	}
	return nil
}

func most(samples []sample) sample {
	var m sample
	for _, s := range samples {
		m.heap, m.goroutines = max(m.heap, s.heap), max(m.goroutines, s.goroutines)
	}
	return m
}
