//go:build race

package cdn_test

// raceEnabled reports whether the race detector is on, which allocates for
// itself.
const raceEnabled = true
