package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mholt/acmez/v3/acme"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/cdn/cdntest"
	"github.com/cdncsr/cdncsr/csr"
	"github.com/cdncsr/cdncsr/examples/renew/internal/issue"
	"github.com/cdncsr/cdncsr/examples/renew/internal/state"
)

func TestRenew_FailedInstallOrdersOnce(t *testing.T) {
	for mode, action := range map[string]string{"remote": "SetCdnDomainCSRCertificate", "local": "SetCdnDomainSSLCertificate"} {
		t.Run(mode, func(t *testing.T) {
			f := newFixture(t, caOptions{}, "example.com")
			for run := range 2 {
				f.cdn.API.Inject(cdntest.Fault{Action: action, Status: 403, Code: "Forbidden.RAM"})
				status, stdout, _ := f.run(t, "-mode", mode, "example.com")
				require.Equal(t, 1, status)
				require.Contains(t, stdout, "Forbidden.RAM")
				require.Nil(t, f.served(t, "example.com"))
				require.Len(t, f.ca.issued("example.com"), 1, "after run %d", run+1)
			}
			status, stdout, stderr := f.run(t, "-mode", mode, "example.com")
			require.Zero(t, status, stdout+stderr)
			assert.Contains(t, stdout, "example.com: installed, next ")
			issued := f.ca.issued("example.com")
			require.Len(t, issued, 1)
			assert.True(t, f.served(t, "example.com").Equal(issued[0].Certificate))
			assert.Equal(t, 1, f.ca.asked("/order-plz"))
		})
	}
}

// The CDN took a first certificate and could not deploy it: it is installed
// again.
func TestRenew_FailedDeploymentIsInstalledAgain(t *testing.T) {
	f := newFixture(t, caOptions{}, "example.com")
	f.cdn.API.Inject(cdntest.Fault{Action: "SetCdnDomainCSRCertificate", Status: 403, Code: "Forbidden.RAM"})
	status, _, _ := f.run(t, "-mode", "remote", "example.com")
	require.Equal(t, 1, status)
	body, err := json.Marshal(map[string]any{"RequestId": "1", "CertInfos": map[string]any{"CertInfo": []any{map[string]string{
		"DomainName": "example.com", "ServerCertificateStatus": "on", "Status": "failed", "ServerCertificate": f.record(t, "example.com").Chain,
	}}}})
	require.NoError(t, err)
	f.cdn.API.Inject(cdntest.Fault{Action: "DescribeDomainCertificateInfo", Body: body})
	status, stdout, _ := f.run(t, "-mode", "remote", "example.com")
	require.Zero(t, status, stdout)
	assert.Contains(t, stdout, "example.com: installed, next ")
	assert.Len(t, f.ca.issued("example.com"), 1)
}

// A stored chain of other names is not installed.
func TestRenew_StoredChainOfOtherNames(t *testing.T) {
	f := newFixture(t, caOptions{}, "example.com")
	f.cdn.API.Inject(cdntest.Fault{Action: "SetCdnDomainCSRCertificate", Status: 403, Code: "Forbidden.RAM"})
	status, _, _ := f.run(t, "-mode", "remote", "example.com")
	require.Equal(t, 1, status)
	status, stdout, _ := f.run(t, "-mode", "remote", "example.com,www.example.com")
	require.Zero(t, status, stdout)
	assert.Contains(t, stdout, "example.com: renewed")
	assert.Len(t, f.served(t, "example.com").DNSNames, 2)
}

