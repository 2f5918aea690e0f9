package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/cdn/cdntest"
	"github.com/cdncsr/cdncsr/csr"
)

// runWith runs the program and returns its exit status and its output, stderr
// before stdout.
func runWith(ctx context.Context, args ...string) (status int, output string) {
	var stdout, stderr bytes.Buffer
	status = run(ctx, args, &stdout, &stderr)
	return status, stderr.String() + stdout.String()
}

// readRecords reads the results and requires that no name occurs twice.
func readRecords(t *testing.T, path string) map[string]record {
	t.Helper()
	records := make(map[string]record)
	for line := range strings.Lines(readFile(t, path)) {
		var r record
		require.NoError(t, json.Unmarshal([]byte(line), &r), line)
		require.NotContains(t, records, r.Name)
		records[r.Name] = r
	}
	return records
}

// requireKey requires that store holds the key of a record's CSR.
func requireKey(t *testing.T, store csr.KeyStore, r record) {
	t.Helper()
	parsed, err := r.CertificateRequest()
	require.NoError(t, err)
	require.Equal(t, strings.ToLower(r.Name), parsed.Subject.CommonName)
	key, err := store.Get(t.Context(), r.PubMd5)
	require.NoError(t, err)
	require.Equal(t, key.Public(), parsed.PublicKey)
}

func setCredentials(t *testing.T, id, secret string) {
	t.Helper()
	t.Setenv("ALIBABA_CLOUD_ACCESS_KEY_ID", id)
	t.Setenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET", secret)
	t.Setenv("ALIBABA_CLOUD_SECURITY_TOKEN", "")
}

func TestBulk_MakesOnlyMissingCSRs(t *testing.T) {
	t.Chdir(t.TempDir())
	require.NoError(t, os.WriteFile("names.csv", []byte("CommonName,SANs\nA.example,www.a.example\nb.example,\n"), 0o600))
	status, output := runWith(t.Context(), "-key-type", "p-256", "names.csv")
	require.Zero(t, status, output)
	assert.Equal(t, "bulk: 2 of 2 names have a CSR in csrs.jsonl\n", output)
	first := readRecords(t, "csrs.jsonl")
	require.Len(t, first, 2)
	for _, r := range first {
		assert.Equal(t, "local", r.Origin)
		requireKey(t, csr.DirStore{Path: "keys"}, r)
	}

	more := `{"CommonName": "c.example"}` + "\n" + `{"CommonName": "a.example"}` + "\n"
	require.NoError(t, os.WriteFile("more.jsonl", []byte(more), 0o600))
	status, output = runWith(t.Context(), "-key-type", "p-256", "more.jsonl")
	require.Zero(t, status, output)
	second := readRecords(t, "csrs.jsonl")
	require.Len(t, second, 3)
	assert.Equal(t, first["A.example"], second["A.example"])
	requireKey(t, csr.DirStore{Path: "keys"}, second["c.example"])
}

func TestBulk_ReportsFailedRowsAndDoesTheRest(t *testing.T) {
	srv := cdntest.NewServer(t)
	srv.API.Source = csr.P256
	calls := make(map[string]int)
	srv.API.OnRequest = func(c cdntest.Request) { calls[c.Params["CommonName"]]++ }
	isBusy := func(params map[string]string) bool { return params["CommonName"] == "busy.example" }
	srv.API.Inject(cdntest.Fault{Match: isBusy, Code: "Throttling", Header: http.Header{"Retry-After": {"60"}}})
	setCredentials(t, "testid", "testsecret")
	list := writeList(t, "names.csv",
		"CommonName,Country\nbusy.example,CN\nwrong.example,CHN\nshort.example\na.example,CN\nb.example,CN\n")
	out := filepath.Join(t.TempDir(), "out.jsonl")
	args := []string{"-mode", "remote", "-endpoint", srv.URL, "-signer", "acs3", "-out", out, "-workers", "3", list}

	status, output := runWith(t.Context(), args...)
	assert.Equal(t, 1, status)
	assert.Contains(t, output, "bulk: line 2: cdn: throttled")
	assert.Contains(t, output, `invalid request: Country "CHN"`)
	assert.Contains(t, output, "bulk: line 4: wrong number of fields\n")
	assert.Contains(t, output, "2 of 5 names have a CSR in "+out+": 3 failed, as reported above")

	status, output = runWith(t.Context(), args...)
	assert.Equal(t, 1, status)
	assert.Contains(t, output, "3 of 5 names have a CSR in "+out+": 2 failed")
	assert.Equal(t, map[string]int{"busy.example": 2, "a.example": 1, "b.example": 1}, calls)
	for _, r := range readRecords(t, out) {
		assert.Equal(t, "CDN", r.Origin)
		requireKey(t, &srv.API.Keys, r)
	}
}

