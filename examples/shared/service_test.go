package main

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/cdn/cdntest"
	"github.com/cdncsr/cdncsr/csr"
	"github.com/cdncsr/cdncsr/internal/engines"
	"github.com/cdncsr/cdncsr/signer"
)

// fakeCDN is a CDN that can be down. It notes when it is called.
type fakeCDN struct {
	cdntest.API
	down atomic.Bool

	mu     sync.Mutex
	called []time.Time
}

func (f *fakeCDN) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	f.called = append(f.called, time.Now())
	f.mu.Unlock()
	if f.down.Load() {
		http.Error(w, "down", http.StatusServiceUnavailable)
		return
	}
	f.API.ServeHTTP(w, r)
}

// startCDN starts a fake CDN and returns its URL.
func startCDN(t *testing.T) (*fakeCDN, string) {
	t.Helper()
	fake := &fakeCDN{API: cdntest.API{
		Credentials: []signer.Credentials{{AccessKeyID: "testid", AccessKeySecret: "testsecret"}}, Source: csr.P256,
	}}
	server := httptest.NewServer(fake)
	t.Cleanup(server.Close)
	return fake, server.URL
}

// A process is the program, running.
type process struct {
	url string
	log *bytes.Buffer // complete once the process has ended
	end func()
}

// start starts the program and returns when it listens.
func start(t *testing.T, program string, env []string) *process {
	t.Helper()
	cmd := exec.Command(program, "serve") // the test's context ends before the cleanup, which ends it
	cmd.Env = append(os.Environ(), env...)
	stderr, err := cmd.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	p := &process{log: new(bytes.Buffer)}
	lines := bufio.NewScanner(io.TeeReader(stderr, p.log))
	for p.url == "" {
		require.True(t, lines.Scan(), "it ended: %s", p.log)
		if _, rest, found := strings.Cut(lines.Text(), "url="); found {
			p.url, _, _ = strings.Cut(rest, " ")
		}
	}
	drained := make(chan struct{})
	go func() {
		defer close(drained)
		for lines.Scan() {
		}
	}()
	p.end = sync.OnceFunc(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM) // it may have ended
		<-drained
		assert.NoError(t, cmd.Wait())
	})
	t.Cleanup(p.end)
	return p
}

// post creates a CSR.
func (p *process) post(t *testing.T, domain string) csrAnswer {
	t.Helper()
	resp, err := http.Post(p.url+"/csrs/"+domain, "", nil)
	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }()
	require.Equal(t, http.StatusCreated, resp.StatusCode)
	var answer csrAnswer
	require.NoError(t, json.NewDecoder(resp.Body).Decode(&answer))
	return answer
}

func (p *process) get(t *testing.T, path string) (status int, body []byte) {
	t.Helper()
	resp, err := http.Get(p.url + path)
	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }()
	body, err = io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp.StatusCode, body
}

// startTwo starts the engines, the table and two processes.
func startTwo(t *testing.T) (*fakeCDN, *engines.Engine, [2]*process) {
	t.Helper()
	postgres, redis := engines.Postgres(t), engines.Redis(t)
	dir := t.TempDir()
	program := filepath.Join(dir, "shared")
	out, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, ".").CombinedOutput()
	require.NoError(t, err, "%s", out)
	ring := filepath.Join(dir, "ring")
	require.NoError(t, os.WriteFile(ring, []byte(base64.StdEncoding.EncodeToString(testRing())), 0o600))
	fake, url := startCDN(t)
	env := []string{
		"ADDR=127.0.0.1:0", "PROCESSES=2", "RING_FILE=" + ring, "CDN_ENDPOINT=" + url,
		"DATABASE_URL=" + postgres.DSN(engines.Access{}), "REDIS_URL=" + redis.DSN(engines.Access{}),
		"ALIBABA_CLOUD_ACCESS_KEY_ID=testid", "ALIBABA_CLOUD_ACCESS_KEY_SECRET=testsecret", "ALIBABA_CLOUD_SECURITY_TOKEN=",
	}
	create := exec.CommandContext(t.Context(), program, "create-table")
	create.Env = append(os.Environ(), env...)
	out, err = create.CombinedOutput()
	require.NoError(t, err, "%s", out)
	return fake, postgres, [2]*process{start(t, program, env), start(t, program, env)}
}

