package cdn_test

import (
	"bytes"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/cdn"
	"github.com/cdncsr/cdncsr/cdn/cdntest"
	"github.com/cdncsr/cdncsr/csr"
)

// A chainCase is a chain that is refused for a reason, in a field, or that is
// sent as something else.
type chainCase struct {
	name   string
	domain string // empty: example.com
	chain  string
	field  string // empty: it is accepted
	reason string // a part of it
	sent   string // of a chain that is accepted
}

// dsaCertificate is self-signed with a DSA key, made by openssl 3.0: x509 makes
// none.
const dsaCertificate = "testdata/dsa.pem"

func chainCases(t testing.TB, key csr.KeyType) ([]chainCase, *csr.MemStore) {
	t.Helper()
	ca, other := newTestCA(t), newTestCA(t)
	keys := new(csr.MemStore)
	k := newKey(t, key)
	name, err := csr.PubMD5(k.Public())
	require.NoError(t, err)
	require.NoError(t, keys.Put(t.Context(), name, k))
	issue := func(edit func(*x509.Certificate)) string { return toPEM(ca.issue(t, k.Public(), edit)) }
	leaf, intermediate, root := issue(nil), ca.intermediatePEM, ca.rootPEM
	good := leaf + intermediate
	day := 24 * time.Hour
	expired := issue(func(c *x509.Certificate) { c.NotBefore, c.NotAfter = time.Now().Add(-2*day), time.Now().Add(-day) })
	early := issue(func(c *x509.Certificate) { c.NotBefore = time.Now().Add(day) })
	names := func(names ...string) func(*x509.Certificate) { return func(c *x509.Certificate) { c.DNSNames = names } }
	asCA := func(c *x509.Certificate) { c.IsCA, c.BasicConstraintsValid = true, true }
	self := certTemplate()
	selfSigned := toPEM(signCertificate(t, self, self, k.Public(), k))
	oldIntermediate := caTemplate("Test Intermediate")
	oldIntermediate.NotBefore, oldIntermediate.NotAfter = time.Now().Add(-9*day), time.Now().Add(-day)
	expiredIntermediate := toPEM(signCertificate(t, oldIntermediate, ca.root, ca.intermediateKey.Public(), ca.rootKey))
	oldRoot := caTemplate("Test Root")
	oldRoot.NotBefore, oldRoot.NotAfter = time.Now().Add(-9*day), time.Now().Add(-day)
	expiredRoot := toPEM(signCertificate(t, oldRoot, oldRoot, ca.rootKey.Public(), ca.rootKey))
	pkcs8, err := x509.MarshalPKCS8PrivateKey(k)
	require.NoError(t, err)
	privateKey := string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}))
	request := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: []byte("x")}))
	cut := good[:len(good)/2]
	refused := func(name, chain, field, reason string) chainCase {
		return chainCase{name: name, chain: chain, field: field, reason: reason}
	}
	accepted := func(name, chain, sent string) chainCase { return chainCase{name: name, chain: chain, sent: sent} }
	return []chainCase{
		accepted("leaf and intermediate", good, good),
		accepted("with the root, which is left out", good+root, good),
		accepted("a leaf alone", leaf, leaf),
		accepted("a self-signed leaf", selfSigned, selfSigned),
		accepted("CRLF", strings.ReplaceAll(good, "\n", "\r\n"), good),
		accepted("a BOM", "\ufeff"+good, good),
		accepted("blank lines", "\n\n"+leaf+"\n\n\n"+intermediate+"\n", good),
		accepted("text between the blocks", "Subject: example.com\n"+leaf+"\nIssuer: Test\n  s:/CN=x\n"+intermediate+"the end", good),
		accepted("no line end at the end", strings.TrimSpace(good), good),
		accepted("spaces at the ends of lines", strings.ReplaceAll(good, "\n", " \n"), good),
		{name: "a wildcard for a name", domain: "www.example.com", chain: good, sent: good},
		{name: "a name in capitals", domain: "WWW.Example.COM", chain: good, sent: good},
		{name: "a wildcard domain", domain: "*.example.com", chain: good, sent: good},
		{name: "a wildcard domain as the CDN writes it", domain: ".example.com", chain: good, sent: good},
		{name: "an IDN", domain: "bücher.example", chain: issue(names("xn--bcher-kva.example")) + intermediate, sent: ""},

		refused("nothing", "", "Chain", "no certificate"),
		refused("a text", "hello", "Chain", "no certificate"),
		refused("DER", string(ca.root.Raw), "Chain", "no certificate"),
		refused("UTF-16", strings.ReplaceAll(good, "", "\x00"), "Chain", "no certificate"),
		refused("200 KB", good+strings.Repeat("x", 200<<10), "Chain", "bytes, more than 65536"),
		refused("eleven certificates", good+strings.Repeat(root, 9), "Chain", "11 certificates, more than 10"),
		refused("cut in a block", cut, "Chain", "damaged"),
		refused("a second block that is cut", good[:len(good)-100], "Chain", "damaged"),
		refused("invalid base64", strings.Replace(good, "\nM", "\n!", 1), "Chain", "damaged"),
		refused("a block in a line", strings.ReplaceAll(good, "\n", ""), "Chain", "damaged"),
		refused("a block that begins within a line", " "+good, "Chain", "damaged"),
		refused("not a certificate", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("none")})), "Chain[0]", "not a certificate"),
		refused("bytes behind the certificate", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: append(bytes.Clone(ca.root.Raw), 0)})), "Chain[0]", "not a certificate"),
		refused("a private key behind", good+privateKey, "Chain[2]", "private key"),
		refused("a private key first", privateKey+good, "Chain[0]", "private key"),
		refused("a private key alone", privateKey, "Chain[0]", "private key"),
		refused("a request", request+good, "Chain[0]", `"CERTIFICATE REQUEST"`),
		refused("a trusted certificate", strings.ReplaceAll(good, "CERTIFICATE", "TRUSTED CERTIFICATE"), "Chain[0]", `"TRUSTED CERTIFICATE"`),
		refused("PEM headers", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Headers: map[string]string{"Proc-Type": "4,ENCRYPTED"}, Bytes: ca.root.Raw})), "Chain[0]", "headers"),
		refused("in the wrong order", intermediate+leaf, "Chain[0]", "not signed by the next"),
		refused("a certificate behind the root", good+root+intermediate, "Chain[2]", "self-signed"),
		refused("the root alone behind the leaf", leaf+root, "Chain[0]", "not signed by the next"),
		refused("another CA's intermediate of the same name", leaf+other.intermediatePEM, "Chain[0]", "not signed by the next"),
		refused("another CA's root", good+other.rootPEM, "Chain[1]", "not signed by the next"),
		refused("two leaves", leaf+issue(nil)+intermediate, "Chain[0]", "not signed by the next"),
		refused("the leaf twice", leaf+leaf+intermediate, "Chain[0]", "not signed by the next"),
		refused("a CA as the leaf", intermediate+root, "Chain[0]", "CA certificate"),
		refused("a leaf that may be a CA", issue(asCA)+intermediate, "Chain[0]", "CA certificate"),
		refused("a leaf for clients", issue(func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} })+intermediate, "Chain[0]", "not for servers"),
		refused("a leaf for clients and something else", issue(func(c *x509.Certificate) {
			c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
			c.UnknownExtKeyUsage = []asn1.ObjectIdentifier{{1, 2, 3}}
		})+intermediate, "Chain[0]", "not for servers"),
		accepted("a leaf without an extended key usage", issue(func(c *x509.Certificate) { c.ExtKeyUsage = nil })+intermediate, ""),
		refused("expired", expired+intermediate, "Chain[0]", "expired at"),
		refused("not valid yet", early+intermediate, "Chain[0]", "not valid before"),
		refused("an expired intermediate", leaf+expiredIntermediate, "Chain[1]", "expired at"),
		refused("an expired root, which would be left out", good+expiredRoot, "Chain[2]", "expired at"),
		refused("another name", issue(names("example.net"))+intermediate, "Chain[0]", "is for example.net, not for example.com"),
		refused("no name but the subject's", issue(names())+intermediate, "Chain[0]", "no domain names"),
		refused("a wildcard does not cover the parent", issue(names("*.example.com"))+intermediate, "Chain[0]", "not for example.com"),
		refused("a DSA key", readFile(t, dsaCertificate), "Chain[0]", "DSA"),
		{name: "a wildcard covers one label", domain: "a.b.example.com", chain: good, field: "Chain[0]", reason: "not for a.b.example.com"},
		{name: "a name does not cover the wildcard", domain: "*.www.example.com", chain: good, field: "Chain[0]", reason: "not for *.www.example.com"},
		{name: "not a domain name", domain: "exa mple.com", chain: good, field: "Domain", reason: "space"},
		{name: "a URL as the domain", domain: "https://example.com", chain: good, field: "Domain", reason: "URL"},
		{name: "an address as the domain", domain: "192.0.2.1", chain: good, field: "Domain", reason: "IP address"},
	}, keys
}

