package main

import (
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/cdn"
	"github.com/cdncsr/cdncsr/cdn/cdntest"
	"github.com/cdncsr/cdncsr/csr"
	"github.com/cdncsr/cdncsr/signer"
)

// BenchmarkBatch_Remote measures how many of the CDN's 100 calls a second the
// program makes when a call takes 0.1 s.
func BenchmarkBatch_Remote(b *testing.B) {
	const names, latency = 500, 100 * time.Millisecond
	creds := signer.Credentials{AccessKeyID: "testid", AccessKeySecret: "testsecret"}
	fake := &cdntest.API{Credentials: []signer.Credentials{creds}, Source: csr.P256}
	client, err := cdn.NewClient(cdn.StaticCredentials(creds), &cdn.Options{HTTPClient: &http.Client{Transport: fake}})
	require.NoError(b, err)
	rows := make([]row, names)
	for i := range rows {
		rows[i].request.CommonName = fmt.Sprintf("n%d.example.com", i)
	}
	for b.Loop() {
		for range names {
			fake.Inject(cdntest.Fault{Wait: latency})
		}
		journal, err := openJournal(filepath.Join(b.TempDir(), "out.jsonl"))
		require.NoError(b, err)
		batch := &batch{creator: client, journal: journal, display: newDisplay(io.Discard)}
		require.NoError(b, batch.run(b.Context(), defaultWorkers, rows))
	}
	b.ReportMetric(float64(b.N*names)/b.Elapsed().Seconds(), "calls/s")
}