// The key is lost between the order and the installation: another certificate
// is ordered, but not at once.
func TestRenew_LostKey(t *testing.T) {
	f := newFixture(t, caOptions{}, "example.com")
	f.cdn.API.Inject(cdntest.Fault{Action: "SetCdnDomainSSLCertificate", Status: 403, Code: "Forbidden.RAM"})
	status, _, _ := f.run(t, "example.com")
	require.Equal(t, 1, status)
	require.NoError(t, os.RemoveAll(f.path("keys")))

	status, stdout, _ := f.run(t, "example.com")
	require.Equal(t, 1, status)
	require.Contains(t, stdout, "Certificate.NoPrivateKey")
	status, stdout, _ = f.run(t, "example.com")
	require.Equal(t, 1, status)
	require.Contains(t, stdout, "no order before")
	require.Len(t, f.ca.issued("example.com"), 1)

	f.pauseIsOver(t, "example.com")
	status, stdout, _ = f.run(t, "example.com")
	require.Zero(t, status, stdout)
	assert.Len(t, f.ca.issued("example.com"), 2)
}

// The answer to the download is lost: the next run continues the order, whose
// certificate is good.
func TestRenew_ContinuesAnOrder(t *testing.T) {
	f := newFixture(t, caOptions{}, "example.com")
	f.ca.intercept(func(w http.ResponseWriter, path string) bool {
		if strings.HasPrefix(path, "/certZ/") {
			w.WriteHeader(http.StatusInternalServerError)
			return true
		}
		return false
	})
	status, _, _ := f.run(t, "-mode", "remote", "example.com")
	require.Equal(t, 1, status)
	require.NotEmpty(t, f.record(t, "example.com").OrderKey)
	f.ca.intercept(nil)
	f.pauseIsOver(t, "example.com")
	status, stdout, _ := f.run(t, "-mode", "remote", "example.com")
	require.Zero(t, status, stdout)
	assert.Len(t, f.ca.issued("example.com"), 1)
	assert.Equal(t, int32(1), f.made.Load())
	assert.Empty(t, f.record(t, "example.com").OrderURL)
}

// What was downloaded is no chain: the next run downloads it again, and after
// two such runs another is ordered.
func TestRenew_GarbledDownload(t *testing.T) {
	for times, want := range map[int]int{1: 1, 2: 2, 3: 2} {
		f := newFixture(t, caOptions{}, "example.com")
		f.ca.intercept(answering("/certZ/", 200, map[string]string{"Content-Type": "application/pem-certificate-chain"}, "<html>busy</html>"))
		for range times {
			status, stdout, _ := f.run(t, "-mode", "remote", "example.com")
			require.Equal(t, 1, status)
			require.Contains(t, stdout, "download: ")
			f.pauseIsOver(t, "example.com")
		}
		f.ca.intercept(nil)
		status, stdout, _ := f.run(t, "-mode", "remote", "example.com")
		require.Zero(t, status, stdout)
		assert.Len(t, f.ca.issued("example.com"), want, "after %d garbled downloads", times)
	}
}

// At a renewal the CA refuses another order once an own one, given up after two
// garbled downloads, has replaced the certificate: that one is looked at again,
// before it is taken for another machine's.
func TestRenew_GarbledDownloadAtARenewal(t *testing.T) {
	f := newFixture(t, caOptions{}, "example.com")
	status, _, _ := f.run(t, "example.com")
	require.Zero(t, status)
	f.ca.intercept(answering("/certZ/", 200, map[string]string{"Content-Type": "application/pem-certificate-chain"}, "<html>busy</html>"))
	var stdout string
	for range 3 {
		status, stdout, _ = f.run(t, "example.com,www.example.com")
		require.Equal(t, 1, status)
		require.Contains(t, stdout, "download: ")
		f.pauseIsOver(t, "example.com")
	}
	f.ca.intercept(nil)
	status, stdout, _ = f.run(t, "example.com,www.example.com")
	require.Zero(t, status, stdout)
	assert.Contains(t, stdout, "example.com: renewed")
	assert.Len(t, f.ca.issued("www.example.com"), 1)
}

