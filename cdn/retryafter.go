package cdn

import (
	"errors"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// retryAfter is how long the service asks to wait: in x-acs-retry-after (milliseconds), in Retry-After (seconds or a date,
// RFC 9110 section 10.2.3), or, if the call was throttled, in the TimeLeft (milliseconds) of x-ratelimit-user-api. It is zero
// if the service asks for nothing that can be understood, and never negative.
func retryAfter(header http.Header, now time.Time, throttled bool) time.Duration {
	if wait := units(header.Get("x-acs-retry-after"), time.Millisecond); wait > 0 {
		return wait
	}
	after := header.Get("Retry-After")
	if wait := units(after, time.Second); wait > 0 {
		return wait
	}
	if date, err := http.ParseTime(after); err == nil {
		return max(0, date.Sub(now))
	}
	if throttled {
		return timeLeft(header.Get("x-ratelimit-user-api"))
	}
	return 0
}

// timeLeft reads "Limit:100,Remain:0,TimeLeft:500,Reset:1000".
func timeLeft(text string) time.Duration {
	for field := range strings.SplitSeq(text, ",") {
		if name, value, _ := strings.Cut(field, ":"); strings.EqualFold(strings.TrimSpace(name), "TimeLeft") {
			return units(value, time.Millisecond)
		}
	}
	return 0
}

// units reads a whole number of units: zero if it is none or negative, the longest duration if it is too large.
func units(text string, unit time.Duration) time.Duration {
	n, err := strconv.ParseUint(strings.TrimSpace(text), 10, 63)
	switch {
	case errors.Is(err, strconv.ErrRange), err == nil && n > uint64(math.MaxInt64/unit):
		return math.MaxInt64
	case err != nil:
		return 0
	}
	return time.Duration(n) * unit
}
