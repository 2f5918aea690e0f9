package due

import (
	"crypto/rand"
	"crypto/x509"
	"math/big"
	"slices"
	"testing"
	"time"

	"github.com/mholt/acmez/v3/acme"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

var epoch = time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)

func certificate(serial int64, life time.Duration) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: big.NewInt(serial), AuthorityKeyId: []byte("issuer"), NotBefore: epoch, NotAfter: epoch.Add(life),
	}
}

func windowOf(t interface{ Fatal(...any) }, leaf *x509.Certificate, start, end time.Time) Window {
	id, err := acme.ARIUniqueIdentifier(leaf)
	if err != nil {
		t.Fatal(err)
	}
	return Window{id, start, end}
}

const aDay = 24 * time.Hour

func TestTime_WithoutWindow(t *testing.T) {
	for _, test := range []struct{ life, want time.Duration }{
		{90 * aDay, 60 * aDay},
		{45 * aDay, 30 * aDay},
		{10 * aDay, 10 * aDay * 2 / 3},
		{6 * aDay, 3 * aDay},
	} {
		leaf := certificate(7, test.life)
		got := Time(leaf, Window{}).Sub(epoch)
		assert.InDelta(t, test.want, got, float64(time.Second), "of %s", test.life)
		other := windowOf(t, certificate(8, test.life), epoch, epoch.Add(aDay))
		assert.Equal(t, Time(leaf, Window{}), Time(leaf, other), "another certificate's window is ignored")
	}
}

func TestTime_WhateverTheWindow(t *testing.T) {
	leaf := certificate(7, 100*aDay)
	for _, test := range []struct{ start, end, want time.Duration }{
		{-10 * aDay, -9 * aDay, 10 * aDay},
		{0, aDay, 10 * aDay},
		{97 * aDay, 99 * aDay, 95 * aDay},
		{99 * aDay, 200 * aDay, 95 * aDay},
	} {
		got := Time(leaf, windowOf(t, leaf, epoch.Add(test.start), epoch.Add(test.end)))
		assert.Equal(t, test.want, got.Sub(epoch))
	}
}

func genCertificate(t *rapid.T) *x509.Certificate {
	life := rapid.Int64Range(int64(time.Hour), int64(400*aDay)).Draw(t, "life")
	return certificate(rapid.Int64Range(1, 1<<62).Draw(t, "serial"), time.Duration(life))
}

func genWindow(t *rapid.T, leaf *x509.Certificate) Window {
	life := int64(leaf.NotAfter.Sub(leaf.NotBefore))
	start := rapid.Int64Range(-life, 2*life).Draw(t, "start")
	width := rapid.Int64Range(-life, 2*life).Draw(t, "width")
	return windowOf(t, leaf, epoch.Add(time.Duration(start)), epoch.Add(time.Duration(start+width)))
}

// Whatever the CA says: never in the first tenth of a life, never in the last
// twentieth, and for the same certificate always the same.
func TestTime_Bounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		leaf := genCertificate(t)
		w := genWindow(t, leaf)
		life := leaf.NotAfter.Sub(leaf.NotBefore)
		due := Time(leaf, w)
		if due.Before(leaf.NotBefore.Add(life/10)) || due.After(leaf.NotAfter.Add(-life/20)) {
			t.Fatalf("due %s of %s", due.Sub(leaf.NotBefore), life)
		}
		if again := Time(leaf, w); !again.Equal(due) {
			t.Fatalf("due %s, then %s", due, again)
		}
	})
}

// A window that lies within these bounds is kept to.
func TestTime_WithinTheWindow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		leaf := genCertificate(t)
		life := float64(leaf.NotAfter.Sub(leaf.NotBefore))
		from := rapid.Float64Range(0.11, 0.94).Draw(t, "from")
		to := rapid.Float64Range(from, 0.95).Draw(t, "to")
		start, end := epoch.Add(time.Duration(from*life)), epoch.Add(time.Duration(to*life))
		if !end.After(start) {
			t.Skip("empty")
		}
		due := Time(leaf, windowOf(t, leaf, start, end))
		if due.Before(start) || due.After(end) {
			t.Fatalf("due %s, window from %s to %s", due, start, end)
		}
	})
}

// An empty window, one after the certificate's end, and another certificate's
// change nothing.
func TestTime_IgnoresOtherWindows(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		leaf := genCertificate(t)
		w := genWindow(t, leaf)
		switch rapid.IntRange(0, 2).Draw(t, "kind") {
		case 0:
			w.End = w.Start.Add(-time.Duration(rapid.Int64Range(0, int64(aDay)).Draw(t, "back")))
		case 1:
			w.Start = leaf.NotAfter.Add(time.Second)
			w.End = w.Start.Add(time.Hour)
		case 2:
			w.ID += "A"
		}
		if got, want := Time(leaf, w), Time(leaf, Window{}); !got.Equal(want) {
			t.Fatalf("due %s, want %s", got, want)
		}
	})
}

// The points of many certificates fill the window evenly.
func TestPointOf_IsEven(t *testing.T) {
	const n, bins = 20_000, 10
	counts := make([]int, bins)
	for range n {
		serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 128))
		require.NoError(t, err)
		point := pointOf(&x509.Certificate{SerialNumber: serial})
		require.True(t, point >= 0 && point < 1, point)
		counts[int(point*bins)]++
	}
	assert.Greater(t, slices.Min(counts), n/bins*8/10) // 9 standard deviations
	assert.Less(t, slices.Max(counts), n/bins*12/10)
}

func TestPause(t *testing.T) {
	for i, want := range []time.Duration{time.Minute, time.Minute, 10 * time.Minute, 100 * time.Minute, aDay, aDay} {
		assert.Equal(t, want, Pause(i), i)
	}
}
