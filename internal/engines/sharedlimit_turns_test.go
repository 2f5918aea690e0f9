package engines_test

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"sync"
	"testing"
	"time"

	_ "github.com/lib/pq"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/cdn/sharedlimit"
	"github.com/cdncsr/cdncsr/cdn/sharedlimit/sharedlimittest"
	"github.com/cdncsr/cdncsr/internal/engines"
)

// goRedis returns the Turns of a key through go-redis.
func goRedis(client *redis.Client, key string) sharedlimit.Turns {
	return sharedlimit.Redis(func(ctx context.Context, script string, keys []string, args ...any) (any, error) {
		return client.Eval(ctx, script, keys, args...).Result()
	}, key)
}

// openRedis returns a client that heeds its contexts and fails at once, so that
// the limiter notices an outage at once.
func openRedis(dsn string) (*redis.Client, error) {
	options, err := redis.ParseURL(dsn)
	if err != nil {
		return nil, err
	}
	options.ContextTimeoutEnabled = true
	options.MaxRetries, options.DialerRetries = -1, 1
	return redis.NewClient(options), nil
}

// A turnsDriver reaches turns in an engine.
type turnsDriver struct {
	name    string // of database/sql; "redis" is go-redis
	dialect sharedlimit.Dialect
}

// turnsEngines are the engines that keep turns, with their drivers.
var turnsEngines = []struct {
	name    string
	start   func(tb testing.TB, settings ...string) *engines.Engine
	drivers []turnsDriver
}{
	{"Redis", engines.Redis, []turnsDriver{{name: "redis"}}},
	{"PostgreSQL", engines.Postgres, []turnsDriver{{"pgx", sharedlimit.Postgres}, {"postgres", sharedlimit.Postgres}}},
	{"MariaDB", engines.MariaDB, []turnsDriver{{"mysql", sharedlimit.MySQL}}},
}

// create creates the table of the turns where there is one.
func (d turnsDriver) create(tb testing.TB, engine *engines.Engine) {
	tb.Helper()
	if d.name != "redis" {
		_, err := engine.DB().ExecContext(tb.Context(), d.dialect.Schema())
		require.NoError(tb, err)
	}
}

// open connects to an engine; turns returns those of an account.
func (d turnsDriver) open(dsn string) (turns func(account string) sharedlimit.Turns, closer io.Closer, err error) {
	if d.name == "redis" {
		client, err := openRedis(dsn)
		if err != nil {
			return nil, nil, err
		}
		return func(account string) sharedlimit.Turns { return goRedis(client, account) }, client, nil
	}
	db, err := sql.Open(d.name, dsn)
	if err != nil {
		return nil, nil, err
	}
	return func(account string) sharedlimit.Turns { return sharedlimit.SQL(db, d.dialect, account) }, db, nil
}

// connect opens dsn until the test ends.
func (d turnsDriver) connect(tb testing.TB, dsn string) (turns func(account string) sharedlimit.Turns) {
	tb.Helper()
	turns, closer, err := d.open(dsn)
	require.NoError(tb, err)
	tb.Cleanup(func() { _ = closer.Close() })
	return turns
}

func TestTurns(t *testing.T) {
	for _, e := range turnsEngines {
		t.Run(e.name, func(t *testing.T) {
			engine := e.start(t)
			dsn := engine.DSN(engines.Access{})
			for i, driver := range e.drivers {
				t.Run(driver.name, func(t *testing.T) {
					turns := driver.connect(t, dsn)
					if i == 0 && driver.name != "redis" {
						testMissingTable(t, driver, engine, turns("early"))
					}
					driver.create(t, engine) // a second time is no error
					accounts := 0
					sharedlimittest.TestTurns(t, func(*testing.T) sharedlimit.Turns {
						accounts++
						return turns(fmt.Sprint(driver.name, " ", accounts))
					})
					t.Run("AccountsDontShare", func(t *testing.T) { testAccounts(t, driver.name, turns) })
					t.Run("FirstRequestsAtOnce", func(t *testing.T) { testFirstRequests(t, driver, dsn) })
				})
			}
			if e.name == "MariaDB" {
				t.Run("AnyTimeZone", func(t *testing.T) { testTimeZones(t, e.drivers[0], engine) })
				for _, params := range []string{"clientFoundRows=true", "interpolateParams=true"} {
					turns := e.drivers[0].connect(t, engine.DSN(engines.Access{Params: params}))
					t.Run(params, func(t *testing.T) { testRefused(t, turns(params)) })
				}
			}
		})
	}
}

// testMissingTable proves that a table that isn't there is an error, not a
// turn, and not for ever.
func testMissingTable(t *testing.T, driver turnsDriver, engine *engines.Engine, turns sharedlimit.Turns) {
	_, ok, err := turns.Take(t.Context(), 1, time.Hour, time.Hour)
	require.Error(t, err)
	assert.False(t, ok)
	driver.create(t, engine)
	_, ok, err = turns.Take(t.Context(), 1, time.Hour, time.Hour)
	require.NoError(t, err)
	assert.True(t, ok)
}

func testAccounts(t *testing.T, prefix string, turns func(string) sharedlimit.Turns) {
	for _, account := range []string{"a", "A", "b", "ä", "'; DROP TABLE cdncsr_turns; --"} {
		wait, ok, err := turns(prefix+account).Take(t.Context(), 1, time.Hour, time.Hour)
		require.NoError(t, err)
		assert.True(t, ok)
		assert.Zero(t, wait, account)
	}
}

// testFirstRequests proves that first requests of an account, which insert its
// row, don't fail each other.
func testFirstRequests(t *testing.T, driver turnsDriver, dsn string) {
	const accounts, callers = 20, 8
	turns := make([]func(string) sharedlimit.Turns, callers)
	for i := range turns {
		turns[i] = driver.connect(t, dsn)
	}
	for i := range accounts {
		account := fmt.Sprint(driver.name, " first ", i)
		var group sync.WaitGroup
		for _, mine := range turns {
			group.Go(func() {
				_, ok, err := mine(account).Take(t.Context(), 1, time.Hour, 100*time.Hour)
				assert.NoError(t, err)
				assert.True(t, ok)
			})
		}
		group.Wait()
		wait, _, err := turns[0](account).Take(t.Context(), 1, time.Hour, 100*time.Hour)
		require.NoError(t, err)
		assert.InDelta(t, callers, wait.Hours(), 0.1)
	}
}

// testTimeZones proves that the session's time zone doesn't matter.
func testTimeZones(t *testing.T, driver turnsDriver, engine *engines.Engine) {
	for i, zone := range []string{"%27%2B08:00%27", "%27-11:00%27", "%27SYSTEM%27"} {
		turns := driver.connect(t, engine.DSN(engines.Access{Params: "time_zone=" + zone}))
		wait, ok, err := turns("zone").Take(t.Context(), 1, time.Hour, 100*time.Hour)
		require.NoError(t, err)
		assert.True(t, ok)
		assert.InDelta(t, i, wait.Hours(), 0.1)
	}
}

// testRefused proves that a driver's parameters that change what it says of
// rows don't matter.
func testRefused(t *testing.T, turns sharedlimit.Turns) {
	for i, want := range []bool{true, true, false, false} {
		_, ok, err := turns.Take(t.Context(), 1, time.Hour, time.Hour)
		require.NoError(t, err)
		assert.Equal(t, want, ok, "request %d", i)
	}
}
