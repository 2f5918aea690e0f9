package sharedlimit_test

import (
	"context"
	"database/sql"
	"log/slog"

	"github.com/cdncsr/cdncsr/cdn"
	"github.com/cdncsr/cdncsr/cdn/sharedlimit"
)

// Eight processes share what the account may call.
func ExampleSQL() {
	var db *sql.DB // of sql.Open, with any driver for PostgreSQL

	limiter := &sharedlimit.Limiter{
		Turns:     sharedlimit.SQL(db, sharedlimit.Postgres, "my-account"),
		Processes: 8,
		Logger:    slog.Default(),
	}
	client, err := cdn.NewClient(cdn.EnvCredentials(), &cdn.Options{Limiter: limiter})
	_, _ = client, err
}

// A client of Redis is one function. This is the one for go-redis, with
// ContextTimeoutEnabled in its options: without it, go-redis doesn't heed the
// time that a request has.
func ExampleRedis() {
	type result interface{ Result() (any, error) }
	var rdb interface { // a *redis.Client
		Eval(ctx context.Context, script string, keys []string, args ...any) result
	}

	turns := sharedlimit.Redis(func(ctx context.Context, script string, keys []string, args ...any) (any, error) {
		return rdb.Eval(ctx, script, keys, args...).Result()
	}, "cdn-calls:my-account")
	_ = &sharedlimit.Limiter{Turns: turns, Processes: 8}
}
