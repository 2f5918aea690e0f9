package main

import (
	"fmt"
	"io"
	"net/http"
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
// two take turns, so that a busy disk slows both; "of-store" is the program's rate as a part of the store's.
func BenchmarkBulk(b *testing.B) {
	const names = 1000
	rows := benchmarkRows(names)
	store, program := time.Hour, time.Hour // the best of all rounds: what the machine does beside is in neither
	for b.Loop() {
		dir := b.TempDir()
		start := time.Now()
		putKeys(b, csr.DirStore(filepath.Join(dir, "alone")), rows)
		store = min(store, time.Since(start))

		start = time.Now()
		runBatch(b, &csr.Generator{Keys: csr.DirStore(filepath.Join(dir, "keys")), Source: csr.P256}, rows)
		program = min(program, time.Since(start))
	}
	b.ReportMetric(names/program.Seconds(), "names/s")
	b.ReportMetric(store.Seconds()/program.Seconds(), "of-store")
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
			fake.Script(cdntest.Fault{Wait: latency})
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
	forEach(b.Context(), defaultWorkers, slices.Values(rows), func(row) {
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
