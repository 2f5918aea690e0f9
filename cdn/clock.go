package cdn

import (
	"sync/atomic"
	"time"
)

// clock is this machine's clock, corrected by what the service said of its own. The zero value is not corrected.
type clock struct{ ahead atomic.Int64 } // nanoseconds that the service is ahead

// minSkew is how far the service's clock must be away to be believed: a time that it refuses is 15 minutes away.
const minSkew = time.Minute

func (c *clock) now() time.Time { return time.Now().Add(time.Duration(c.ahead.Load())) }

// correct takes the service's time from an answer to a call that was signed for the time sent, and tells whether it was far
// enough from that. A zero date corrects nothing.
func (c *clock) correct(date, sent time.Time) bool {
	if date.IsZero() || date.Sub(sent).Abs() <= minSkew {
		return false
	}
	c.ahead.Store(int64(time.Until(date)))
	return true
}
