package csr

import (
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"
)

// benchmarkRequest is a typical request: two names, and the defaults otherwise.
var benchmarkRequest = Request{CommonName: "example.com", SANs: []string{"www.example.com"}}

// bareCSR returns the same CSR in DER, as x509 alone encodes it.
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

// BenchmarkNew measures New, with its checks, the PubMd5 and the PEM, beside
// x509.CreateCertificateRequest with the same key.
func BenchmarkNew(b *testing.B) {
	for _, keyType := range keyTypes {
		b.Run(keyType.String(), func(b *testing.B) {
			key := newTestKey(b, keyType)
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

// BenchmarkPool_Hit measures a CSR for a key from a full Pool beside one for a
// given key, both RSA-2048.
func BenchmarkPool_Hit(b *testing.B) {
	key := newTestKey(b, RSA2048)
	pool := newPool(b, fixedSource{key}, 1000)
	for len(pool.ready) < cap(pool.ready) {
		runtime.Gosched()
	}
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

// compare times theirs and ours in turn, so that a busy machine slows both. It
// reports the medians, their ratio, and the allocations of each.
func compare(b *testing.B, theirs, ours func() error) {
	var times [2][]time.Duration
	both := []func() error{theirs, ours}
	for b.Loop() {
		for i, f := range both {
			start := time.Now()
			if err := f(); err != nil {
				b.Fatal(err)
			}
			times[i] = append(times[i], time.Since(start))
		}
	}
	bare, own := median(times[0]), median(times[1])
	b.ReportMetric(0, "ns/op") // the sum of both, which means nothing
	b.ReportMetric(bare/1000, "µs-bare")
	b.ReportMetric(own/1000, "µs")
	b.ReportMetric(own/bare, "ratio")
	for i, unit := range []string{"allocs-bare", "allocs"} {
		b.ReportMetric(testing.AllocsPerRun(10, func() { _ = both[i]() }), unit) // neither fails: see above
	}
}

// median returns the median of times in nanoseconds.
func median(times []time.Duration) float64 {
	slices.Sort(times)
	return float64(times[len(times)/2].Nanoseconds())
}

// BenchmarkGenerator makes 10,000 P-256 CSRs with a MemStore, in turns on one
// core and on two, and reports how many times faster two are, by the medians.
// What crypto/x509 alone gains, with keys that are not stored, is the machine's
// limit.
func BenchmarkGenerator(b *testing.B) {
	const turns, csrs = 20, 500
	g := Generator{Keys: new(MemStore), Source: P256}
	both := []func() error{func() error {
		key, err := P256.NewKey(b.Context())
		if err != nil {
			return err
		}
		_, err = bareCSR(key)
		return err
	}, func() error {
		_, err := g.CreateCdnCertificateSigningRequest(b.Context(), &benchmarkRequest)
		return err
	}}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	var times [2][2][]time.Duration
	for b.Loop() {
		for range turns {
			for i, f := range both {
				for cores := range 2 {
					runtime.GOMAXPROCS(cores + 1)
					start := time.Now()
					repeat(b, f, csrs, cores+1)
					times[i][cores] = append(times[i][cores], time.Since(start))
				}
			}
		}
	}
	b.ReportMetric(0, "ns/op") // the sum of both, which means nothing
	b.ReportMetric(median(times[0][0])/median(times[0][1]), "speed-up-bare")
	b.ReportMetric(median(times[1][0])/median(times[1][1]), "speed-up")
	b.ReportMetric(csrs/median(times[1][1])*1e9, "csrs/s")
}

// repeat calls f that many times, from that many goroutines.
func repeat(b *testing.B, f func() error, times, goroutines int) {
	var wait sync.WaitGroup
	for range goroutines {
		wait.Go(func() {
			for range times / goroutines {
				if err := f(); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wait.Wait()
}

// BenchmarkDirStore_Put measures a CSR with its key on the disk, two fsyncs
// included.
func BenchmarkDirStore_Put(b *testing.B) {
	g := Generator{Keys: DirStore{Path: newDir(b)}, Source: P256}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := g.CreateCdnCertificateSigningRequest(b.Context(), &benchmarkRequest); err != nil {
			b.Fatal(err)
		}
	}
}
