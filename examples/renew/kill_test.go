package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/cdn/cdntest"
)

// A killer kills the program during a request to the CA or the CDN. The server
// does the work all the same.
type killer struct {
	mu        sync.Mutex
	in        int // requests left until it kills; negative: it does not
	kill      func()
	finalized int // kills during a finalization
}

func (k *killer) hit(request string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.in--; k.in != 0 {
		return
	}
	k.kill()
	if strings.HasPrefix(request, "/finalize-order/") {
		k.finalized++
	}
}

// killedRun runs the program and kills it during its nth request. It reports
// whether the program has succeeded before.
func (f *fixture) killedRun(t *testing.T, k *killer, nth int, args ...string) (done bool) {
	t.Helper()
	grow(t, f.path("state")) // as if a minute had gone by
	// What this goroutine did before comes before the program's requests, which
	// the race detector knows of a write and a read, but not of a process.
	require.NoError(t, os.WriteFile(f.path("runs"), []byte("one more"), 0o600))
	var out bytes.Buffer
	cmd := exec.CommandContext(t.Context(), os.Args[0], f.flags(args...)...)
	cmd.Env = append(os.Environ(), asProgram+"=1", "SSL_CERT_FILE="+f.path("root.pem"))
	cmd.Stdout, cmd.Stderr = &out, &out
	k.mu.Lock() // until there is a process to kill
	k.in, k.kill = nth, func() { _ = cmd.Process.Kill() }
	err := cmd.Start()
	k.mu.Unlock()
	require.NoError(t, err)
	_ = cmd.Wait() // it was killed, or ended before the nth request
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.in > 0 || nth < 0 {
		require.True(t, cmd.ProcessState.Success(), out.String())
	}
	k.in = -1
	return cmd.ProcessState.Success()
}

// The program is killed at random. In the end each domain is served, and the
// CA has issued one certificate for each set of names, and one more at the most
// for each kill during a finalization.
func TestRenew_SurvivesKills(t *testing.T) {
	domains := make([]string, 20)
	for i := range domains {
		domains[i] = fmt.Sprintf("d%d.example.com", i)
	}
	f := newFixture(t, caOptions{}, domains...)
	k := &killer{in: -1}
	f.ca.intercept(func(_ http.ResponseWriter, path string) bool { k.hit(path); return false })
	f.cdn.API.OnRequest = func(r cdntest.Request) { k.hit(r.Action) }
	kills, n := 100, 0
	for left := kills; left > 0; {
		if f.killedRun(t, k, 1+rand.IntN(60), generation("remote", n, domains)...) {
			n++ // other names, so that each domain is due again
		} else {
			left--
		}
	}
	require.True(t, f.killedRun(t, k, -1, generation("local", n, domains)...))
	issued := 0
	for _, domain := range domains {
		require.Contains(t, f.served(t, domain).DNSNames, nameOf(n, domain))
		for g := range n + 1 {
			certs := len(f.ca.issued(nameOf(g, domain)))
			require.NotZero(t, certs)
			issued += certs
		}
	}
	t.Logf("%d kills, %d of them during a finalization, %d certificates for %d sets of names",
		kills, k.finalized, issued, len(domains)*(n+1))
	require.LessOrEqual(t, issued, len(domains)*(n+1)+k.finalized)
}

// nameOf returns a name that the certificates of a generation have.
func nameOf(generation int, domain string) string { return fmt.Sprintf("g%d.%s", generation, domain) }

// generation returns arguments for the domains, each with a name of the
// generation.
func generation(mode string, n int, domains []string) []string {
	args := []string{"-mode", mode}
	for _, domain := range domains {
		args = append(args, domain+","+nameOf(n, domain))
	}
	return args
}
