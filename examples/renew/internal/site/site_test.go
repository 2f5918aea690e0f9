package site

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/cdn"
	"github.com/cdncsr/cdncsr/cdn/cdntest"
	"github.com/cdncsr/cdncsr/signer"
)

func TestRead(t *testing.T) {
	list := filepath.Join(t.TempDir(), "list")
	require.NoError(t, os.WriteFile(list, []byte("# ours\r\n.Example.org, example.org\r\n\n shop.example.com # and this"), 0o600))
	got, err := Read([]string{"example.com,www.example.com,example.com"}, list)
	require.NoError(t, err)
	assert.Equal(t, []Site{
		{"example.com", []string{"example.com", "www.example.com"}},
		{"*.example.org", []string{"*.example.org", "example.org"}},
		{"shop.example.com", []string{"shop.example.com"}},
	}, got)
	assert.Equal(t, []bool{false, true, false}, []bool{got[0].HasWildcard(), got[1].HasWildcard(), got[2].HasWildcard()})
	assert.Equal(t, "example.com", got[0].Host())
	assert.Equal(t, "cdncsr-check.example.org", got[1].Host())
}

// A line may be longer than a bufio.Scanner takes by default.
func TestRead_LineOfMoreThan64KB(t *testing.T) {
	list := filepath.Join(t.TempDir(), "list")
	long := strings.Repeat(" ", 64<<10)
	require.NoError(t, os.WriteFile(list, []byte("a.example.com,"+long+"b.example.com # "+long+"\nexample.com\n"), 0o600))
	got, err := Read(nil, list)
	require.NoError(t, err)
	require.Len(t, got, 2)
	assert.Equal(t, []string{"a.example.com", "b.example.com"}, got[0].Names)
}

func TestRead_Errors(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty")
	require.NoError(t, os.WriteFile(empty, []byte("# none\n"), 0o600))
	for want, test := range map[string]struct {
		args []string
		list string
	}{
		"no DOMAIN":                         {nil, empty},
		"list: open ":                       {[]string{"example.com"}, empty + "/none"},
		"example.com is there twice":        {[]string{"example.com", "EXAMPLE.com,www.example.com"}, ""},
		`"exa mple.com": `:                  {[]string{"exa mple.com"}, ""},
		`"example.com,": invalid request: `: {[]string{"example.com,"}, ""},
	} {
		_, err := Read(test.args, test.list)
		assert.ErrorContains(t, err, want)
	}
}

// What Read takes it takes again, in its own spelling.
func FuzzRead(f *testing.F) {
	f.Add(".Example.org, example.org # ours\r\n\nexample.com")
	f.Add("bücher.example,*.bücher.example")
	f.Fuzz(func(t *testing.T, text string) {
		list := filepath.Join(t.TempDir(), "list")
		require.NoError(t, os.WriteFile(list, []byte(text), 0o600))
		sites, err := Read(nil, list)
		if err != nil {
			return
		}
		var args []string
		for _, s := range sites {
			args = append(args, strings.Join(s.Names, ","))
		}
		again, err := Read(args, "")
		require.NoError(t, err)
		require.Equal(t, sites, again)
	})
}

// leaf returns a certificate for names which ends in so many days.
func leaf(t *testing.T, days int, names ...string) *tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(int64(days)), DNSNames: names, NotBefore: time.Now(), NotAfter: time.Now().AddDate(0, 0, days),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// edges are edge servers, each with a certificate. Without one, it does not
// answer.
type edges []*tls.Certificate

func (e edges) LookupNetIP(context.Context, string, string) ([]netip.Addr, error) {
	addrs := make([]netip.Addr, len(e))
	for i := range e {
		addrs[i] = netip.AddrFrom4([4]byte{192, 0, 2, byte(i)})
	}
	return addrs, nil
}

func (e edges) DialContext(_ context.Context, _, address string) (net.Conn, error) {
	cert := e[netip.MustParseAddrPort(address).Addr().As4()[3]]
	if cert == nil {
		return nil, net.ErrClosed
	}
	client, server := net.Pipe()
	go func() { _ = tls.Server(server, &tls.Config{Certificates: []tls.Certificate{*cert}}).Handshake() }() // the client reports it
	return client, nil
}

