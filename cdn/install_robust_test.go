package cdn_test

import (
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/cdn"
	"github.com/cdncsr/cdncsr/cdn/cdntest"
	"github.com/cdncsr/cdncsr/csr"
	"github.com/cdncsr/cdncsr/internal/testkey"
)

// installerOf returns an installer with a key of its own, two domains, and a
// chain for both.
func installerOf(t *testing.T, o *cdn.Options) (*fixture, *cdn.Installer, []byte) {
	t.Helper()
	ca, key, keys := newTestCA(t), newKey(t, csr.P256), &csr.MemStore{}
	md5, err := csr.PubMD5(key.Public())
	require.NoError(t, err)
	require.NoError(t, keys.Put(t.Context(), md5, key))
	s := newFixture(t, o)
	s.api.AddDomain("example.com")
	s.api.AddDomain(".example.com")
	return s, &cdn.Installer{Client: s.client, Keys: keys}, []byte(toPEM(ca.issue(t, key.Public(), nil)) + ca.intermediatePEM)
}

// A second domain: what stopped the look-up of the stored certificate is
// hidden by Certificate.Duplicated.
func TestInstaller_WhatStopsTheLookUpIsTheError(t *testing.T) {
	for kind, fault := range map[error]cdntest.Fault{
		cdn.ErrDenied: {Action: "DescribeCdnSSLCertificateList", Status: 403, Code: "Forbidden.RAM", Message: "User not authorized"},
		nil:           {Action: "DescribeCdnSSLCertificateList", Status: 503, Code: "ServiceUnavailable"}, // asked again
	} {
		synctest.Test(t, func(t *testing.T) {
			s, i, chain := installerOf(t, nil)
			_, err := i.Install(t.Context(), "example.com", chain)
			require.NoError(t, err)
			s.api.Inject(fault, fault, fault, fault)
			_, err = i.Install(t.Context(), "*.example.com", chain)
			assert.ErrorIs(t, err, kind)
		})
	}
}

// The context ends during that look-up.
func TestInstaller_ContextEndsDuringTheLookUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, i, chain := installerOf(t, nil)
		_, err := i.Install(t.Context(), "example.com", chain)
		require.NoError(t, err)
		s.api.Inject(cdntest.Fault{Action: "DescribeCdnSSLCertificateList", Wait: 5 * time.Second})
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		_, err = i.Install(ctx, "*.example.com", chain)
		require.ErrorIs(t, err, context.DeadlineExceeded)
	})
}

// Lost answers that are not resolved: of the install by CertType cas, when
// one of the questions fails, and when the repetition is refused.
func TestInstaller_LostAnswersOfLaterCalls(t *testing.T) {
	isSet := func(p map[string]string) bool { return p["SSLPub"] != "" || p["CertType"] == "cas" }
	t.Run("cas", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s, i, chain := installerOf(t, nil)
			_, err := i.Install(t.Context(), "example.com", chain)
			require.NoError(t, err)
			lost := cdntest.Fault{Match: func(p map[string]string) bool { return p["CertType"] == "cas" }, Drop: cdntest.DropConnection}
			s.api.Inject(lost, lost, lost, lost)
			_, err = i.Install(t.Context(), "*.example.com", chain)
			require.NotNil(t, s.api.Certificate("*.example.com"))
			require.NoError(t, err)
		})
	})
	t.Run("one question fails", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s, i, chain := installerOf(t, &cdn.Options{MaxAttempts: 1})
			asked := 0
			s.api.Inject(cdntest.Fault{Match: isSet, Drop: cdntest.DropConnection},
				cdntest.Fault{Action: "DescribeDomainCertificateInfo", Match: func(map[string]string) bool { asked++; return asked == 2 }, Status: 503})
			_, err := i.Install(t.Context(), "example.com", chain)
			require.NotNil(t, s.api.Certificate("example.com"))
			require.NoError(t, err)
		})
	})
	for _, code := range []string{"InvalidDomain.notOnline", "InvalidSecurityToken.Expired"} {
		t.Run("then "+code, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, i, chain := installerOf(t, nil)
				s.api.Inject(cdntest.Fault{Match: isSet, Drop: cdntest.DropConnection}, cdntest.Fault{Match: isSet, Code: code})
				_, err := i.Install(t.Context(), "example.com", chain)
				require.NotNil(t, s.api.Certificate("example.com"))
				require.NoError(t, err)
			})
		})
	}
}

// A chain whose issuer has another name than the next certificate.
func TestInstaller_IssuerOfAnotherName(t *testing.T) {
	s, i, _ := installerOf(t, nil)
	ca, key := newTestCA(t), newKey(t, csr.P256)
	md5, err := csr.PubMD5(key.Public())
	require.NoError(t, err)
	require.NoError(t, i.Keys.Put(t.Context(), md5, key))
	leaf := ca.issue(t, key.Public(), nil)
	other := signCertificate(t, caTemplate("Another name, same key"), ca.root, ca.intermediateKey.Public(), ca.rootKey)
	roots, intermediates := x509.NewCertPool(), x509.NewCertPool()
	roots.AddCert(ca.root)
	intermediates.AddCert(other)
	_, err = leaf.Verify(x509.VerifyOptions{DNSName: "example.com", Roots: roots, Intermediates: intermediates})
	require.Error(t, err, "no client can build a path")
	_, err = i.Install(t.Context(), "example.com", []byte(toPEM(leaf, other)))
	assert.ErrorIs(t, err, cdn.ErrInvalidRequest)
	assert.Nil(t, s.api.Certificate("example.com"))
}

