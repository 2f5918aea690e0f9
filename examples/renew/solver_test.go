package main

import (
	"context"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/mholt/acmez/v3/acme"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
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

// legoDir is a provider of lego that does what httpDir does.
type legoDir struct{ httpDir }

func (d legoDir) challenge(token, keyAuth string) acme.Challenge {
	return acme.Challenge{Token: token, KeyAuthorization: keyAuth}
}

func (d legoDir) Present(_, token, keyAuth string) error {
	return d.httpDir.Present(context.Background(), d.challenge(token, keyAuth))
}

func (d legoDir) CleanUp(_, token, keyAuth string) error {
	return d.httpDir.CleanUp(context.Background(), d.challenge(token, keyAuth))
}

func TestSolver_OfAnotherLibrary(t *testing.T) {
	f := newFixture(t, caOptions{}, "example.com")
	cmd := new(command)
	require.NoError(t, cmd.parse(f.flags("example.com"), nil))
	r, err := cmd.renewer(t.Context(), f.http, func(err error) { t.Error(err) })
	require.NoError(t, err)
	r.ca.solver = legoSolver{legoDir{httpDir(f.path("web"))}}
	_, err = r.renew(t.Context(), cmd.sites[0])
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
	require.ErrorContains(t, new(command).parse([]string{"-h"}, &out), "help")
	for _, flag := range regexp.MustCompile(`[ \x60\[](-[a-z]+(?:-[a-z]+)*)[ ,\x60]`).FindAllStringSubmatch(readme, -1) {
		if flag[1] == "-timeout" || flag[1] == "-run" {
			continue // of go test
		}
		assert.Contains(t, out.String(), "\n  "+flag[1], "README.md names a flag that does not exist")
	}
}