func TestServed_TheOneThatMattersFirst(t *testing.T) {
	s := Site{"example.com", []string{"example.com", "www.example.com"}}
	short, long := leaf(t, 10, s.Names...), leaf(t, 90, append(s.Names, "old.example.com")...)
	other := leaf(t, 99, "example.com")
	for name, test := range map[string]struct {
		edges edges
		want  *tls.Certificate
	}{
		"the one that ends first":     {edges{long, short, long}, short},
		"one that lacks a name":       {edges{short, other, long}, other},
		"one that lacks a name, last": {edges{short, long, other}, other},
		"of those that answer":        {edges{nil, long}, long},
		"none":                        {edges{nil, nil}, nil},
	} {
		got, err := s.Served(t.Context(), &cdn.Edge{Resolver: test.edges, Dialer: test.edges})
		if test.want == nil {
			assert.ErrorIs(t, err, net.ErrClosed, name)
			assert.Nil(t, got, name)
			continue
		}
		require.NoError(t, err, name)
		assert.Equal(t, test.want.Certificate[0], got.Raw, name)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(os.ErrDeadlineExceeded)
	_, err := s.Served(ctx, &cdn.Edge{Resolver: edges{short}, Dialer: edges{short}})
	assert.ErrorIs(t, err, os.ErrDeadlineExceeded)
}

// What the CDN reports counts if it is of the domain, can be read, and was not
// refused. A certificate of another domain, or one that Go can't parse, hides
// none.
func TestReported(t *testing.T) {
	entry := func(domain, status string, der []byte) cdn.CertInfo {
		text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
		return cdn.CertInfo{DomainName: domain, ServerCertificateStatus: "on", Status: status, ServerCertificate: string(text)}
	}
	good := leaf(t, 10, "example.com").Certificate[0]
	want := entry("example.com", "success", good)
	damaged, other := entry("example.com", "success", []byte("SM2")), entry("example.net", "success", leaf(t, 99, "example.net").Certificate[0])
	off := want
	off.ServerCertificateStatus = "off"
	for name, test := range map[string]struct {
		infos []cdn.CertInfo
		want  []byte
	}{
		"in force":                {[]cdn.CertInfo{want}, good},
		"on its way":              {[]cdn.CertInfo{entry("example.com", "checking", good)}, good},
		"behind a damaged one":    {[]cdn.CertInfo{damaged, want}, good},
		"behind one of another":   {[]cdn.CertInfo{other, want}, good},
		"without a domain":        {[]cdn.CertInfo{entry("", "success", good)}, good},
		"a damaged one only":      {[]cdn.CertInfo{damaged}, nil},
		"another domain's only":   {[]cdn.CertInfo{other}, nil},
		"failed":                  {[]cdn.CertInfo{entry("example.com", "failed", good)}, nil},
		"switched off":            {[]cdn.CertInfo{off}, nil},
		"no certificate whatever": {nil, nil},
	} {
		body, err := json.Marshal(map[string]any{"RequestId": "1", "CertInfos": map[string]any{"CertInfo": test.infos}})
		require.NoError(t, err)
		api := &cdntest.API{Credentials: []signer.Credentials{{AccessKeyID: "id", AccessKeySecret: "secret"}}}
		api.AddDomain("example.com")
		api.Inject(cdntest.Fault{Action: "DescribeDomainCertificateInfo", Body: body})
		client, err := cdn.NewClient(cdn.StaticCredentials(api.Credentials[0]), &cdn.Options{HTTPClient: &http.Client{Transport: api}})
		require.NoError(t, err)
		got, err := Site{Domain: "example.com"}.Reported(t.Context(), client)
		require.NoError(t, err, name)
		if test.want == nil {
			assert.Nil(t, got, name)
		} else if assert.NotNil(t, got, name) {
			assert.Equal(t, test.want, got.Raw, name)
		}
	}
}
