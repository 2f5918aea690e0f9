// Package due decides when a certificate is to be renewed, and when an order
// that failed may be repeated. Its functions depend on nothing but their
// arguments, so that all machines and all runs decide alike.
package due

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/binary"
	"time"

	"github.com/mholt/acmez/v3/acme"
)

// A Window is when a CA suggests to renew a certificate (ARI, RFC 9773). The
// zero value is no window.
type Window struct {
	ID         string // of the certificate, as acme.ARIUniqueIdentifier returns it
	Start, End time.Time
}

// Time returns when leaf is to be renewed: at a fixed point of the CA's window,
// which the serial number decides. Without a window of leaf, it is when a third
// of its life is left, or half of a life of less than ten days. When a twentieth
// is left, it is due whatever the window says. It is never due in the first
// tenth of its life, so that a wrong window can't order one certificate after
// the other.
func Time(leaf *x509.Certificate, w Window) time.Time {
	life := leaf.NotAfter.Sub(leaf.NotBefore)
	age := life - life/3
	if life < 10*24*time.Hour {
		age = life / 2
	}
	if w.isFor(leaf) {
		age = w.Start.Add(time.Duration(pointOf(leaf) * float64(w.End.Sub(w.Start)))).Sub(leaf.NotBefore)
	}
	return leaf.NotBefore.Add(max(min(age, life-life/20), life/10))
}

// isFor reports whether w is a window for leaf.
func (w Window) isFor(leaf *x509.Certificate) bool {
	if !w.End.After(w.Start) || w.Start.After(leaf.NotAfter) {
		return false
	}
	id, err := acme.ARIUniqueIdentifier(leaf)
	return err == nil && id == w.ID
}

// pointOf returns a number from 0 to 1 that the serial number of leaf decides.
// Over many certificates the numbers are spread evenly.
func pointOf(leaf *x509.Certificate) float64 {
	sum := sha256.Sum256(leaf.SerialNumber.Bytes())
	return float64(binary.BigEndian.Uint64(sum[:])>>11) / (1 << 53)
}

// pauses are the pauses after failed orders of a domain, the last one after
// every further failure: what Let's Encrypt asks for.
var pauses = [...]time.Duration{time.Minute, 10 * time.Minute, 100 * time.Minute, 24 * time.Hour}

// Pause returns the pause before the next order after so many failures in a
// row. Less than one counts as one.
func Pause(failures int) time.Duration {
	return pauses[max(min(failures, len(pauses)), 1)-1]
}
