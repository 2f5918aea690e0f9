package aliyunsdk_test

import (
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

// TestMain lets no request leave the machine: the SDK's providers send by
// clones of http.DefaultTransport, which here sends to loopback only. It also
// hides the environment and the home directory of whoever runs the tests.
func TestMain(m *testing.M) {
	http.DefaultTransport = &http.Transport{DisableKeepAlives: true, Proxy: loopbackOnly}
	for _, entry := range os.Environ() {
		name, _, _ := strings.Cut(entry, "=")
		if strings.HasPrefix(name, "ALIBABA_CLOUD_") || strings.HasSuffix(strings.ToLower(name), "_proxy") {
			must(os.Unsetenv(name))
		}
	}
	must(os.Setenv("ALIBABA_CLOUD_ECS_METADATA_DISABLED", "true"))
	home, err := os.MkdirTemp("", "home")
	must(err)
	must(os.Setenv("HOME", home))
	must(os.Setenv("USERPROFILE", home))
	setChecks()
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		_ = os.RemoveAll(home) // the directory is empty
		os.Exit(code)
	}))
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// loopbackOnly is a proxy function that uses no proxy for loopback, and fails
// for any other address.
func loopbackOnly(r *http.Request) (*url.URL, error) {
	addr, err := netip.ParseAddr(r.URL.Hostname())
	if err != nil || !addr.IsLoopback() {
		return nil, fmt.Errorf("a test wanted to send to %s", r.URL.Host)
	}
	return nil, nil
}
