package cdn

import (
	"errors"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// retryAfter returns how long the service asks to wait: in x-acs-retry-after
// (milliseconds), in Retry-After (seconds or a date, RFC 9110 section 10.2.3),
// or, if the call was throttled, in the TimeLeft (milliseconds) of
// x-ratelimit-user-api and x-ratelimit-user, the larger of which counts. It
// returns zero if the service asks for no wait, or for one that can't be
// parsed, and never a negative wait.
func retryAfter(header http.Header, now time.Time, throttled bool) time.Duration {
	if wait := parseWait(header.Get("x-acs-retry-after"), time.Millisecond); wait > 0 {
		return wait
	}
	after := header.Get("Retry-After")
	if wait := parseWait(after, time.Second); wait > 0 {
		return wait
	}
	if date, err := http.ParseTime(after); err == nil {
		return max(0, date.Sub(now))
	}
	if throttled {
		return max(timeLeft(header.Get("x-ratelimit-user-api")), timeLeft(header.Get("x-ratelimit-user")))
	}
	return 0
}

// timeLeft returns the TimeLeft of
// "Limit:100,Remain:0,TimeLeft:500,Reset:1000".
func timeLeft(text string) time.Duration {
	for field := range strings.SplitSeq(text, ",") {
		if name, value, _ := strings.Cut(field, ":"); strings.EqualFold(strings.TrimSpace(name), "TimeLeft") {
			return parseWait(value, time.Millisecond)
		}
	}
	return 0
}

// parseWait parses a whole number and multiplies it by unit. It returns zero if
// text is not a number or negative, and the longest duration if it is too
// large.
func parseWait(text string, unit time.Duration) time.Duration {
	n, err := strconv.ParseUint(strings.TrimSpace(text), 10, 63)
	switch {
	case errors.Is(err, strconv.ErrRange), err == nil && n > uint64(math.MaxInt64/unit):
		return math.MaxInt64
	case err != nil:
		return 0
	}
	return time.Duration(n) * unit
}