func TestInstaller_Chains(t *testing.T) {
	cases, keys := chainCases(t, csr.P256)
	require.Greater(t, len(cases), 40)
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) { c.check(t, keys) })
	}
}

func (c chainCase) check(t *testing.T, keys csr.KeyStore) {
	domain := c.domain
	if domain == "" {
		domain = "example.com"
	}
	f := newFixture(t, nil)
	for _, name := range []string{"example.com", "www.example.com", ".example.com", "xn--bcher-kva.example"} {
		f.api.AddDomain(name)
	}
	var sent []string
	f.api.OnRequest = func(r cdntest.Request) {
		if pub, ok := r.Params["SSLPub"]; ok {
			sent = append(sent, pub)
		}
	}
	i := cdn.Installer{Client: f.client, Keys: keys}
	_, err := i.Install(t.Context(), domain, []byte(c.chain))
	f.requireNoSecret(t, err)
	if c.field == "" {
		require.NoError(t, err)
		require.Len(t, sent, 1)
		if c.sent != "" {
			require.Equal(t, c.sent, sent[0])
		}
		return
	}
	require.ErrorIs(t, err, cdn.ErrInvalidRequest)
	require.Empty(t, f.attempts, "nothing is sent")
	var mistakes csr.FieldErrors
	require.True(t, errors.As(err, &mistakes), "%v", err)
	require.Equal(t, c.field, mistakes[0].Field, "%v", err)
	require.Contains(t, mistakes[0].Reason, c.reason)
	require.ErrorIs(t, i.Wait(t.Context(), domain, []byte(c.chain)), cdn.ErrInvalidRequest, "Wait checks alike")
}

