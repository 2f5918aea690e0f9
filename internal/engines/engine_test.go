package engines_test

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/internal/engines"
)

func TestEngine_KeepsItsDataWhenKilledAndStopped(t *testing.T) {
	for name, start := range map[string]func(testing.TB, ...string) *engines.Engine{
		"PostgreSQL": engines.Postgres, "MariaDB": engines.MariaDB,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			engine := start(t)
			db := engine.DB()
			exec := func(query string) {
				t.Helper()
				_, err := db.ExecContext(t.Context(), query)
				require.NoError(t, err)
			}
			count := func() (rows int) {
				t.Helper()
				require.NoError(t, db.QueryRowContext(t.Context(), "SELECT count(*) FROM numbers").Scan(&rows))
				return rows
			}
			exec("CREATE TABLE numbers (n int PRIMARY KEY)")
			exec("INSERT INTO numbers VALUES (1)")
			engine.Crash() // after Kill, a child of PostgreSQL may answer for a moment
			require.Error(t, db.PingContext(t.Context()), "it answers after its end")
			engine.Start()
			assert.Equal(t, 1, count())
			exec("INSERT INTO numbers VALUES (2)")
			engine.Stop()
			require.Error(t, db.PingContext(t.Context()), "it answers after its end")
			engine.Start()
			assert.Equal(t, 2, count())
		})
	}
}

func TestEngine_RedisKeepsItsDataWhenStopped(t *testing.T) {
	engine := engines.Redis(t)
	options, err := redis.ParseURL(engine.DSN(engines.Access{}))
	require.NoError(t, err)
	options.MaxRetries, options.DialerRetries = -1, 1
	client := redis.NewClient(options)
	t.Cleanup(func() { _ = client.Close() })
	require.NoError(t, client.Set(t.Context(), "key", "value", 0).Err())
	engine.Stop()
	require.Error(t, client.Ping(context.Background()).Err())
	engine.Start()
	got, err := client.Get(t.Context(), "key").Result()
	require.NoError(t, err)
	assert.Equal(t, "value", got)
	engine.Kill()
	engine.Start()
}

// TestEngine_KeepsTemporaryFilesToItself: MariaDB deletes the temporary files
// that it finds when it starts, those of another server as well.
func TestEngine_KeepsTemporaryFilesToItself(t *testing.T) {
	engine := engines.MariaDB(t)
	var dir string
	require.NoError(t, engine.DB().QueryRowContext(t.Context(), "SELECT @@tmpdir").Scan(&dir))
	assert.Equal(t, filepath.Dir(engine.Dir), dir)
}
