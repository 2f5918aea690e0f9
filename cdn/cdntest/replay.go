package cdntest

import (
	"net/http"
	"time"
)

// validity is how far a call's time may be from the service's, either way.
const validity = 15 * time.Minute

// checkTime tells whether a timestamp is one, and near enough.
func checkTime(timestamp string, now time.Time) *problem {
	sent, err := time.Parse("2006-01-02T15:04:05Z", timestamp)
	if err != nil {
		return &problem{http.StatusBadRequest, "InvalidTimeStamp.Format", "Specified time stamp or date value is not well formatted."}
	}
	if now.Sub(sent).Abs() > validity {
		return &problem{http.StatusBadRequest, "InvalidTimeStamp.Expired", "Specified time stamp or date value is expired."}
	}
	return nil
}

// nonces remembers the nonces of calls for as long as their timestamps can be valid, in two generations: the older one is
// dropped when the younger is old enough to take its place. The zero value is empty.
type nonces struct {
	young, old map[string]struct{}
	since      time.Time // when young was begun
}

// used tells whether nonce has been seen, and remembers it.
func (n *nonces) used(nonce string, now time.Time) bool {
	if n.young == nil || now.Sub(n.since) > 2*validity {
		n.young, n.old, n.since = map[string]struct{}{}, n.young, now
	}
	if _, seen := n.old[nonce]; seen {
		return true
	}
	_, seen := n.young[nonce]
	n.young[nonce] = struct{}{}
	return seen
}