func TestBulk_StopsWhenDenied(t *testing.T) {
	srv := cdntest.NewServer(t)
	calls := 0
	srv.API.OnRequest = func(cdntest.Request) { calls++ }
	setCredentials(t, "testid", "wrong")
	out := filepath.Join(t.TempDir(), "out.jsonl")
	status, output := runWith(t.Context(),
		"-mode", "remote", "-endpoint", srv.URL, "-out", out, "-workers", "2", listOf(t, 100))
	assert.Equal(t, 1, status)
	assert.Regexp(t,
		`^bulk: 0 of 100 names have a CSR in .+: line [0-9]+: cdn: denied: [^\n]+; run the same command again`, output)
	assert.Equal(t, 1, strings.Count(output, "\n"))
	assert.LessOrEqual(t, calls, 2)
}

func TestBulk_StopsInAnOutage(t *testing.T) {
	srv := cdntest.NewServer(t)
	srv.API.Source = csr.P256
	var outage []cdntest.Fault
	for range 500 {
		outage = append(outage, cdntest.Fault{Code: "Throttling", Header: http.Header{"Retry-After": {"60"}}})
	}
	srv.API.Inject(slices.Insert(outage, 40, cdntest.Fault{})...) // a call that is served resets the count
	calls := 0
	srv.API.OnRequest = func(cdntest.Request) { calls++ }
	setCredentials(t, "testid", "testsecret")
	out := filepath.Join(t.TempDir(), "out.jsonl")
	status, output := runWith(t.Context(),
		"-mode", "remote", "-endpoint", srv.URL, "-out", out, "-workers", "1", listOf(t, 200))
	assert.Equal(t, 1, status)
	assert.Equal(t, 40+1+maxUnserved, calls)
	assert.Contains(t, output, "bulk: 1 of 200 names have a CSR in "+out)
	assert.Contains(t, output, "the CDN could not serve 64 calls in a row")
}

// listOf writes a list of n names and returns its path.
func listOf(t *testing.T, n int) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("CommonName\n")
	for i := range n {
		fmt.Fprintf(&b, "n%d.example\n", i)
	}
	return writeList(t, "names.csv", b.String())
}

func TestBulk_FallsBackToThisMachine(t *testing.T) {
	srv := cdntest.NewServer(t)
	srv.API.Source = csr.P256
	slow := cdntest.Fault{Code: "Throttling", Header: http.Header{"Retry-After": {"60"}}}
	srv.API.Inject(slow, slow, slow)
	setCredentials(t, "testid", "testsecret")
	dir := t.TempDir()
	out := filepath.Join(dir, "out.jsonl")
	status, output := runWith(t.Context(), "-mode", "fallback", "-endpoint", srv.URL, "-out", out,
		"-keys", filepath.Join(dir, "keys"), "-key-type", "p-256", listOf(t, 10))
	require.Zero(t, status, output)
	assert.Equal(t, 1, strings.Count(output, "this machine makes the CSR because the CDN could not serve: cdn: throttled"))
	origins := make(map[string]int)
	for _, r := range readRecords(t, out) {
		origins[r.Origin]++
	}
	assert.Equal(t, map[string]int{"CDN": 7, "local": 3}, origins)
}

// During an outage an unusable key directory concerns every row, so it ends the
// run, and is not taken for a part of the outage.
func TestBulk_StopsWhenTheKeyDirectoryIsUnusable(t *testing.T) {
	srv := cdntest.NewServer(t)
	busy := cdntest.Fault{Code: "Throttling", Header: http.Header{"Retry-After": {"60"}}}
	srv.API.Inject(slices.Repeat([]cdntest.Fault{busy}, 100)...)
	setCredentials(t, "testid", "testsecret")
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	status, output := runWith(t.Context(), "-mode", "fallback", "-endpoint", srv.URL, "-keys", file,
		"-out", filepath.Join(dir, "out.jsonl"), "-workers", "1", listOf(t, 100))
	assert.Equal(t, 1, status)
	assert.Regexp(t, `bulk: 0 of 100 names have a CSR in .+: line 2: .*"[^"]*file".*; run the same command again`, output)
	assert.NotContains(t, output, "calls in a row")
}

