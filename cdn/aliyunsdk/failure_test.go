package aliyunsdk_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth/credentials"
	sdkerrors "github.com/aliyun/alibaba-cloud-sdk-go/sdk/errors"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/cdn"
	"github.com/cdncsr/cdncsr/cdn/aliyunsdk"
	"github.com/cdncsr/cdncsr/csr"
	"github.com/cdncsr/cdncsr/signer"
)

// hunter is a secret that a failing provider has read.
const hunter = "hunter2hunter2"

// answers makes a cloud give the same answer to everything.
func answers(status int, body string) func(http.ResponseWriter) bool {
	return func(w http.ResponseWriter) bool {
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body)) // a client that has gone is no error of the fake's
		return true
	}
}

func cut(http.ResponseWriter) bool { panic(http.ErrAbortHandler) }

// A failedLookUp is a look-up that goes wrong.
type failedLookUp struct {
	name   string
	env    map[string]string
	files  map[string]string
	broken func(http.ResponseWriter) bool
	build  func(t *testing.T, c *cloud) credentials.CredentialsProvider
	kind   error    // nil: cdn.ErrNoCredentials
	says   []string // parts of its error
}

var failedLookUps = []failedLookUp{
	{
		name: "broken CLI configuration", files: map[string]string{".aliyun/config.json": `{"access_key_secret": "` + hunter + `"`},
		build: cliProfile(""), says: []string{"CLIProfile", ".aliyun/config.json", "withheld"},
	},
	{
		name: "broken ini file", files: map[string]string{".alibabacloud/credentials": "[default\n" + hunter},
		build: iniProfile(""), says: []string{"ProfileCredentialsProvider", ".alibabacloud/credentials"},
	},
	{
		name: "default chain, all broken", build: nil, says: []string{"default chain: no place has credentials", ".aliyun/config.json", ".alibabacloud/credentials"},
		files: map[string]string{".aliyun/config.json": hunter, ".alibabacloud/credentials": "[" + hunter},
	},
	{name: "nothing in the environment", build: environment, says: []string{"ALIBABA_CLOUD_ACCESS_KEY_SECRET"}},
	{
		name: "STS says no", build: ramRole, says: []string{"RAMRoleARN", "HTTP 403", "NoPermission", "6F9A3B5C-0000-4000-8000-1234567890AB"},
		broken: answers(http.StatusForbidden, `{"Code":"NoPermission","RequestId":"6F9A3B5C-0000-4000-8000-1234567890AB","Message":"`+hunter+`"}`),
	},
	{
		name: "STS puts a secret into the code", build: ramRole, says: []string{"HTTP 400", "code unknown"},
		broken: answers(http.StatusBadRequest, `{"Code":"`+hunter+`","RequestId":"`+hunter+`"}`),
	},
	{
		name: "STS is down", build: ramRole, kind: cdn.ErrUnavailable, says: []string{"HTTP 503", "code ServiceUnavailable"},
		broken: answers(http.StatusServiceUnavailable, `{"Code":"ServiceUnavailable","Message":"`+hunter+`"}`),
	},
	{
		name: "STS throttles", build: oidc, env: oidcEnv, kind: cdn.ErrUnavailable, says: []string{"HTTP 400", "code Throttling.User"},
		broken: answers(http.StatusBadRequest, `{"Code":"Throttling.User","Message":"`+hunter+`"}`),
	},
	{name: "STS hangs up", build: ramRole, kind: cdn.ErrUnavailable, says: []string{"could not be reached", "STS"}, broken: cut},
	{
		name: "STS gives no expiration", build: ramRole, says: []string{"panic: runtime error"},
		broken: answers(http.StatusOK, `{"Credentials":{"AccessKeyId":"i","AccessKeySecret":"`+hunter+`","SecurityToken":"t"}}`),
	},
	{name: "OIDC: no token file", build: oidc, env: withoutFile(oidcEnv), says: []string{"OIDC", "a file is missing"}},
	{
		name: "metadata service broken", env: metadata, build: ecsRole("the-role"), kind: cdn.ErrUnavailable,
		says: []string{"ECSRAMRole", "100.100.100.200"}, broken: answers(http.StatusInternalServerError, hunter),
	},
	{
		name: "no metadata service", env: metadata, build: ecsRole(""), kind: cdn.ErrUnavailable,
		says: []string{"could not be reached"}, broken: cut,
	},
	{
		name: "no role of the instance", env: metadata, build: ecsRole(""), says: []string{"withheld"},
		broken: answers(http.StatusNotFound, ""), // without a body, which the SDK would not close
	},
	{name: "URI gives nonsense", build: uri, says: []string{"URLCredentials"}, broken: answers(http.StatusOK, `{"AccessKeySecret":"`+hunter+`"}`)},
	{name: "space in the secret", env: keyEnv(spaced), build: environment, says: []string{"AccessKeySecret", "ALIBABA_CLOUD_SECURITY_TOKEN"}},
}

