package aliyunsdk_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/cdncsr/cdncsr/signer"
)

// longLived is the access key that assumes roles.
var longLived = signer.Credentials{AccessKeyID: "LTAI5tLongLived", AccessKeySecret: "long-lived-secret"}

// issued returns the nth credentials that a cloud gives, counted from 1.
func issued(n int) signer.Credentials {
	return signer.Credentials{
		AccessKeyID:     fmt.Sprintf("STS.id-%d", n),
		AccessKeySecret: fmt.Sprintf("issued-secret-%d", n),
		SecurityToken:   fmt.Sprintf("CAIS+/token==%d", n),
	}
}

// A cloud plays the parts of Alibaba Cloud that the SDK's providers ask: STS,
// the metadata service of ECS, and a credentials URI. It listens on loopback.
type cloud struct {
	t   *testing.T
	url string

	mu       sync.Mutex
	lifetime time.Duration                        // of the credentials issued from now on
	broken   func(http.ResponseWriter) (did bool) // if non-nil, answers instead
	asked    []string                             // the questions, in turn
	issued   int
}

// newCloud starts a cloud and sends it everything that the SDK's providers send
// during the test: HTTPS by the dialer, and HTTP by a proxy, since the SDK
// replaces the dialer for HTTP.
func newCloud(t *testing.T) *cloud {
	c := &cloud{t: t, lifetime: time.Hour}
	srv := httptest.NewServer(c)
	t.Cleanup(srv.Close)
	c.url = srv.URL
	proxy, err := url.Parse(srv.URL)
	must(err)
	before := http.DefaultTransport
	http.DefaultTransport = &http.Transport{
		DisableKeepAlives: true,
		Proxy: func(r *http.Request) (*url.URL, error) {
			if r.URL.Scheme == "https" {
				return nil, nil
			}
			return proxy, nil
		},
		DialTLSContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, srv.Listener.Addr().String())
		},
	}
	t.Cleanup(func() { http.DefaultTransport = before })
	return c
}

// set changes the cloud.
func (c *cloud) set(change func(c *cloud)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	change(c)
}

// questions returns what the cloud has been asked.
func (c *cloud) questions() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]string(nil), c.asked...)
}

func (c *cloud) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	what := c.question(r)
	c.asked = append(c.asked, what)
	if c.broken != nil && c.broken(w) {
		return
	}
	switch what {
	case "metadata token":
		_, _ = w.Write([]byte("metadata-token")) // a client that has gone is no error of the fake's
	case "role name":
		_, _ = w.Write([]byte("the-role"))
	case "credentials of the-role", "credentials URI":
		c.write(w, c.issue(map[string]any{"Code": "Success"}))
	case "AssumeRole", "AssumeRoleWithOIDC":
		c.write(w, map[string]any{"RequestId": "id", "AssumedRoleUser": map[string]any{}, "Credentials": c.issue(map[string]any{})})
	case "GenerateSessionAccessKey":
		c.issued++
		creds := issued(c.issued)
		c.write(w, map[string]any{"SessionAccessKey": map[string]any{
			"SessionAccessKeyId": creds.AccessKeyID, "SessionAccessKeySecret": creds.AccessKeySecret, "Expiration": c.expiration(),
		}})
	default:
		c.t.Errorf("the cloud was asked for %s %s %s", r.Method, r.Host, r.URL.Path)
		w.WriteHeader(http.StatusNotFound)
	}
}

// question returns what r asks for, or "" if r is not as it should be.
func (c *cloud) question(r *http.Request) string {
	const roles = "/latest/meta-data/ram/security-credentials/"
	switch {
	case r.Host == "100.100.100.200" && r.Method == http.MethodPut && r.URL.Path == "/latest/api/token":
		return "metadata token"
	case r.Host == "100.100.100.200" && r.Header.Get("X-aliyun-ecs-metadata-token") == "metadata-token":
		if role := strings.TrimPrefix(r.URL.Path, roles); role != "" {
			return "credentials of " + role
		}
		return "role name"
	case strings.HasPrefix(r.Host, "sts.") && r.ParseForm() == nil:
		if r.Form.Get("Action") == "AssumeRole" {
			c.checkSignature(r)
		}
		return r.Form.Get("Action")
	case "http://"+r.Host == c.url && r.URL.Path == "/credentials":
		return "credentials URI"
	}
	return ""
}

// checkSignature compares the signature of a request to STS with the signer's.
func (c *cloud) checkSignature(r *http.Request) {
	creds := longLived
	if r.Form.Get("AccessKeyId") != creds.AccessKeyID {
		creds = issued(c.issued) // of a role that assumes another
	}
	call := signer.Call{Action: "AssumeRole", Version: r.Form.Get("Version"), Format: r.Form.Get("Format"), Params: map[string]string{}}
	for name := range r.PostForm {
		call.Params[name] = r.PostForm.Get(name)
	}
	at, err := time.Parse(time.RFC3339, r.Form.Get("Timestamp"))
	assert.NoError(c.t, err)
	in := signer.Input{Credentials: creds, Time: at, Nonce: r.Form.Get("SignatureNonce")}
	again, err := signer.RPC{}.Sign(c.t.Context(), &url.URL{Scheme: "https", Host: r.Host}, call, in)
	if assert.NoError(c.t, err) && assert.NoError(c.t, again.ParseForm()) {
		assert.Equal(c.t, again.Form.Get("Signature"), r.Form.Get("Signature"), "the signature of AssumeRole")
	}
}

// issue adds new credentials to an answer.
func (c *cloud) issue(answer map[string]any) map[string]any {
	c.issued++
	creds := issued(c.issued)
	answer["AccessKeyId"], answer["AccessKeySecret"] = creds.AccessKeyID, creds.AccessKeySecret
	answer["SecurityToken"], answer["Expiration"] = creds.SecurityToken, c.expiration()
	return answer
}

func (c *cloud) expiration() string {
	return time.Now().Add(c.lifetime).UTC().Format("2006-01-02T15:04:05Z")
}

func (c *cloud) write(w http.ResponseWriter, answer any) {
	if err := json.NewEncoder(w).Encode(answer); err != nil {
		c.t.Error(err)
	}
}