// Describe: the last of several CertInfos counts, and *.example.com is
// another domain than .example.com; Wait never ends then.
func TestInstaller_CertInfosInOtherForms(t *testing.T) {
	ca, key := newTestCA(t), newKey(t, csr.P256)
	chain := toPEM(ca.issue(t, key.Public(), nil)) + ca.intermediatePEM
	info := func(name, cert string) string {
		return `{"DomainName":"` + name + `","ServerCertificateStatus":"on","Status":"success","ServerCertificate":"` + strings.ReplaceAll(cert, "\n", `\n`) + `"}`
	}
	for domain, infos := range map[string]string{
		"example.com":   info("example.com", chain) + `,{}`,
		"*.example.com": info("*.example.com", chain),
	} {
		c := clientAnswering(t, nil, cdn.Options{}, func(*http.Request) (int, string) {
			return 200, `{"RequestId":"1","CertInfos":{"CertInfo":[` + infos + `]}}`
		})
		in, err := (&cdn.Installer{Client: c}).Install(t.Context(), domain, []byte(chain))
		require.NoError(t, err)
		assert.True(t, in.Already, domain)
	}
}

// An Edge whose dialer panics ends the program; one that ends its goroutine
// (as t.FailNow does) gives a nil certificate of no address, and Wait panics.
func TestEdge_DialerThatPanicsOrEndsItsGoroutine(t *testing.T) {
	one := addresses{netip.MustParseAddr("127.0.0.1")}
	if os.Getenv("EDGE_TEST_CHILD") != "" {
		defer func() { _ = recover(); fmt.Println("survived") }()
		_, _ = (&cdn.Edge{Resolver: one, Dialer: dialFunc(func() { panic("dialer") })}).Leaf(t.Context(), "example.com")
		return
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestEdge_DialerThatPanicsOrEndsItsGoroutine$")
	cmd.Env = append(os.Environ(), "EDGE_TEST_CHILD=1")
	out, _ := cmd.CombinedOutput()
	assert.Contains(t, string(out), "survived")

	e := &cdn.Edge{Resolver: one, Dialer: dialFunc(runtime.Goexit)}
	leaves, err := e.Leaf(t.Context(), "example.com")
	assert.Error(t, err)
	assert.Empty(t, leaves)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	assert.NotPanics(t, func() { _ = e.Wait(ctx, "example.com", newTestCA(t).root) })
}

type addresses []netip.Addr

func (a addresses) LookupNetIP(context.Context, string, string) ([]netip.Addr, error) { return a, nil }

type dialFunc func()

func (f dialFunc) DialContext(context.Context, string, string) (net.Conn, error) {
	f()
	return nil, errors.New("no connection")
}

func TestInstaller_RSAKeyWithoutItsPrimes(t *testing.T) {
	ca, key := newTestCA(t), testkey.RSA(2048)
	s := newFixture(t, nil)
	s.api.AddDomain("example.com")
	i := &cdn.Installer{Client: s.client, Keys: keyStub{&rsa.PrivateKey{PublicKey: key.PublicKey, D: key.D}}}
	_, err := i.Install(t.Context(), "example.com", []byte(toPEM(ca.issue(t, key.Public(), nil))+ca.intermediatePEM))
	require.ErrorContains(t, err, "private key")
}

// Describe lists the leaf, but HTTPS is off: an install that the service calls a
// duplicate is not done then.
func TestInstaller_LeafOfADomainWithHTTPSOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, i, chain := installerOf(t, nil)
		i.Client = clientAnswering(t, nil, cdn.Options{}, func(r *http.Request) (int, string) {
			_ = r.ParseForm()
			if r.PostForm.Get("SSLPub") != "" {
				return 400, `{"RequestId":"1","Code":"Certificate.Duplicated"}`
			}
			return 200, `{"RequestId":"1","CertInfos":{"CertInfo":[{"DomainName":"example.com","ServerCertificateStatus":"off",` +
				`"ServerCertificate":"` + strings.ReplaceAll(string(chain), "\n", `\n`) + `"}]}}`
		})
		_, err := i.Install(t.Context(), "example.com", chain)
		require.ErrorIs(t, err, cdn.ErrInvalidRequest)
	})
}

type keyStub struct{ crypto.Signer }

func (keyStub) Put(context.Context, string, crypto.Signer) error { return nil }

func (k keyStub) Get(context.Context, string) (crypto.Signer, error) { return k.Signer, nil }
