package sharedlimit

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// redisScript returns the time until the next free turn, in microseconds, and
// takes turns unless that is more than ARGV[2]. The key holds the time of that
// turn and expires when it has passed. Lua's own conversion of numbers keeps 14
// digits; these have 16.
const redisScript = `
local taken, ahead, far = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local next = tonumber(redis.call('GET', KEYS[1]) or 0)
if next > now + far then next = now + ahead end
if next < now then next = now end
local wait = next - now
if wait <= ahead then
  local after = string.format('%.0f', next + taken)
  redis.call('SET', KEYS[1], after, 'PX', math.ceil((wait + taken) / 1000))
end
return wait`

// Redis returns the Turns under a key of Redis, 5.0 or later, or of what
// speaks like it, such as Tair. Everything is one call of eval, which runs a
// script with EVAL and returns what its client does for an integer, an int64.
// For go-redis it is
//
//	func(ctx context.Context, script string, keys []string, args ...any) (any, error) {
//		return client.Eval(ctx, script, keys, args...).Result()
//	}
//
// Processes share the turns if they share the key. A key that is lost, as in
// a failover, costs nothing: at most the turns of one second are given twice.
func Redis(eval func(ctx context.Context, script string, keys []string, args ...any) (any, error), key string) Turns {
	return &redisTurns{eval, key}
}

type redisTurns struct {
	eval func(ctx context.Context, script string, keys []string, args ...any) (any, error)
	key  string
}

func (t *redisTurns) Take(ctx context.Context, n int, interval, ahead time.Duration) (time.Duration, bool, error) {
	if err := t.check(); err != nil {
		return 0, false, err
	}
	r, err := newRequest(n, interval, ahead)
	if err != nil {
		return 0, false, err
	}
	answer, err := t.eval(ctx, redisScript, []string{t.key}, r.taken, r.ahead, r.far)
	if err != nil {
		return 0, false, fmt.Errorf("sharedlimit: take turns of Redis: %w", err)
	}
	wait, ok := answer.(int64)
	if !ok {
		return 0, false, fmt.Errorf("sharedlimit: take turns of Redis: eval returned %T: want int64", answer)
	}
	return r.answer(wait)
}

func (t *redisTurns) check() error {
	switch {
	case t.eval == nil:
		return errors.New("sharedlimit: Redis: eval is nil")
	case t.key == "":
		return errors.New("sharedlimit: Redis: key is empty")
	}
	return nil
}
