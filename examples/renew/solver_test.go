package main

import (
	"context"
	"flag"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/mholt/acmez/v3/acme"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/examples/renew/internal/http01"
)

// legoProvider is challenge.Provider of github.com/go-acme/lego.
type legoProvider interface {
	Present(domain, token, keyAuth string) error
	CleanUp(domain, token, keyAuth string) error
}

// legoSolver makes a provider of lego (challenge.Provider) a solver.
type legoSolver struct{ provider legoProvider }

func (s legoSolver) Present(_ context.Context, c acme.Challenge) error {
	return s.provider.Present(c.Identifier.Value, c.Token, c.KeyAuthorization)
}

func (s legoSolver) CleanUp(_ context.Context, c acme.Challenge) error {
	return s.provider.CleanUp(c.Identifier.Value, c.Token, c.KeyAuthorization)
}

// legoDir is a provider of lego that does what http01.Dir does.
type legoDir struct{ http01.Dir }

func (d legoDir) challenge(token, keyAuth string) acme.Challenge {
	return acme.Challenge{Token: token, KeyAuthorization: keyAuth}
}

func (d legoDir) Present(_, token, keyAuth string) error {
	return d.Dir.Present(context.Background(), d.challenge(token, keyAuth))
}

func (d legoDir) CleanUp(_, token, keyAuth string) error {
	return d.Dir.CleanUp(context.Background(), d.challenge(token, keyAuth))
}

func TestSolver_OfAnotherLibrary(t *testing.T) {
	f := newFixture(t, caOptions{}, "example.com")
	cmd := new(command)
	sites, err := cmd.parse(f.flags("example.com"), nil)
	require.NoError(t, err)
	r, err := cmd.renewer(f.http, t.Errorf)
	require.NoError(t, err)
	r.logf = t.Logf // that it waits
	require.NoError(t, r.ca.State.Make())
	require.NoError(t, r.begin(t.Context()))
	r.ca.Solver = legoSolver{legoDir{http01.Dir(f.path("web"))}}
	_, err = r.renew(t.Context(), sites[0])
	require.NoError(t, err)
	f.requireNoProofs(t)
}

func TestREADME(t *testing.T) {
	data, err := os.ReadFile("README.md")
	require.NoError(t, err)
	readme := string(data)
	fence := regexp.MustCompile("(?s)<!-- (\\S+\\.go) -->\n```go\n(.*?)```").FindAllStringSubmatch(readme, -1)
	require.NotEmpty(t, fence)
	for _, f := range fence {
		source, err := os.ReadFile(f[1])
		require.NoError(t, err)
		assert.Contains(t, string(source), f[2], "README.md differs from %s", f[1])
	}
	for _, link := range regexp.MustCompile(`\]\(([^):]+)\)`).FindAllStringSubmatch(readme, -1) {
		_, err := os.Stat(link[1])
		assert.NoError(t, err)
	}
	var out strings.Builder
	_, help := new(command).parse([]string{"-h"}, &out)
	require.ErrorIs(t, help, flag.ErrHelp)
	for _, flag := range regexp.MustCompile(`[ \x60\[](-[a-z]+(?:-[a-z]+)*)[ ,\x60]`).FindAllStringSubmatch(readme, -1) {
		if flag[1] == "-timeout" || flag[1] == "-run" {
			continue // of go test
		}
		assert.Contains(t, out.String(), "\n  "+flag[1], "README.md names a flag that does not exist")
	}
}