// An order of another profile is not continued. If it has replaced a certificate
// already, that was no other machine.
func TestRenew_OrderOfAnotherProfile(t *testing.T) {
	f := newFixture(t, caOptions{profiles: map[string]uint64{"classic": 90, "shortlived": 6}}, "example.com")
	for _, names := range []string{"example.com", "example.com,www.example.com"} { // an order, a renewal
		f.ca.intercept(answering("/certZ/", 200, map[string]string{"Content-Type": "application/pem-certificate-chain"}, "<html>busy</html>"))
		status, stdout, _ := f.run(t, "-profile", "shortlived", names)
		require.Equal(t, 1, status)
		require.Contains(t, stdout, "download: ")
		f.pauseIsOver(t, "example.com")
		f.ca.intercept(nil)
		status, stdout, _ = f.run(t, "-profile", "classic", names)
		require.Zero(t, status, stdout)
		leaf := f.served(t, "example.com")
		assert.Equal(t, 90, int(leaf.NotAfter.Sub(leaf.NotBefore).Hours()+1)/24, names)
	}
}

// A CA that has forgotten an order, and says so in a way that is no ACME, is
// asked once more before another order is made.
func TestRenew_OrderThatCannotBeFetched(t *testing.T) {
	f := newFixture(t, caOptions{}, "example.com")
	f.cdn.API.Inject(cdntest.Fault{Action: "CreateCdnCertificateSigningRequest", Status: 403, Code: "Forbidden.RAM"})
	status, stdout, _ := f.run(t, "-mode", "remote", "example.com")
	require.Equal(t, 1, status, stdout)
	begun := f.record(t, "example.com").OrderURL
	require.NotEmpty(t, begun)
	f.ca.intercept(answering("/my-order/", 404, nil, "<html>not found</html>"))
	for misses := range 2 {
		status, stdout, _ = f.run(t, "-mode", "remote", "example.com")
		require.Equal(t, 1, status)
		require.Contains(t, stdout, "order "+begun)
		require.Equal(t, misses+1, f.record(t, "example.com").OrderMisses)
		require.Equal(t, begun, f.record(t, "example.com").OrderURL)
		f.pauseIsOver(t, "example.com")
	}
	require.Equal(t, 1, f.ca.asked("/order-plz"))
	f.ca.intercept(nil)
	status, stdout, _ = f.run(t, "-mode", "remote", "example.com")
	require.Zero(t, status, stdout)
	assert.Equal(t, 2, f.ca.asked("/order-plz"))
	assert.Zero(t, f.record(t, "example.com").OrderMisses)
}

// A stored chain that can't be installed is forgotten, and another is ordered
// after the pause of a failure.
func TestRenew_StoredChainThatIsRefused(t *testing.T) {
	f := newFixture(t, caOptions{}, "example.com")
	f.cdn.API.Inject(cdntest.Fault{Action: "SetCdnDomainCSRCertificate", Status: 403, Code: "Forbidden.RAM"})
	status, _, _ := f.run(t, "-mode", "remote", "example.com")
	require.Equal(t, 1, status)
	rec := f.record(t, "example.com")
	leaf, _, _ := strings.Cut(rec.Chain, "-----END CERTIFICATE-----")
	rec.Chain = leaf + "-----END CERTIFICATE-----\n" + rec.Chain // a leaf that has not signed the leaf
	require.NoError(t, rec.Save(t.Context()))

	status, stdout, _ := f.run(t, "-mode", "remote", "example.com")
	require.Equal(t, 1, status, stdout)
	assert.Empty(t, f.record(t, "example.com").Chain)
	assert.Equal(t, 1, f.record(t, "example.com").Failures)
	f.requireBackoff(t, "-mode", "remote", "example.com")
	assert.Len(t, f.ca.issued("example.com"), 2)
}

// On a machine whose clock is behind, a new certificate is not valid yet. It is
// kept until the clock is right.
func TestRenew_ClockThatIsBehind(t *testing.T) {
	f := newFixture(t, caOptions{}, "example.com")
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	start := time.Now().Add(2 * time.Hour)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{"example.com"}, NotBefore: start, NotAfter: start.AddDate(0, 0, 90),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	chain := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	require.NoError(t, state.In(f.path("state"), f.caURL).Make())
	rec := f.record(t, "example.com")
	rec.Chain = chain
	require.NoError(t, rec.Save(t.Context()))
	status, stdout, _ := f.run(t, "example.com")
	require.Equal(t, 1, status)
	assert.Contains(t, stdout, "the clock of this machine is behind: the certificate is not valid before "+start.UTC().Format(time.RFC3339))
	rec = f.record(t, "example.com")
	assert.Equal(t, chain, rec.Chain)
	assert.Zero(t, rec.Failures)
}

