package cdn

import "sync"

// budget bounds the retries of all calls of a client together, so that many callers don't multiply an outage: a retry takes
// tokens, a call that succeeds gives them back. It is the retry quota of AWS's SDKs. The zero value is full.
type budget struct {
	mu    sync.Mutex
	spent int
}

const (
	budgetSize  = 500
	retryCost   = 5
	timeoutCost = 10 // a retry after a time-out holds its connection for long
	successGain = 1  // of a call that needed no retry
)

// take takes a retry's cost, if it is there.
func (b *budget) take(timedOut bool) (cost int, ok bool) {
	cost = retryCost
	if timedOut {
		cost = timeoutCost
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.spent+cost > budgetSize {
		return 0, false
	}
	b.spent += cost
	return cost, true
}

// succeeded gives back what the last retry of a call cost; zero is a call that needed none.
func (b *budget) succeeded(cost int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.spent = max(0, b.spent-max(cost, successGain))
}