// spaced has a secret that was copied with its line end.
var spaced = signer.Credentials{AccessKeyID: longLived.AccessKeyID, AccessKeySecret: hunter + "\n"}

// withoutFile returns env with the path of a token file that does not exist.
func withoutFile(env map[string]string) map[string]string {
	other := maps.Clone(env)
	other["ALIBABA_CLOUD_OIDC_TOKEN_FILE"] = "/does/not/exist"
	return other
}

// assertNoSecret looks for secrets in all that err and the errors that it wraps
// print.
func assertNoSecret(t *testing.T, err error) {
	t.Helper()
	for _, verb := range []string{"%v", "%+v", "%#v", "%q"} {
		text := fmt.Sprintf(verb, err)
		for _, secret := range []string{hunter, longLived.AccessKeySecret, longLived.AccessKeyID, "Signature="} {
			assert.NotContains(t, text, secret, verb)
		}
	}
	switch err := err.(type) {
	case interface{ Unwrap() error }:
		if cause := err.Unwrap(); cause != nil {
			assertNoSecret(t, cause)
		}
	case interface{ Unwrap() []error }:
		for _, cause := range err.Unwrap() {
			assertNoSecret(t, cause)
		}
	}
}

func TestFailure_HasNoSecretAndSaysWhatToCheck(t *testing.T) {
	for _, f := range failedLookUps {
		t.Run(f.name, func(t *testing.T) {
			c, p := kind{env: f.env, files: f.files, build: f.build}.set(t)
			c.set(func(c *cloud) { c.broken = f.broken })
			err := callWith(t, sourceOf(p))
			assertKind(t, err, f.kind)
			for _, part := range f.says {
				assert.ErrorContains(t, err, part)
			}
			assertNoSecret(t, err)
		})
	}
}

// callWith makes a call with the credentials of source, which fails before
// anything is sent.
func callWith(t *testing.T, source cdn.CredentialSource) error {
	t.Helper()
	client, err := cdn.NewClient(source, nil)
	require.NoError(t, err)
	_, err = client.CreateCdnCertificateSigningRequest(t.Context(), &csr.Request{CommonName: "example.com"})
	require.Error(t, err)
	return err
}

// assertKind fails unless err is of that kind alone; nil is
// cdn.ErrNoCredentials.
func assertKind(t *testing.T, err, kind error) {
	t.Helper()
	assert.Equal(t, kind == cdn.ErrUnavailable, errors.Is(err, cdn.ErrUnavailable), "ErrUnavailable: %v", err)
	assert.Equal(t, kind != cdn.ErrUnavailable, errors.Is(err, cdn.ErrNoCredentials), "ErrNoCredentials: %v", err)
}

