package cdn_test

import (
	"context"
	"crypto"
	"crypto/ed25519"
	"errors"
	"io/fs"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/cdn"
	"github.com/cdncsr/cdncsr/cdn/cdntest"
	"github.com/cdncsr/cdncsr/csr"
	"github.com/cdncsr/cdncsr/signer"
)

// loopback resolves every name to 127.0.0.1.
type loopback struct{}

func (loopback) LookupNetIP(context.Context, string, string) ([]netip.Addr, error) {
	return []netip.Addr{netip.MustParseAddr("127.0.0.1")}, nil
}

// TestLoop_FromCSRToServed is the whole way: a CSR from each maker, signed,
// installed, served over TLS on loopback, found by Edge.
func TestLoop_FromCSRToServed(t *testing.T) {
	keys := new(csr.MemStore)
	srv := cdntest.NewServer(t)
	edge := srv.StartEdge(t, nil)
	_, port, _ := strings.Cut(edge.TLSAddr, ":")
	client := srv.NewClient(t, nil)
	ca := newTestCA(t)
	makers := map[string]struct {
		creator cdn.CSRCreator
		origin  csr.Origin
	}{
		"CDN":         {client, csr.OriginCDN},
		"local RSA":   {&csr.Generator{Keys: keys}, csr.OriginLocal},
		"local P-256": {&csr.Generator{Keys: keys, Source: csr.P256}, csr.OriginLocal},
		"local P-384": {&csr.Generator{Keys: keys, Source: csr.P384}, csr.OriginLocal},
	}
	for name, maker := range makers {
		t.Run(name, func(t *testing.T) {
			domain := strings.ToLower(strings.ReplaceAll(name, " ", "-")) + ".example.com"
			srv.API.AddDomain(domain)
			resp, err := maker.creator.CreateCdnCertificateSigningRequest(t.Context(), &csr.Request{CommonName: domain})
			require.NoError(t, err)
			chain := ca.sign(t, resp, nil)
			i := cdn.Installer{Client: client, Keys: keys}
			done, err := i.Install(t.Context(), domain, chain)
			require.NoError(t, err)
			assert.Equal(t, maker.origin, done.KeyOrigin)
			assert.Equal(t, resp.PubMd5, done.PubMd5)
			assert.Equal(t, maker.origin == csr.OriginLocal, done.CertName != "")
			require.NoError(t, i.Wait(t.Context(), domain, chain))
			e := cdn.Edge{Resolver: loopback{}, Port: port}
			require.NoError(t, e.Wait(t.Context(), domain, leafOf(t, chain)))
			leaves, err := e.Leaf(t.Context(), domain)
			require.NoError(t, err)
			require.True(t, leaves[netip.MustParseAddr("127.0.0.1")].Equal(leafOf(t, chain)))

			again, err := i.Install(t.Context(), domain, chain)
			require.NoError(t, err)
			require.True(t, again.Already)
			require.Equal(t, maker.origin, again.KeyOrigin)
			require.Equal(t, done.CertName, again.CertName)
		})
	}
	require.Equal(t, 3, srv.API.Stored())
}

// installFixture is a fixture whose fake has domains, and a key store.
type installFixture struct {
	*fixture
	ca   *testCA
	keys *csr.MemStore
	i    cdn.Installer
}

func newInstallFixture(t *testing.T, opts *cdn.Options, domains ...string) *installFixture {
	t.Helper()
	f := &installFixture{fixture: newFixture(t, opts), ca: newTestCA(t), keys: new(csr.MemStore)}
	for _, domain := range domains {
		f.api.AddDomain(domain)
	}
	f.i = cdn.Installer{Client: f.client, Keys: f.keys}
	return f
}

// localChain returns a chain for names whose key is in the store.
func (f *installFixture) localChain(t *testing.T, names ...string) []byte {
	t.Helper()
	g := csr.Generator{Keys: f.keys, Source: csr.P256}
	resp, err := g.CreateCdnCertificateSigningRequest(t.Context(), &csr.Request{CommonName: names[0], SANs: names[1:]})
	require.NoError(t, err)
	return f.ca.sign(t, resp, nil)
}

// cdnChain returns a chain for names whose key the fake has.
func (f *installFixture) cdnChain(t *testing.T, names ...string) []byte {
	t.Helper()
	resp, err := f.client.CreateCdnCertificateSigningRequest(t.Context(), &csr.Request{CommonName: names[0], SANs: names[1:]})
	require.NoError(t, err)
	return f.ca.sign(t, resp, nil)
}

// requireInstalled fails unless the domain has the chain's leaf.
func (f *installFixture) requireInstalled(t *testing.T, domain string, chain []byte) {
	t.Helper()
	installed := f.api.Certificate(domain)
	require.NotNil(t, installed)
	require.True(t, installed.Chain[0].Equal(leafOf(t, chain)))
}

