package cdn_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/cdn"
	"github.com/cdncsr/cdncsr/csr"
)

// A testCA is a root and an intermediate that issues certificates.
type testCA struct {
	root, intermediate       *x509.Certificate
	rootKey, intermediateKey crypto.Signer
	rootPEM, intermediatePEM string
}

func newTestCA(t testing.TB) *testCA {
	t.Helper()
	ca := &testCA{rootKey: newKey(t, csr.P256), intermediateKey: newKey(t, csr.P256)}
	template := caTemplate("Test Root")
	ca.root = signCertificate(t, template, template, ca.rootKey.Public(), ca.rootKey)
	ca.intermediate = signCertificate(t, caTemplate("Test Intermediate"), ca.root, ca.intermediateKey.Public(), ca.rootKey)
	ca.rootPEM, ca.intermediatePEM = toPEM(ca.root), toPEM(ca.intermediate)
	return ca
}

func newKey(t testing.TB, kind csr.KeyType) crypto.Signer {
	t.Helper()
	key, err := kind.NewKey(context.Background()) // no t.Context: an Example has none
	require.NoError(t, err)
	return key
}

func caTemplate(name string) *x509.Certificate {
	template := certTemplate()
	template.Subject.CommonName = name
	template.DNSNames = nil
	template.IsCA, template.BasicConstraintsValid, template.KeyUsage = true, true, x509.KeyUsageCertSign
	return template
}

// certTemplate is of a certificate for example.com that is valid now.
func certTemplate() *x509.Certificate {
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		panic(err) // crypto/rand never fails
	}
	return &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: "example.com"},
		DNSNames:  []string{"example.com", "*.example.com"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(90 * 24 * time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
}

func signCertificate(t testing.TB, template, parent *x509.Certificate, pub crypto.PublicKey, parentKey crypto.Signer) *x509.Certificate {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, template, parent, pub, parentKey)
	require.NoError(t, err)
	cert, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	return cert
}

// sign issues a certificate for a CSR, as changed by edit, which may be nil. It
// returns the chain in PEM.
func (ca *testCA) sign(t testing.TB, resp *csr.Response, edit func(*x509.Certificate)) []byte {
	t.Helper()
	parsed, err := resp.CertificateRequest()
	require.NoError(t, err)
	return []byte(toPEM(ca.issue(t, parsed.PublicKey, func(template *x509.Certificate) {
		template.DNSNames, template.Subject = parsed.DNSNames, parsed.Subject
		if edit != nil {
			edit(template)
		}
	})) + ca.intermediatePEM)
}

// issue returns a certificate for example.com, as changed by edit, which may be
// nil.
func (ca *testCA) issue(t testing.TB, pub crypto.PublicKey, edit func(*x509.Certificate)) *x509.Certificate {
	t.Helper()
	template := certTemplate()
	if edit != nil {
		edit(template)
	}
	return signCertificate(t, template, ca.intermediate, pub, ca.intermediateKey)
}

func toPEM(certs ...*x509.Certificate) string {
	var b bytes.Buffer
	for _, cert := range certs {
		_ = pem.Encode(&b, &pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw}) // a bytes.Buffer takes everything
	}
	return b.String()
}

// leafOf returns the first certificate of a chain in PEM.
func leafOf(t testing.TB, chain []byte) *x509.Certificate {
	t.Helper()
	block, _ := pem.Decode(chain)
	require.NotNil(t, block)
	cert, err := x509.ParseCertificate(block.Bytes)
	require.NoError(t, err)
	return cert
}

func readFile(t testing.TB, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	require.NoError(t, err)
	return string(data)
}

// sec1 returns an ECDSA key as the CDN documents it.
func sec1(t testing.TB, key crypto.Signer) cdn.Secret {
	t.Helper()
	der, err := x509.MarshalECPrivateKey(key.(*ecdsa.PrivateKey))
	require.NoError(t, err)
	return cdn.Secret(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der}))
}