// The SDK's errors are told apart by their types and codes.
func TestFailure_KindByType(t *testing.T) {
	host := "["
	_, invalidURL := url.Parse("http://" + host)
	refused := &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}
	for name, test := range map[string]struct{ fails, kind error }{
		"URL":                   {&url.Error{Op: "Get", URL: hunter, Err: errors.New(hunter)}, cdn.ErrUnavailable},
		"connection":            {fmt.Errorf("a: %w", refused), cdn.ErrUnavailable},
		"name":                  {&net.DNSError{Name: hunter}, cdn.ErrUnavailable},
		"deadline":              {context.DeadlineExceeded, cdn.ErrUnavailable},
		"truncated answer":      {fmt.Errorf("a: %w", io.ErrUnexpectedEOF), cdn.ErrUnavailable},
		"connection closed":     {io.EOF, cdn.ErrUnavailable},
		"a provider's own":      {fmt.Errorf("%s: %w", hunter, cdn.ErrUnavailable), cdn.ErrUnavailable},
		"SDK's time-out":        {sdkerrors.NewClientError(sdkerrors.TimeoutErrorCode, hunter, nil), cdn.ErrUnavailable},
		"SDK's origin":          {sdkerrors.NewClientError(sdkerrors.DefaultClientErrorCode, hunter, refused), cdn.ErrUnavailable},
		"SDK's origin, twice":   {sdkerrors.NewClientError("", "", sdkerrors.NewClientError("", hunter, refused)), cdn.ErrUnavailable},
		"SDK's origin, a text":  {sdkerrors.NewClientError("", hunter, errors.New(hunter)), nil},
		"SDK's parameter":       {sdkerrors.NewClientError(sdkerrors.InvalidParamErrorCode, hunter, nil), nil},
		"server error":          {sdkerrors.NewServerError(500, hunter, hunter), cdn.ErrUnavailable},
		"too many requests":     {sdkerrors.NewServerError(429, hunter, hunter), cdn.ErrUnavailable},
		"throttling":            {sdkerrors.NewServerError(400, `{"Code":"Throttling"}`, hunter), cdn.ErrUnavailable},
		"no permission":         {sdkerrors.NewServerError(403, `{"Code":"NoPermission"}`, hunter), nil},
		"the last client error": {sdkerrors.NewServerError(499, hunter, hunter), nil},
		"invalid URL":           {invalidURL, nil},
		"file":                  {&fs.PathError{Path: hunter, Err: fs.ErrNotExist}, nil},
		"permission":            {&fs.PathError{Path: hunter, Err: fs.ErrPermission}, nil},
		"a folder":              {&fs.PathError{Path: hunter, Err: syscall.EISDIR}, nil},
		"text of a time-out":    {errors.New("dial tcp: i/o timeout"), nil},
	} {
		t.Run(name, func(t *testing.T) {
			err := callWith(t, aliyunsdk.Credentials(&fakeProvider{fails: test.fails}))
			assertKind(t, err, test.kind)
			assertNoSecret(t, err)
		})
	}
}

// A first look-up that fails for an unknown reason may be for want of
// credentials.
func TestFailure_UnknownReasonIsAnOutageOnceThereWereCredentials(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &fakeProvider{fails: errors.New(hunter)}
		source := aliyunsdk.Credentials(p)
		assertKind(t, callWith(t, source), nil)
		p.fails = nil
		_, err := source.Credentials(t.Context())
		require.NoError(t, err)
		p.fails = errors.New(hunter)
		time.Sleep(4 * time.Minute)
		err = callWith(t, source)
		assertKind(t, err, cdn.ErrUnavailable)
		assertNoSecret(t, err)
	})
}

// hidden are the first look-ups whose network errors the SDK gives as text
// alone.
var hidden = []string{"CLI profile, ECS RAM role", "ini profile, ECS RAM role", "default chain, ECS RAM role"}

func TestFailure_NetworkDownIsUnavailable(t *testing.T) {
	for _, k := range kinds {
		if len(k.asks) == 0 {
			continue
		}
		t.Run(k.name, func(t *testing.T) {
			c, p := k.set(t)
			c.set(func(c *cloud) { c.broken = cut })
			source := sourceOf(p)
			kind := cdn.ErrUnavailable
			if slices.Contains(hidden, k.name) {
				kind = nil
			}
			assertKind(t, callWith(t, source), kind)

			c.set(func(c *cloud) { c.broken = nil })
			creds, err := source.Credentials(t.Context())
			require.NoError(t, err)
			if creds.SecurityToken == "" {
				return // it does not expire
			}
			c.set(func(c *cloud) { c.broken = cut })
			_, err = refresh(t, source, creds)
			require.ErrorIs(t, err, cdn.ErrUnavailable)
			assertNoSecret(t, err)
			assertKind(t, callWith(t, source), cdn.ErrUnavailable)
		})
	}
}

func TestFailure_BearerTokenIsRefused(t *testing.T) {
	source := aliyunsdk.Credentials(credentials.NewBearerTokenCredentialsProvider(hunter))
	_, err := source.Credentials(t.Context())
	require.ErrorIs(t, err, errors.ErrUnsupported)
	assert.ErrorContains(t, err, "bearer token")
	assertNoSecret(t, err)
}

func TestFailure_NilProviders(t *testing.T) {
	for name, p := range map[string]credentials.CredentialsProvider{
		"nil": nil, "a nil CLI profile": (*credentials.CLIProfileCredentialsProvider)(nil), "a nil key": (*credentials.StaticAKCredentialsProvider)(nil),
	} {
		_, err := aliyunsdk.Credentials(p).Credentials(t.Context())
		assert.Error(t, err, name)
	}
}
