package cdn

import (
	"context"
	"log/slog"
	"time"
)

// Attempt describes one request of a call, to [Options].OnAttempt and in the
// log.
type Attempt struct {
	Action     string        // the operation
	Host       string        // host and port of the endpoint
	Number     int           // 1 for the first attempt of its call
	Start      time.Time     // when it was sent
	Duration   time.Duration // until its answer was read
	Wait       time.Duration // before the next attempt; zero if there is no next one, or it begins at once
	StatusCode int           // HTTP status; zero without an answer
	Code       string        // the service's error code; empty without an error
	RequestId  string        // the service's; may be empty
	Err        error         // nil after success; else an [*Error], or what ended the call: the context's error, or that of Do's resp
}

// LogValue implements [slog.LogValuer].
func (a Attempt) LogValue() slog.Value {
	attrs := []slog.Attr{
		slog.String("action", a.Action),
		slog.String("host", a.Host),
		slog.Int("number", a.Number),
		slog.Int("status", a.StatusCode),
		slog.String("code", a.Code),
		slog.String("request_id", a.RequestId),
		slog.Duration("duration", a.Duration),
		slog.Duration("wait", a.Wait),
	}
	if a.Err != nil {
		attrs = append(attrs, slog.Any("error", a.Err))
	}
	return slog.GroupValue(attrs...)
}

// watch reports an attempt that has ended to OnAttempt and to the log.
func (r *retrier) watch(ctx context.Context, a attempt, wait time.Duration) {
	o := r.client.options
	logs := o.Logger.Enabled(ctx, slog.LevelDebug)
	if o.OnAttempt == nil && !logs {
		return
	}
	shown := Attempt{
		Action: r.op.Action, Host: r.client.endpoint.Host, Number: a.number, Start: a.start, Duration: a.duration,
		Wait: wait, StatusCode: a.status, Err: a.callErr,
		RequestId: secretsOf(r.op, nil, r.creds, r.refused).redact(a.requestID),
	}
	if a.failed != nil {
		shown.Code, shown.Err = a.failed.Code, a.failed
	}
	if o.OnAttempt != nil {
		o.OnAttempt(ctx, shown)
	}
	if logs {
		o.Logger.LogAttrs(ctx, slog.LevelDebug, "cdn: attempt", shown.LogValue().Group()...)
	}
}
