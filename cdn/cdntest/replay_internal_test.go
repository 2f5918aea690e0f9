package cdntest

import (
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// TestNonces_AreDroppedAfterTwiceTheValidity is in the package because no
// exported name shows the memory.
func TestNonces_AreDroppedAfterTwiceTheValidity(t *testing.T) {
	var n nonces
	start := time.Unix(0, 0)
	const calls, perMinute = 6000, 100
	for i := range calls {
		n.used(strconv.Itoa(i), start.Add(time.Duration(i)*time.Minute/perMinute))
		assert.LessOrEqual(t, len(n.seen), 30*perMinute+1)
	}
	assert.Len(t, n.arrived, len(n.seen))
	assert.False(t, n.used("last", start.Add(48*time.Hour)))
	assert.Len(t, n.seen, 1)
	assert.Len(t, n.arrived, 1)
}
