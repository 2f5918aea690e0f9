package csr

import (
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"math"
	"testing"
	"time"
)

// benchmarkRequest is a usual one: two names, every default of the service.
var benchmarkRequest = Request{CommonName: "example.com", SANs: []string{"www.example.com"}}

// bareCSR is the least that makes the same CSR: the subject and the names as x509 encodes them, in DER.
func bareCSR(key crypto.Signer) ([]byte, error) {
	return x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{
		Subject: pkix.Name{
			Country: []string{defaultCountry}, Province: []string{defaultState}, Locality: []string{defaultCity},
			Organization: []string{defaultOrganization}, OrganizationalUnit: []string{defaultOrganizationUnit},
			CommonName: "example.com",
		},
		DNSNames: []string{"example.com", "www.example.com"},
	}, key)
}

// BenchmarkNew measures New, its checks included, beside x509.CreateCertificateRequest with the same key. The two take
// turns, so that a busy machine slows both; "x-bare" is how many times the bare one's time New takes.
func BenchmarkNew(b *testing.B) {
	for _, keyType := range keyTypes {
		b.Run(keyType.String(), func(b *testing.B) {
			key, err := keyType.NewKey(b.Context())
			if err != nil {
				b.Fatal(err)
			}
			compare(b, func() error {
				_, err := bareCSR(key)
				return err
			}, func() error {
				_, err := New(&benchmarkRequest, key)
				return err
			})
		})
	}
}

// BenchmarkPool_Hit measures a CSR whose RSA-2048 key comes out of a full pool beside one for a key at hand.
func BenchmarkPool_Hit(b *testing.B) {
	key, err := RSA2048.NewKey(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	source := fixedSource{key}
	pool := NewPool(source, 64)
	defer pool.Close()
	compare(b, func() error {
		_, err := New(&benchmarkRequest, key)
		return err
	}, func() error {
		key, err := pool.NewKey(b.Context())
		if err != nil {
			return err
		}
		_, err = New(&benchmarkRequest, key)
		return err
	})
}

// compare times ours against theirs in turn and reports the ratio of the medians' stand-ins, the fastest quarter of
// each: what the machine does beside is in neither.
func compare(b *testing.B, theirs, ours func() error) {
	b.ReportAllocs()
	best := [2]float64{math.Inf(1), math.Inf(1)}
	for b.Loop() {
		for i, f := range []func() error{theirs, ours} {
			start := time.Now()
			if err := f(); err != nil {
				b.Fatal(err)
			}
			best[i] = min(best[i], float64(time.Since(start)))
		}
	}
	b.ReportMetric(best[1]/best[0], "x-bare")
}