func TestInstaller_AllMistakesAtOnce(t *testing.T) {
	ca := newTestCA(t)
	leaf := ca.issue(t, newKey(t, csr.P256).Public(), func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) })
	f := newFixture(t, nil)
	_, err := (&cdn.Installer{Client: f.client}).Install(t.Context(), "exa mple.net", []byte(toPEM(leaf)+ca.rootPEM))
	var mistakes csr.FieldErrors
	require.True(t, errors.As(err, &mistakes), "%v", err)
	var fields []string
	for _, mistake := range mistakes {
		fields = append(fields, mistake.Field)
	}
	require.Equal(t, []string{"Domain", "Chain[0]", "Chain[0]"}, fields, "%v", err)
}

// FuzzInstaller_Chain: whatever the chain, there is no panic, nothing is sent
// that was refused, and what is sent is certificates alone.
func FuzzInstaller_Chain(f *testing.F) {
	cases, _ := chainCases(f, csr.P256)
	for _, c := range cases {
		f.Add([]byte(c.chain))
	}
	f.Fuzz(func(t *testing.T, chain []byte) {
		fx := newFixture(t, nil)
		fx.api.AddDomain("example.com")
		var sent []string
		fx.api.OnRequest = func(r cdntest.Request) {
			if r.Action == "SetCdnDomainCSRCertificate" {
				sent = append(sent, r.Params["ServerCertificate"])
			}
		}
		_, err := (&cdn.Installer{Client: fx.client}).Install(t.Context(), "example.com", chain)
		if errors.Is(err, cdn.ErrInvalidRequest) && !errors.Is(err, cdn.ErrKeyNotFound) {
			require.Empty(t, sent, "%v", err)
			return
		}
		require.ErrorIs(t, err, cdn.ErrKeyNotFound, "the fake holds no key")
	})
}
