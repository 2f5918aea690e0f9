package cdntest

import (
	"time"
)

// validity is the largest difference between a request's time and the API's.
const validity = 15 * time.Minute

// checkTime refuses a timestamp that is malformed or too far from now.
func checkTime(timestamp string, now time.Time) *problem {
	sent, err := time.Parse("2006-01-02T15:04:05Z", timestamp)
	if err != nil {
		return badRequest("InvalidTimeStamp.Format", "Specified time stamp or date value is not well formatted.")
	}
	if now.Sub(sent).Abs() > validity {
		return badRequest("InvalidTimeStamp.Expired", "Specified time stamp or date value is expired.")
	}
	return nil
}

// nonces has the nonces of recent requests. Each is kept for twice the
// validity, since a timestamp may be early by that much when its request
// arrives. The zero value is empty.
type nonces struct {
	seen    map[string]struct{}
	arrived []arrival // oldest first
}

type arrival struct {
	nonce string
	at    time.Time
}

// used reports whether nonce was used already, and adds it if not.
func (n *nonces) used(nonce string, now time.Time) bool {
	for len(n.arrived) > 0 && now.Sub(n.arrived[0].at) > 2*validity {
		delete(n.seen, n.arrived[0].nonce)
		n.arrived = n.arrived[1:]
	}
	if _, seen := n.seen[nonce]; seen {
		return true
	}
	if n.seen == nil {
		n.seen = make(map[string]struct{})
	}
	n.seen[nonce] = struct{}{}
	n.arrived = append(n.arrived, arrival{nonce, now})
	return false
}