// TestInstaller_LostAnswers: whatever is lost after the service did the work,
// the certificate is installed, and stored once.
func TestInstaller_LostAnswers(t *testing.T) {
	lost := map[string]cdntest.Fault{
		"connection dropped": {Drop: cdntest.DropConnection},
		"truncated body":     {Drop: cdntest.DropBody},
		"time-out":           {Wait: time.Hour},
		"before the work":    {Drop: cdntest.DropRequest},
		"500":                {Status: 500, Code: "InternalError"},
		"storage failed":     {Status: 400, Code: "CertStorage.failed"},
		"try again":          {Status: 400, Code: "CreateCertificateFailed"},
		"busy":               {Status: 403, Code: "ServiceBusy"},
		"throttled":          {Status: 400, Code: "Throttling.User"},
		"HTML 502":           {Status: 502, Body: []byte("<html>"), Header: http.Header{"Content-Type": {"text/html"}}},
		"nothing (200)":      {Status: 200},
	}
	for name, fault := range lost {
		for _, times := range []int{1, 2, 4} {
			for _, action := range []string{"SetCdnDomainSSLCertificate", "SetCdnDomainCSRCertificate"} {
				t.Run(name+"/"+action, func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) { playLostAnswer(t, action, fault, times) })
				})
			}
		}
	}
}

func playLostAnswer(t *testing.T, action string, fault cdntest.Fault, times int) {
	f := newInstallFixture(t, nil, "example.com")
	chain := f.localChain(t, "example.com")
	if action == "SetCdnDomainCSRCertificate" {
		chain = f.cdnChain(t, "example.com")
	}
	fault.Action = action
	for range times {
		f.api.Inject(fault)
	}
	done, err := f.i.Install(t.Context(), "example.com", chain)
	if err != nil {
		f.requireNoSecret(t, err)
		require.Equal(t, 4, times, "all attempts failed: %v", err)
		require.Nil(t, f.api.Certificate("example.com"), "installed, and reported as failed: %v", err)
		done, err = f.i.Install(t.Context(), "example.com", chain) // the next run
	}
	require.NoError(t, err)
	require.NotEmpty(t, done.RequestId)
	f.requireInstalled(t, "example.com", chain)
	require.LessOrEqual(t, f.api.Stored(), 1)
	f.requireNoSecret(t, nil)
}

func TestInstaller_OneCertificateForManyDomains(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		domains := []string{"a.example.com", "b.example.com", ".example.com"}
		f := newInstallFixture(t, nil, domains...)
		chain := f.localChain(t, "*.example.com")
		names := map[string]bool{}
		for _, domain := range domains {
			done, err := f.i.Install(t.Context(), domain, chain)
			require.NoError(t, err)
			names[done.CertName] = true
			f.requireInstalled(t, domain, chain)
		}
		require.Len(t, names, 1, "the same name for every domain")
		require.Equal(t, 1, f.api.Stored())
	})
}

func TestInstaller_RollsBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newInstallFixture(t, nil, "example.com")
		a, b := f.localChain(t, "example.com"), f.localChain(t, "example.com")
		for _, chain := range [][]byte{a, b, a} {
			_, err := f.i.Install(t.Context(), "example.com", chain)
			require.NoError(t, err)
			f.requireInstalled(t, "example.com", chain)
		}
		require.Equal(t, 2, f.api.Stored())
	})
}

func TestInstaller_TwoMachinesAtOnce(t *testing.T) {
	for range 20 {
		synctest.Test(t, func(t *testing.T) {
			f := newInstallFixture(t, nil, "example.com", "www.example.com")
			chain := f.localChain(t, "example.com", "www.example.com")
			var group sync.WaitGroup
			for n := range 4 {
				client, err := cdn.NewClient(cdn.StaticCredentials(testCreds), &cdn.Options{HTTPClient: &http.Client{Transport: f.api}})
				require.NoError(t, err)
				group.Go(func() {
					machine := cdn.Installer{Client: client, Keys: f.keys}
					_, err := machine.Install(t.Context(), []string{"example.com", "www.example.com"}[n%2], chain)
					assert.NoError(t, err)
				})
			}
			group.Wait()
			f.requireInstalled(t, "example.com", chain)
			f.requireInstalled(t, "www.example.com", chain)
			require.Equal(t, 1, f.api.Stored())
		})
	}
}

