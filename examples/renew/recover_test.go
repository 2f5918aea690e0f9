package main

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/cdn/cdntest"
	"github.com/cdncsr/cdncsr/csr"
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

// A key store that can't be written costs no certificate, and no second order.
func TestRenew_KeyStoreThatCannotBeWritten(t *testing.T) {
	f := newFixture(t, caOptions{}, "example.com")
	f.writeFile(t, "keys", "a file where a folder should be")
	status, _, _ := f.run(t, "example.com")
	require.Equal(t, 1, status)
	assert.Empty(t, f.ca.issued("example.com"))
	require.NoError(t, os.Remove(f.path("keys")))
	f.pauseIsOver(t, "example.com")
	status, stdout, _ := f.run(t, "example.com")
	require.Zero(t, status, stdout)
	assert.Equal(t, 1, f.ca.asked("/order-plz"), "the order was continued")
	assert.Equal(t, 1, f.ca.asked("/chalZ/"), "its proof holds")
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

func TestRenew_CertificateOfTheStagingCAIsReplaced(t *testing.T) {
	f := newFixture(t, caOptions{}, "example.com")
	status, _, _ := f.run(t, "example.com")
	require.Zero(t, status)
	rec := f.record(t, "example.com")
	rec.ChainCA = directories["letsencrypt-staging"]
	require.NoError(t, rec.save())
	status, stdout, _ := f.run(t, "example.com")
	require.Zero(t, status, stdout)
	assert.Contains(t, stdout, "example.com: renewed")
	status, stdout, _ = f.run(t, "example.com")
	require.Zero(t, status, stdout)
	assert.Contains(t, stdout, "example.com: kept, next")
}

// The CA says that the certificate has a successor: that is left to the other
// machine for an hour.
func TestRenew_ReplacedByAnotherMachine(t *testing.T) {
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
	require.Zero(t, status, stdout)
	assert.Contains(t, stdout, "kept: the CA has renewed it already")
	require.Len(t, f.ca.issued("www.example.com"), 1)
	rec := f.record(t, "example.com")
	rec.ReplacedAt = rec.ReplacedAt.Add(-otherMachineTime)
	require.NoError(t, rec.save())
	status, stdout, _ = f.run(t, "example.com,www.example.com")
	require.Zero(t, status, stdout)
	assert.Contains(t, stdout, "example.com: renewed")
	assert.Len(t, f.ca.issued("www.example.com"), 2)
}

// copyAccount copies the account's key to another folder.
func copyAccount(t *testing.T, from, to string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(from, "account-*.pem"))
	require.NoError(t, err)
	require.Len(t, files, 1)
	data, err := os.ReadFile(files[0])
	require.NoError(t, err)
	require.NoError(t, os.MkdirAll(to, 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(to, filepath.Base(files[0])), data, 0o600))
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

// The CA issues a certificate with another key: nothing is stored or installed.
func TestCheckIssued(t *testing.T) {
	f := newFixture(t, caOptions{}, "example.com")
	status, _, _ := f.run(t, "example.com")
	require.Zero(t, status)
	rec := f.record(t, "example.com")
	key, err := csr.PubMD5(rec.leaf().PublicKey)
	require.NoError(t, err)
	shop := site{"example.com", []string{"example.com"}}
	require.NoError(t, checkIssued([]byte(rec.Chain), shop, key))
	assert.ErrorContains(t, checkIssued([]byte(rec.Chain), shop, "another"), "has the key")
	shop.names = append(shop.names, "www.example.com")
	assert.ErrorContains(t, checkIssued([]byte(rec.Chain), shop, key), "not for")
	assert.ErrorContains(t, checkIssued(nil, shop, key), "no certificate")
}

// Another machine installs a certificate between the two looks.
func TestLookAgain_AnotherMachineWasFaster(t *testing.T) {
	f := newFixture(t, caOptions{}, "example.com")
	status, _, _ := f.run(t, "example.com")
	require.Zero(t, status)
	cmd := new(command)
	require.NoError(t, cmd.parse(f.flags("example.com"), nil))
	r, err := cmd.renewer(t.Context(), f.http, func(err error) { t.Error(err) })
	require.NoError(t, err)
	require.ErrorIs(t, r.lookAgain(t.Context(), cmd.sites[0], nil, new(record)), errElsewhere)
	did, err := afterOrder(errElsewhere, nil)
	require.NoError(t, err)
	assert.Contains(t, did.did, "kept")
	_, err = afterOrder(errElsewhere, errLocked)
	assert.ErrorIs(t, err, errLocked, "kept, but unproved")
}

func TestParseRetryAfter(t *testing.T) {
	date := time.Date(2026, 11, 26, 8, 0, 0, 0, time.UTC)
	got, ok := parseRetryAfter(http.Header{"Retry-After": {date.Format(http.TimeFormat)}})
	assert.True(t, ok)
	assert.True(t, got.Equal(date))
	_, ok = parseRetryAfter(http.Header{"Retry-After": {"120"}})
	assert.True(t, ok)
	for _, text := range []string{"", "-1", "soon", "99999999999999999999"} {
		_, ok = parseRetryAfter(http.Header{"Retry-After": {text}})
		assert.False(t, ok, text)
	}
}
