package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/cdncsr/cdncsr/cdn"
	"github.com/cdncsr/cdncsr/cdn/cdntest"
	"github.com/cdncsr/cdncsr/csr"
	"github.com/cdncsr/cdncsr/signer"
)

// BenchmarkBulk measures the program with P-256 keys beside the key store alone, with as many keys put by as many workers. The
// two take turns, so that a busy disk slows both; "of-store" is the program's rate as a part of the store's, the median of the
// rounds. The store alone has as many processors as there are cores: more would not speed it up.
func BenchmarkBulk(b *testing.B) {
	const names = 1000
	rows := benchmarkRows(names)
	var rates, ratios []float64 // of each round
	for b.Loop() {
		store := took(b, func(keys csr.DirStore) { putKeys(b, keys, rows) })
		program := took(b, func(keys csr.DirStore) {
			defer overlap()()
			runBatch(b, &csr.Generator{Keys: keys, Source: csr.P256}, rows)
		})
		rates = append(rates, names/program.Seconds())
		ratios = append(ratios, store.Seconds()/program.Seconds())
	}
	b.ReportMetric(median(rates), "names/s")
	b.ReportMetric(median(ratios), "of-store")
}

// took is how long do takes with a new directory, which is gone afterwards: a file system full of keys is slower.
func took(b *testing.B, do func(csr.DirStore)) time.Duration {
	b.Helper()
	dir, err := os.MkdirTemp(b.TempDir(), "")
	if err != nil {
		b.Fatal(err)
	}
	start := time.Now()
	do(csr.DirStore{Path: filepath.Join(dir, "keys")})
	duration := time.Since(start)
	if err := os.RemoveAll(dir); err != nil {
		b.Fatal(err)
	}
	return duration
}

func median(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/2]
}

// BenchmarkBulk_Remote measures how much of the CDN's 100 calls a second the program uses when a call takes a tenth of a second.
func BenchmarkBulk_Remote(b *testing.B) {
	const names, latency = 500, 100 * time.Millisecond
	creds := signer.Credentials{AccessKeyID: "testid", AccessKeySecret: "testsecret"}
	fake := &cdntest.API{Credentials: []signer.Credentials{creds}, Source: csr.P256}
	client, err := cdn.NewClient(cdn.StaticCredentials(creds), &cdn.Options{HTTPClient: &http.Client{Transport: fake}})
	if err != nil {
		b.Fatal(err)
	}
	rows := benchmarkRows(names)
	for b.Loop() {
		for range names {
			fake.Inject(cdntest.Fault{Wait: latency})
		}
		runBatch(b, client, rows)
	}
	b.ReportMetric(float64(b.N*names)/b.Elapsed().Seconds(), "calls/s")
}

func benchmarkRows(n int) []row {
	rows := make([]row, n)
	for i := range rows {
		rows[i].request.CommonName = fmt.Sprintf("n%d.example.com", i)
	}
	return rows
}

// runBatch makes a CSR for each row, into a file of its own.
func runBatch(b *testing.B, creator cdn.CSRCreator, rows []row) {
	b.Helper()
	journal, err := openJournal(filepath.Join(b.TempDir(), "out.jsonl"))
	if err != nil {
		b.Fatal(err)
	}
	batch := &batch{creator: creator, journal: journal, display: newDisplay(io.Discard)}
	if err := batch.run(b.Context(), defaultWorkers, rows); err != nil {
		b.Fatal(err)
	}
}

// putKeys makes a key for each row and puts it into store.
func putKeys(b *testing.B, store csr.KeyStore, rows []row) {
	forEach(b.Context(), defaultWorkers, rows, func(row) {
		key, err := csr.P256.NewKey(b.Context())
		if err != nil {
			b.Error(err)
			return
		}
		pubMd5, err := csr.PubMD5(key.Public())
		if err == nil {
			err = store.Put(b.Context(), pubMd5, key)
		}
		if err != nil {
			b.Error(err)
		}
	})
}
