package cdn

import (
	"context"
	"log/slog"
	"time"

	"github.com/cdncsr/cdncsr/signer"
)

// Attempt is one request of a call, as [Options].OnAttempt is told of it and as the log shows it.
type Attempt struct {
	Number     int           // of the attempts of its call, from 1
	Start      time.Time     // when it was sent
	Duration   time.Duration // until its answer was read
	Wait       time.Duration // that follows before the next attempt; zero if that begins at once, or there is none
	StatusCode int           // HTTP; zero if no answer came
	Code       string        // the service's error code; empty if it gave none
	RequestId  string        // the service's; empty if it told none
	Err        error         // nil if a CSR came; an [*Error], or the context's error if that ended the attempt
}

// LogValue implements [slog.LogValuer].
func (a Attempt) LogValue() slog.Value {
	attrs := []slog.Attr{
		slog.Int("attempt", a.Number),
		slog.Int("status", a.StatusCode),
		slog.String("request_id", a.RequestId),
		slog.Duration("duration", a.Duration),
	}
	if a.Err != nil {
		attrs = append(attrs, slog.String("code", a.Code), slog.Duration("wait", a.Wait), slog.Any("error", a.Err))
	}
	return slog.GroupValue(attrs...)
}

// watch tells those who watch of an attempt that has ended, which was signed with creds.
func (c *Client) watch(ctx context.Context, attempt Attempt, creds signer.Credentials) {
	logs := c.options.Logger.Enabled(ctx, slog.LevelDebug)
	if c.options.OnAttempt == nil && !logs {
		return
	}
	attempt.RequestId = secretsOf(nil, creds).clean(attempt.RequestId)
	if c.options.OnAttempt != nil {
		c.options.OnAttempt(ctx, attempt)
	}
	if logs {
		c.options.Logger.LogAttrs(ctx, slog.LevelDebug, "cdn: attempt", attempt.LogValue().Group()...)
	}
}
