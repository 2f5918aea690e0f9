package main

import (
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/cdn/cdntest"
)

// TestMain lets the test's program be the service too, as the command is.
func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == serveArgument {
		exit(serve(os.Stdin, os.Stdout))
	}
	withoutProxies()
	exitOn(flag.Set("rapid.checks", "10000")) // unless the command line says how many
	os.Exit(m.Run())
}

// All contenders are answered and everything is written; speed is not asserted.
func TestRun_Short(t *testing.T) {
	docs := t.TempDir()
	page := filepath.Join(docs, "comparison.md")
	require.NoError(t, os.WriteFile(page, []byte("before\n<!-- begin: go run . -->\nold\n<!-- end: go run . -->\nafter\n"), 0o600))
	var out strings.Builder
	require.NoError(t, run(&out, shortRounds, shortCalls, docs))
	for _, name := range []string{floorName, byHand, libraryRPC, libraryACS3, sdkV1, sdkV2, actionName, setAction} {
		assert.Contains(t, out.String(), "| "+name+" ")
	}
	text, err := os.ReadFile(page)
	require.NoError(t, err)
	assert.Equal(t, "before\n<!-- begin: go run . -->\n"+out.String()+"<!-- end: go run . -->\nafter\n", string(text))
	chart, err := os.ReadFile(filepath.Join(docs, "comparison.svg"))
	require.NoError(t, err)
	assertXML(t, string(chart))
	assert.Equal(t, 3*6, strings.Count(string(chart), "<rect"))
}

func assertXML(t *testing.T, text string) {
	t.Helper()
	decoder := xml.NewDecoder(strings.NewReader(text))
	for {
		_, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return
		}
		require.NoError(t, err)
	}
}

func TestRun_PageWithoutMarks(t *testing.T) {
	docs := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(docs, "comparison.md"), nil, 0o600))
	require.Error(t, results{calls: []figures{{name: floorName, ratio: 1}}}.publish(docs))
}

// A contender whose answer is not complete must not count as fast.
func TestClients_FailWithoutACSR(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"RequestId":"x"}`) // a client that has gone is no error of the service
	}))
	t.Cleanup(srv.Close)
	clients, err := newClients(srv.URL)
	require.NoError(t, err)
	require.Len(t, clients, 6)
	for _, c := range clients {
		assert.Error(t, c.do(), c.name)
	}
}

// The fake accepts what is signed by hand.
func TestByHand_IsAccepted(t *testing.T) {
	srv := cdntest.NewServer(t)
	c, err := newByHand(srv.URL)
	require.NoError(t, err)
	require.NoError(t, c.do())
}

// The operations' parameters have the same size, and the second operation
// allocates at most 1.3 times as much as the first.
func TestOperations_AllocateAlike(t *testing.T) {
	assert.Equal(t, size(parameters), len(setRequest.DomainName)+len(setRequest.ServerCertificate))
	srv, err := startServer()
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, srv.stop()) })
	operations, err := newOperations(srv.url)
	require.NoError(t, err)
	figures, err := measuring{operations, 200, 1, srv}.measure(shortRounds)
	require.NoError(t, err)
	require.Len(t, figures, 2)
	first, second := figures[0], figures[1]
	t.Logf("allocations: %.0f and %.0f, bytes: %.0f and %.0f", first.allocs, second.allocs, first.bytes, second.bytes)
	assert.Positive(t, first.allocs)
	assert.LessOrEqual(t, second.allocs, 1.3*first.allocs)
}

func TestMedian(t *testing.T) {
	assert.InDelta(t, 2, median([]float64{9, 1, 2}), 0)
	assert.InDelta(t, 2.5, median([]float64{9, 1, 2, 3}), 0)
}

// Ratios compare samples of the same round, so that a slow round does not
// count.
func TestSummarize_RatiosOfTheSameRound(t *testing.T) {
	own := []sample{{cpu: 2, service: 1}, {cpu: 200, service: 1}, {cpu: 4, service: 3}}
	base := []sample{{cpu: 1, service: 1}, {cpu: 100, service: 1}, {cpu: 2, service: 3}}
	f := summarize(own, base)
	assert.InDelta(t, 2, f.ratio, 0)
	assert.InDelta(t, 1.5, f.bothRatio, 1e-9)
	assert.InDelta(t, 4, f.cpu, 0)
}