func TestInstaller_ContentStoredUnderAnotherName(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newInstallFixture(t, nil, "example.com", "www.example.com")
		chain := f.localChain(t, "example.com", "www.example.com")
		key, err := f.keys.Get(t.Context(), pubMd5Of(t, chain))
		require.NoError(t, err)
		_, err = f.client.SetCdnDomainSSLCertificate(t.Context(), &cdn.SetCdnDomainSSLCertificateRequest{
			DomainName: "www.example.com", SSLProtocol: "on", CertName: "by-hand", SSLPub: string(chain), SSLPri: sec1(t, key),
		})
		require.NoError(t, err)
		done, err := f.i.Install(t.Context(), "example.com", chain)
		require.NoError(t, err)
		require.Equal(t, "by-hand", done.CertName)
		f.requireInstalled(t, "example.com", chain)
		require.Equal(t, 1, f.api.Stored())
	})
}

func TestInstaller_PlainPEMWhereBase64IsRefused(t *testing.T) {
	for _, plain := range []bool{false, true} {
		f := newInstallFixture(t, nil, "example.com")
		f.api.PlainServerCertificate = plain
		chain := f.cdnChain(t, "example.com")
		_, err := f.i.Install(t.Context(), "example.com", chain)
		require.NoError(t, err)
		f.requireInstalled(t, "example.com", chain)
	}
}

func TestInstaller_KeyOfNobody(t *testing.T) {
	f := newInstallFixture(t, nil, "example.com")
	chain := toPEM(f.ca.issue(t, newKey(t, csr.P256).Public(), nil)) + f.ca.intermediatePEM
	for _, keys := range []csr.KeyStore{nil, f.keys} {
		_, err := (&cdn.Installer{Client: f.client, Keys: keys}).Install(t.Context(), "example.com", []byte(chain))
		require.ErrorIs(t, err, cdn.ErrKeyNotFound)
		requireKind(t, err, cdn.ErrInvalidRequest)
	}
	require.Nil(t, f.api.Certificate("example.com"))
}

// stubKeys is a key store that answers what it is told.
type stubKeys struct {
	key crypto.Signer
	err error
}

func (s stubKeys) Put(context.Context, string, crypto.Signer) error { return s.err }

func (s stubKeys) Get(context.Context, string) (crypto.Signer, error) { return s.key, s.err }

// device is a key that does not leave it.
type device struct{ crypto.Signer }

func TestInstaller_KeyStoreThatCanNotHelp(t *testing.T) {
	f := newInstallFixture(t, nil, "example.com")
	own := newKey(t, csr.P256)
	_, edKey, err := ed25519.GenerateKey(nil)
	require.NoError(t, err)
	away := errors.New("the store is away")
	tests := map[string]struct {
		key  crypto.Signer // of the certificate
		keys csr.KeyStore
		is   error
	}{
		"an error":              {own, stubKeys{err: away}, away},
		"no permission":         {own, stubKeys{err: fs.ErrPermission}, fs.ErrPermission},
		"nothing":               {own, stubKeys{}, nil},
		"another key":           {own, stubKeys{key: newKey(t, csr.P256)}, nil},
		"a key of a device":     {own, stubKeys{key: device{own}}, nil},
		"a key of another kind": {edKey, stubKeys{key: edKey}, nil},
		"a nil pointer":         {own, (*csr.MemStore)(nil), nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			chain := toPEM(f.ca.issue(t, test.key.Public(), nil)) + f.ca.intermediatePEM
			_, err = (&cdn.Installer{Client: f.client, Keys: test.keys}).Install(t.Context(), "example.com", []byte(chain))
			require.Error(t, err)
			require.NotErrorIs(t, err, cdn.ErrKeyNotFound, "never taken for a key of the CDN")
			if test.is != nil {
				require.ErrorIs(t, err, test.is)
			}
			require.Empty(t, f.attempts, "nothing is sent")
		})
	}
	_, err = new(cdn.Installer).Install(t.Context(), "example.com", nil)
	require.ErrorContains(t, err, "Client is nil")
}

func TestInstaller_DomainsThatCanNotBeConfigured(t *testing.T) {
	f := newInstallFixture(t, nil, "example.com")
	chain := f.localChain(t, "example.com", "www.example.com")
	f.api.SetOnline("example.com", false)
	for domain, code := range map[string]string{"www.example.com": "InvalidDomain.NotFound", "example.com": "InvalidDomain.notOnline"} {
		_, err := f.i.Install(t.Context(), domain, chain)
		requireKind(t, err, cdn.ErrInvalidRequest)
		require.True(t, strings.EqualFold(code, asError(t, err).Code) || strings.HasPrefix(asError(t, err).Code, "InvalidDomain"), "%v", err)
		f.requireNoSecret(t, err)
	}
	require.Zero(t, f.api.Stored())
}