// testRing returns a key that no other test has.
func testRing() []byte { return []byte("the ring of examples/shared test") }

func TestShared_TwoProcesses(t *testing.T) {
	fake, postgres, two := startTwo(t)
	t.Run("ShareTheLimit", func(t *testing.T) { testShareTheLimit(t, fake, two) })
	t.Run("FindEachOthersKeys", func(t *testing.T) { testFindKeys(t, fake, postgres, two) })
	for _, p := range two {
		p.end()
		assert.NotContains(t, p.log.String(), "PRIVATE KEY")
		assert.NotContains(t, p.log.String(), base64.StdEncoding.EncodeToString(testRing()))
		assert.NotContains(t, p.log.String(), "testsecret")
	}
}

func testFindKeys(t *testing.T, fake *fakeCDN, postgres *engines.Engine, two [2]*process) {
	assert.Equal(t, "CDN", two[0].post(t, "example.com").Origin)

	fake.down.Store(true)
	made := two[0].post(t, "example.com")
	assert.Equal(t, "local", made.Origin)
	parsed, err := made.CertificateRequest()
	require.NoError(t, err)
	for _, p := range two {
		status, body := p.get(t, "/keys/"+made.PubMd5)
		require.Equal(t, http.StatusOK, status, "%s", body)
		block, _ := pem.Decode(body)
		require.NotNil(t, block)
		assert.Equal(t, parsed.RawSubjectPublicKeyInfo, block.Bytes)
		status, _ = p.get(t, "/keys/"+strings.Repeat("0", 32))
		assert.Equal(t, http.StatusNotFound, status)
	}

	var value []byte
	require.NoError(t, postgres.DB().QueryRowContext(t.Context(), "SELECT value FROM cdncsr_keys WHERE name = $1", made.PubMd5).Scan(&value))
	assert.NotContains(t, string(value), string(parsed.RawSubjectPublicKeyInfo[24:]), "the value is not sealed")
}

func testShareTheLimit(t *testing.T, fake *fakeCDN, two [2]*process) {
	const workers, each = 8, 10
	var group sync.WaitGroup
	for _, p := range two {
		for range workers {
			group.Go(func() {
				for range each {
					p.post(t, "example.com")
				}
			})
		}
	}
	group.Wait()
	fake.mu.Lock()
	defer fake.mu.Unlock()
	require.GreaterOrEqual(t, len(fake.called), 2*workers*each) // a slow answer is asked for again
	span := fake.called[len(fake.called)-1].Sub(fake.called[0])
	const shared = 2 * workers * each * 10 * time.Millisecond // 160 calls, 100 a second; half of it if each has its own limit
	assert.Greater(t, span, shared*3/4, "they don't share the limit")
}

func TestConfig_NamesEveryMistake(t *testing.T) {
	ring := filepath.Join(t.TempDir(), "ring")
	require.NoError(t, os.WriteFile(ring, []byte("c2hvcnQ="), 0o600))
	env := map[string]string{"PROCESSES": "none", "REDIS_URL": "http://user:secret@host/", "RING_FILE": ring}
	_, err := readConfig(func(name string) string { return env[name] })
	require.Error(t, err)
	for _, name := range []string{"ADDR", "DATABASE_URL", "PROCESSES", "REDIS_URL", "RING_FILE"} {
		assert.ErrorContains(t, err, name)
	}
	assert.NotContains(t, err.Error(), "secret")
	assert.NotContains(t, err.Error(), "c2hvcnQ=")
}