// Only a mistake in the chain itself is a reason to forget it.
func TestIsOfChain(t *testing.T) {
	for field, want := range map[string]bool{"Chain": true, "Chain[1]": true, "Domain": false, "SSLPri": false} {
		err := fmt.Errorf("install: %w", csr.FieldErrors{{Field: "Domain"}, {Field: field}}.Err())
		assert.Equal(t, want, isOfChain(err), field)
	}
	assert.False(t, isOfChain(assert.AnError))
}

// A window that makes no sense, and one that comes too early, change nothing.
func TestRenew_WindowsThatAreBroken(t *testing.T) {
	f := newFixture(t, caOptions{}, "example.com")
	status, stdout, _ := f.run(t, "example.com")
	require.Zero(t, status, stdout)
	leaf := f.served(t, "example.com")
	for name, answer := range map[string]string{
		"no JSON": `{"suggestedWindow":`, "empty": `{}`,
		"ends before it begins":  `{"suggestedWindow":{"start":"2026-11-02T00:00:00Z","end":"2026-11-01T00:00:00Z"}}`,
		"past, on the first day": `{"suggestedWindow":{"start":"2001-11-01T00:00:00Z","end":"2001-11-02T00:00:00Z"}}`,
	} {
		require.NoError(t, f.ca.db.SetARIResponse(leaf.SerialNumber, answer))
		status, stdout, _ = f.run(t, "example.com")
		require.Zero(t, status, stdout)
		assert.Contains(t, stdout, "kept", name)
	}
	assert.Len(t, f.ca.issued("example.com"), 1)
}

// A certificate of another CA is kept until it is due, and is replaced by an
// order that names no predecessor.
func TestRenew_CertificateOfAnotherCA(t *testing.T) {
	f := newFixture(t, caOptions{}, "example.com")
	status, _, _ := f.run(t, "example.com")
	require.Zero(t, status)
	other := newFixture(t, caOptions{}, "example.com")
	f.ca, f.caURL, f.http = other.ca, other.caURL, other.http // its edge does not serve proofs
	f.ca.intercept(nil)
	status, stdout, _ := f.run(t, "example.com")
	require.Zero(t, status)
	assert.Contains(t, stdout, "example.com: kept, next")
	status, stdout, _ = f.run(t, "-http-dir", other.path("web"), "example.com,www.example.com")
	require.Zero(t, status, stdout)
	assert.Contains(t, stdout, "example.com: renewed")
	assert.Equal(t, 1, other.ca.asked("/order-plz"))
}

// Another machine with another account has no right to name the predecessor:
// the order is made without.
func TestRenew_CertificateOfAnotherAccount(t *testing.T) {
	f := newFixture(t, caOptions{}, "example.com")
	status, _, _ := f.run(t, "example.com")
	require.Zero(t, status)
	require.NoError(t, os.RemoveAll(f.path("state")))
	status, stdout, _ := f.run(t, "example.com,www.example.com")
	require.Zero(t, status, stdout)
	assert.Equal(t, 3, f.ca.asked("/order-plz"))
}

// withoutWindows answers questions for windows until the first chain is
// downloaded, after which the ACME client would repeat its own for seconds.
func withoutWindows() func(http.ResponseWriter, string) bool {
	refuse, downloaded := answering("/draft-ietf-acme-ari-03/renewalInfo", 404, nil, ""), new(atomic.Bool)
	return func(w http.ResponseWriter, path string) bool {
		if strings.HasPrefix(path, "/certZ/") {
			downloaded.Store(true)
		}
		return !downloaded.Load() && refuse(w, path)
	}
}