func TestInstaller_KeyIsNeverInAURL(t *testing.T) {
	for name, s := range map[string]signer.Signer{"ACS3": signer.ACS3{}, "RPC GET": signer.RPC{Method: http.MethodGet}} {
		f := newInstallFixture(t, &cdn.Options{Signer: s}, "example.com")
		chain := f.localChain(t, "example.com")
		var inURL bool
		f.api.OnRequest = func(r cdntest.Request) { inURL = inURL || r.SecretInURL }
		_, err := f.i.Install(t.Context(), "example.com", chain)
		require.ErrorIs(t, err, cdn.ErrInvalidRequest, name)
		require.ErrorContains(t, err, "SSLPri")
		require.ErrorContains(t, err, "signer.RPC{}")
		require.False(t, inURL)
		f.requireNoSecret(t, err)

		remote := f.cdnChain(t, "example.com") // has no key to send
		_, err = f.i.Install(t.Context(), "example.com", remote)
		require.NoError(t, err)
	}
}

func TestInstaller_EndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newInstallFixture(t, nil, "example.com")
		chain := f.localChain(t, "example.com")
		for range 8 {
			f.api.Inject(cdntest.Fault{Action: "SetCdnDomainSSLCertificate", Wait: time.Hour})
		}
		cause := errors.New("shut down")
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(15*time.Second, func() { cancel(cause) })
		start := time.Now()
		_, err := f.i.Install(ctx, "example.com", chain)
		require.ErrorIs(t, err, context.Canceled)
		require.ErrorIs(t, err, cause)
		require.Equal(t, 15*time.Second, time.Since(start))
		f.requireNoSecret(t, err)
		_, err = f.i.Install(ctx, "example.com", chain)
		require.ErrorIs(t, err, context.Canceled)
	})
}

// describes is a fault that reports a state of a domain.
func describes(status, protocol, pem string) cdntest.Fault {
	return cdntest.Fault{
		Action: "DescribeDomainCertificateInfo", Body: []byte(`{"RequestId":"R","CertInfos":{"CertInfo":[{"DomainName":"example.com","Status":"` +
			status + `","ServerCertificateStatus":"` + protocol + `","ServerCertificate":"` + strings.ReplaceAll(pem, "\n", `\n`) + `"}]}}`),
	}
}

func TestInstallerWait_UntilInForce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newInstallFixture(t, nil, "example.com")
		chain := f.localChain(t, "example.com")
		_, err := f.i.Install(t.Context(), "example.com", chain)
		require.NoError(t, err)
		f.api.Inject(
			describes("success", "on", ""), describes("checking", "on", string(chain)), describes("success", "off", string(chain)),
			cdntest.Fault{Action: "DescribeDomainCertificateInfo", Body: []byte(`{"RequestId":"R"}`)},
			cdntest.Fault{Action: "DescribeDomainCertificateInfo", Code: "Throttling", Header: http.Header{"Retry-After": {"60"}}},
		)
		require.NoError(t, f.i.Wait(t.Context(), "example.com", chain))
	})
}

func TestInstallerWait_EndsEarly(t *testing.T) {
	for name, fault := range map[string]cdntest.Fault{
		"failed":    describes("failed", "on", ""),
		"denied":    {Action: "DescribeDomainCertificateInfo", Status: 403, Code: "Forbidden.RAM"},
		"no domain": {Action: "DescribeDomainCertificateInfo", Status: 404, Code: "InvalidDomain.NotFound"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newInstallFixture(t, nil, "example.com")
				f.api.Inject(fault)
				start := time.Now()
				require.Error(t, f.i.Wait(t.Context(), "example.com", f.localChain(t, "example.com")))
				require.Equal(t, start, time.Now())
			})
		})
	}
}

func TestInstallerWait_SaysWhatItSawLast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newInstallFixture(t, nil, "example.com")
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		err := f.i.Wait(ctx, "example.com", f.localChain(t, "example.com"))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorContains(t, err, `HTTPS "off"`)
		require.Less(t, len(f.attempts), 20, "pauses grow")
	})
}

func pubMd5Of(t *testing.T, chain []byte) string {
	t.Helper()
	name, err := csr.PubMD5(leafOf(t, chain).PublicKey)
	require.NoError(t, err)
	return name
}

// A key directory that is misspelt looks like a key that the CDN must have: the
// error says what the store answered.
func TestInstaller_KeyOfNobodySaysWhatTheStoreAnswered(t *testing.T) {
	f := newInstallFixture(t, nil, "example.com")
	chain := toPEM(f.ca.issue(t, newKey(t, csr.P256).Public(), nil)) + f.ca.intermediatePEM
	dir := t.TempDir() + "/nosuchdir"
	_, err := (&cdn.Installer{Client: f.client, Keys: csr.DirStore{Path: dir}}).Install(t.Context(), "example.com", []byte(chain))
	require.ErrorIs(t, err, cdn.ErrKeyNotFound)
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.ErrorContains(t, err, "nosuchdir")
	require.ErrorContains(t, err, pubMd5Of(t, []byte(chain)))
}
