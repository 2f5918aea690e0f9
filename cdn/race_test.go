//go:build race

package cdn_test

// raceEnabled: the race detector allocates for itself, so that allocations tell nothing.
const raceEnabled = true