// An order names its predecessor also while the CA tells no windows, unless
// nothing says that the CA has issued it.
func TestRenew_PredecessorWithoutAWindow(t *testing.T) {
	f := newFixture(t, caOptions{}, "example.com")
	status, _, _ := f.run(t, "example.com")
	require.Zero(t, status)
	id, err := acme.ARIUniqueIdentifier(f.served(t, "example.com"))
	require.NoError(t, err)
	f.ca.intercept(withoutWindows())
	status, stdout, _ := f.run(t, "example.com,www.example.com")
	require.Zero(t, status, stdout)
	issued := f.ca.issued("www.example.com")
	require.Len(t, issued, 1)
	assert.Equal(t, id, issued[0].replaces)

	other := newFixture(t, caOptions{}, "example.com")
	f.ca, f.caURL, f.http = other.ca, other.caURL, other.http // its edge does not serve proofs
	f.ca.intercept(withoutWindows())
	status, stdout, _ = f.run(t, "-http-dir", other.path("web"), "example.com,new.example.com")
	require.Zero(t, status, stdout)
	assert.Equal(t, 1, other.ca.asked("/order-plz"))
	assert.Empty(t, other.ca.issued("new.example.com")[0].replaces)
}

// An order is repeated without its predecessor only if it may be that which the
// CA does not take.
func TestRenew_OrderThatIsRefusedAtARenewal(t *testing.T) {
	for problem, want := range map[string]int{"malformed": 2, "unauthorized": 2, "conflict": 2, "userActionRequired": 1, "rateLimited": 1, "serverInternal": 1, "caa": 1} {
		t.Run(problem, func(t *testing.T) {
			f := newFixture(t, caOptions{}, "example.com")
			status, _, _ := f.run(t, "example.com")
			require.Zero(t, status)
			before := f.ca.asked("/order-plz")
			f.ca.intercept(answering("/order-plz", 403, asProblem, `{"type":"urn:ietf:params:acme:error:`+problem+`"}`))
			status, stdout, _ := f.run(t, "example.com,www.example.com")
			require.Equal(t, 1, status)
			assert.Contains(t, stdout, problem)
			assert.Equal(t, want, f.ca.asked("/order-plz")-before)
		})
	}
}

// The certificate of the staging CA is replaced, also in a later run than the
// one that has ordered.
func TestRenew_CertificateOfTheStagingCAIsReplaced(t *testing.T) {
	f := newFixture(t, caOptions{}, "example.com")
	status, _, _ := f.run(t, "example.com")
	require.Zero(t, status)
	f.asStaging(t, "example.com")
	f.cdn.API.Inject(cdntest.Fault{Action: "SetCdnDomainSSLCertificate", Status: 403, Code: "Forbidden.RAM"})
	status, stdout, _ := f.run(t, "example.com")
	require.Equal(t, 1, status, stdout)
	status, stdout, _ = f.run(t, "example.com")
	require.Zero(t, status, stdout)
	assert.Contains(t, stdout, "example.com: installed")
	status, stdout, _ = f.run(t, "example.com")
	require.Zero(t, status, stdout)
	assert.Contains(t, stdout, "example.com: kept, next")
	assert.Len(t, f.ca.issued("example.com"), 2)
}

// asStaging makes the record of a domain that of the staging CA.
func (f *fixture) asStaging(t *testing.T, domain string) {
	t.Helper()
	require.NoError(t, os.Rename(string(state.In(f.path("state"), f.caURL)), string(state.In(f.path("state"), issue.Staging))))
}

