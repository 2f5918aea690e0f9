package main

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/binary"
	"time"

	"github.com/mholt/acmez/v3/acme"
)

// A window is when the CA suggests to renew a certificate (ARI, RFC 9773).
type window struct {
	id         string // of the certificate, as in acme.ARIUniqueIdentifier
	start, end time.Time
}

// dueTime returns when a certificate is to be renewed: at a fixed point of the
// CA's window, which its serial decides, so that all machines and all runs have
// the same; without a window when a third of its life is left, or half of one
// of less than ten days. When a twentieth is left it is due whatever the window
// says. It is never due in the first tenth of its life, so that a window that
// is wrong can't order one certificate after the other.
func dueTime(leaf *x509.Certificate, w *window) time.Time {
	life := leaf.NotAfter.Sub(leaf.NotBefore)
	due := leaf.NotAfter.Add(-life / 3)
	if life < 10*24*time.Hour {
		due = leaf.NotAfter.Add(-life / 2)
	}
	if w.isFor(leaf) {
		due = w.start.Add(time.Duration(pointOf(leaf) * float64(w.end.Sub(w.start))))
	}
	due = earlier(due, leaf.NotAfter.Add(-life/20))
	return later(due, leaf.NotBefore.Add(life/10))
}

// isFor reports whether w is a window for leaf.
func (w *window) isFor(leaf *x509.Certificate) bool {
	if w == nil || !w.end.After(w.start) || w.start.After(leaf.NotAfter) {
		return false
	}
	id, err := acme.ARIUniqueIdentifier(leaf)
	return err == nil && id == w.id
}

// pointOf returns a number from 0 to 1 that the serial of leaf decides. Over
// many certificates the numbers are spread evenly.
func pointOf(leaf *x509.Certificate) float64 {
	sum := sha256.Sum256(leaf.SerialNumber.Bytes())
	return float64(binary.BigEndian.Uint64(sum[:])>>11) / (1 << 53)
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// retryPauses are the pauses after failed orders of a domain, the last one
// after every further failure: what Let's Encrypt asks for.
var retryPauses = [...]time.Duration{time.Minute, 10 * time.Minute, 100 * time.Minute, 24 * time.Hour}

// pauseAfter returns the pause after so many failures in a row.
func pauseAfter(failures int) time.Duration {
	return retryPauses[min(failures, len(retryPauses))-1]
}