func TestBulk_FinishesCallsInProgressOnInterrupt(t *testing.T) {
	srv := cdntest.NewServer(t)
	srv.API.Source = csr.P256
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	calls := 0
	srv.API.OnRequest = func(cdntest.Request) {
		if calls++; calls == 5 {
			interrupt()
		}
	}
	setCredentials(t, "testid", "testsecret")
	out := filepath.Join(t.TempDir(), "out.jsonl")
	args := []string{"-mode", "remote", "-endpoint", srv.URL, "-out", out, "-workers", "3", listOf(t, 20)}
	status, output := runWith(ctx, args...)
	assert.Equal(t, 1, status)
	assert.Regexp(t,
		`^bulk: finishing the calls in progress; .+\nbulk: [0-9]+ of 20 names have .+: interrupted; [^\n]+\n$`, output)
	assert.Len(t, readRecords(t, out), calls)
	assert.Less(t, calls, 20)

	status, output = runWith(t.Context(), args...)
	require.Zero(t, status, output)
	assert.Len(t, readRecords(t, out), 20)
	assert.Equal(t, 20, calls)
}

// creatorFunc adapts a function to cdn.CSRCreator.
type creatorFunc func(ctx context.Context, req *csr.Request) (*csr.Response, error)

func (f creatorFunc) CreateCdnCertificateSigningRequest(ctx context.Context, req *csr.Request) (*csr.Response, error) {
	return f(ctx, req)
}

func TestBatch_DoesNotCancelCallsOnInterrupt(t *testing.T) {
	ctx, interrupt := context.WithCancel(t.Context())
	b := &batch{
		journal: mustOpenJournal(t, filepath.Join(t.TempDir(), "out.jsonl")),
		display: newDisplay(io.Discard),
		creator: creatorFunc(func(ctx context.Context, _ *csr.Request) (*csr.Response, error) {
			interrupt()
			return &csr.Response{}, ctx.Err()
		}),
	}
	a, c := csr.Request{CommonName: "a.example"}, csr.Request{CommonName: "b.example"}
	err := b.run(ctx, 1, []row{{request: a}, {request: c}})
	assert.ErrorContains(t, err, "1 of 2 names have a CSR")
	assert.ErrorContains(t, err, "interrupted")
}

func TestBulk_WrongUsage(t *testing.T) {
	for why, args := range map[string][]string{
		"0 arguments after the flags":  {},
		"2 arguments after the flags":  {"a.csv", "b.csv"},
		"-workers 0: want 1 or more":   {"-workers", "0", "a.csv"},
		"ends in .csv or .jsonl":       {"names.txt"},
		"want local, remote, fallback": {"-mode", "cloud", "a.csv"},
		`"cdn"`:                        {"-mode", "remote", "-endpoint", "cdn", "a.csv"},
	} {
		status, output := runWith(t.Context(), args...)
		assert.Equal(t, 2, status)
		assert.Regexp(t, `^bulk: [^\n]+\n$`, output)
		assert.Contains(t, output, why)
	}
	status, output := runWith(t.Context(), "-h")
	assert.Zero(t, status)
	assert.Contains(t, output, "  -workers N\n")
}

func TestBulk_FailsInOneLine(t *testing.T) {
	t.Chdir(t.TempDir())
	status, output := runWith(t.Context(), "missing.csv")
	assert.Equal(t, 1, status)
	assert.Contains(t, output, "missing.csv")
	status, output = runWith(t.Context(), "-out", filepath.Join("missing", "out.jsonl"), listOf(t, 1))
	assert.Equal(t, 1, status)
	assert.Contains(t, output, "out.jsonl")
	require.NoError(t, os.WriteFile("file", nil, 0o600))
	status, output = runWith(t.Context(), "-keys", "file", listOf(t, 100))
	assert.Equal(t, 1, status)
	assert.Contains(t, output, "0 of 100 names have a CSR in csrs.jsonl: line ")
}