// The CA says that the certificate has a successor: that is left to the other
// machine for an hour, but not until a time that a wrong clock has noted.
func TestRenew_ReplacedByAnotherMachine(t *testing.T) {
	for name, shift := range map[string]time.Duration{"an hour ago": -time.Hour, "in a year": 365 * 24 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, caOptions{}, "example.com")
			status, _, _ := f.run(t, "example.com")
			require.Zero(t, status)
			// The other machine has the same account. It orders, and can't install.
			second := f.path("second")
			copyAccount(t, f.path("state"), second)
			f.cdn.API.Inject(cdntest.Fault{Action: "SetCdnDomainSSLCertificate", Status: 403, Code: "Forbidden.RAM"})
			status, _, _ = f.run(t, "-state", second, "example.com,www.example.com")
			require.Equal(t, 1, status)

			status, stdout, _ := f.run(t, "example.com,www.example.com")
			require.Equal(t, 1, status, "no edge has the new name")
			assert.Contains(t, stdout, "the CA has renewed it already, for another machine, but the edges present one for [example.com]")
			require.Len(t, f.ca.issued("www.example.com"), 1)
			rec := f.record(t, "example.com")
			assert.Zero(t, rec.Failures)
			rec.ReplacedAt = rec.ReplacedAt.Add(shift)
			require.NoError(t, rec.Save(t.Context()))
			status, stdout, _ = f.run(t, "example.com,www.example.com")
			require.Zero(t, status, stdout)
			assert.Contains(t, stdout, "example.com: renewed")
			assert.Len(t, f.ca.issued("www.example.com"), 2)
		})
	}
}

// copyAccount copies the account's key to another folder.
func copyAccount(t *testing.T, from, to string) {
	t.Helper()
	accounts, err := filepath.Glob(filepath.Join(from, "*", "account"))
	require.NoError(t, err)
	require.Len(t, accounts, 1)
	path, err := filepath.Rel(from, accounts[0])
	require.NoError(t, err)
	require.NoError(t, os.CopyFS(filepath.Join(to, path), os.DirFS(accounts[0])))
	keys, err := filepath.Glob(filepath.Join(to, path, "*.pem"))
	require.NoError(t, err)
	require.Len(t, keys, 1)
	require.NoError(t, os.Chmod(keys[0], 0o600))
}

// The answers of Alibaba Cloud DNS are lost, and the program gets a signal: no
// record is left.
func TestAliDNS_RemovesItsRecords(t *testing.T) {
	for name, action := range map[string]string{"added": "AddDomainRecord", "deleted": "DeleteDomainRecord"} {
		t.Run("the answer is lost: "+name, func(t *testing.T) {
			f := newFixture(t, caOptions{}, "example.com")
			f.dns.lose[action] = 1
			status, stdout, stderr := f.run(t, "-challenge", "alidns", "example.com,www.example.com")
			require.Zero(t, status, stdout+stderr)
			f.requireNoProofs(t)
		})
	}
	t.Run("a signal", func(t *testing.T) {
		f := newFixture(t, caOptions{}, "example.com")
		ctx, interrupt := context.WithCancel(t.Context())
		f.ca.intercept(func(_ http.ResponseWriter, path string) bool {
			if strings.HasPrefix(path, "/chalZ/") {
				interrupt()
			}
			return false
		})
		status, stdout, _ := f.runWith(ctx, "-challenge", "alidns", "example.com,www.example.com")
		require.Equal(t, 1, status, stdout)
		_, added := f.dns.left()
		require.Equal(t, 2, added)
		f.requireNoProofs(t)
		assert.Zero(t, f.record(t, "example.com").Failures, "a signal is no failure")
	})
	t.Run("a signal, and the answer is lost", func(t *testing.T) {
		f := newFixture(t, caOptions{}, "example.com")
		ctx, interrupt := context.WithCancel(t.Context())
		f.dns.lose["AddDomainRecord"], f.dns.onLoss = 1, interrupt
		status, stdout, _ := f.runWith(ctx, "-challenge", "alidns", "example.com")
		require.Equal(t, 1, status, stdout)
		_, added := f.dns.left()
		require.Equal(t, 1, added)
		f.requireNoProofs(t)
	})
	t.Run("a name of another zone", func(t *testing.T) {
		f := newFixture(t, caOptions{}, "example.net")
		status, stdout, _ := f.run(t, "-challenge", "alidns", "example.net")
		require.Equal(t, 1, status)
		assert.Contains(t, stdout, "InvalidDomainName.NoExist")
	})
}
