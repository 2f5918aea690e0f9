package main

import (
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/cdncsr/cdncsr/csr"
)

// BenchmarkBulk measures the program with P-256 keys beside the key store alone, with as many keys put by as many workers. The
// two take turns, so that a busy disk slows both; "of-store" is the program's rate as a part of the store's.
func BenchmarkBulk(b *testing.B) {
	const names = 1000
	rows := make([]row, names)
	for i := range rows {
		rows[i].request.CommonName = fmt.Sprintf("n%d.example.com", i)
	}
	var store, program time.Duration
	for b.Loop() {
		dir := b.TempDir()
		start := time.Now()
		putKeys(b, csr.DirStore(filepath.Join(dir, "alone")), rows)
		store += time.Since(start)

		start = time.Now()
		journal, err := openJournal(filepath.Join(dir, "out.jsonl"))
		if err != nil {
			b.Fatal(err)
		}
		batch := &batch{
			creator: &csr.Generator{Keys: csr.DirStore(filepath.Join(dir, "keys")), Source: csr.P256},
			journal: journal,
			display: newDisplay(io.Discard),
		}
		if err := batch.run(b.Context(), defaultWorkers, rows); err != nil {
			b.Fatal(err)
		}
		program += time.Since(start)
	}
	b.ReportMetric(float64(b.N*names)/program.Seconds(), "names/s")
	b.ReportMetric(store.Seconds()/program.Seconds(), "of-store")
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
