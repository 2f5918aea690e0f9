package stores_test

import (
	"bufio"
	"context"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/csr/sqlstore"
	"github.com/cdncsr/cdncsr/internal/engines"
)

const (
	loadGoroutines = 8
	loadRows       = 200 // acknowledged before a crash, at least
	loadTimeout    = time.Minute
	lossTries      = 5 // to see a loss where one is possible
)

// lazyWriter makes PostgreSQL write what nobody waits for as late as it can.
var lazyWriter = []string{
	"-c", "synchronous_commit=off", "-c", "wal_writer_delay=10s", "-c", "wal_writer_flush_after=1GB",
}

// TestCrash_PostgreSQL: no acknowledged row is lost if all of the engine's
// processes are killed under load, although the server, the database and the
// role say that a commit need not wait for the disk.
func TestCrash_PostgreSQL(t *testing.T) {
	t.Parallel()
	engine := engines.Postgres(t, lazyWriter...)
	admin := pgx.open(t, engine, engines.Access{})
	table := newTable(t, admin, sqlstore.Postgres)
	for _, statement := range []string{
		"CREATE ROLE putter LOGIN", "GRANT INSERT, SELECT ON " + table.Name + " TO putter",
		"ALTER ROLE putter SET synchronous_commit = off", "ALTER DATABASE postgres SET synchronous_commit = off",
		"CHECKPOINT",
	} {
		run(t, admin, statement)
	}
	for range count(t, "CDNCSR_CRASHES", 2) {
		acknowledged := loadAndCrash(t, engine, table, engines.Access{User: "putter"}, pgx, pq)
		assert.Empty(t, lost(t, engine, table, pgx, acknowledged))
	}
}

// TestCrash_PostgreSQLLosesPlainInserts shows that the test before would see a
// loss.
func TestCrash_PostgreSQLLosesPlainInserts(t *testing.T) {
	t.Parallel()
	engine := engines.Postgres(t, lazyWriter...)
	admin := pgx.open(t, engine, engines.Access{})
	table := newTable(t, admin, sqlstore.Postgres)
	table.Dialect.Insert = "INSERT INTO {table} (name, value, token) VALUES ($1, $2, $3)"
	var missing []string
	for try := 0; try < lossTries && len(missing) == 0; try++ { // it may have written all of them at the last moment
		run(t, admin, "CHECKPOINT")
		acknowledged := loadAndCrash(t, engine, table, engines.Access{}, pgx, pq)
		missing = lost(t, engine, table, pgx, acknowledged)
	}
	assert.NotEmpty(t, missing)
}

// TestCrash_MariaDB: the same, with the settings that Check wants.
func TestCrash_MariaDB(t *testing.T) {
	t.Parallel()
	engine := engines.MariaDB(t, "--log-bin", "--server-id=1", "--sync-binlog=1")
	table := newTable(t, mysql.open(t, engine, engines.Access{}), sqlstore.MySQL)
	require.NoError(t, table.Check(t.Context()))
	for range count(t, "CDNCSR_CRASHES", 2) {
		acknowledged := loadAndCrash(t, engine, table, engines.Access{}, mysql)
		assert.Empty(t, lost(t, engine, table, mysql, acknowledged))
	}
}

// TestCrash_MariaDBLosesWhatCheckRefuses shows that Check is needed, and that
// the test before would see a loss.
func TestCrash_MariaDBLosesWhatCheckRefuses(t *testing.T) {
	t.Parallel()
	engine := engines.MariaDB(t, "--innodb-flush-log-at-trx-commit=0", "--innodb-flush-log-at-timeout=2700")
	table := newTable(t, mysql.open(t, engine, engines.Access{}), sqlstore.MySQL)
	require.Error(t, table.Check(t.Context()))
	acknowledged := loadAndCrash(t, engine, table, engines.Access{}, mysql)
	assert.NotEmpty(t, lost(t, engine, table, mysql, acknowledged))
}

// loadAndCrash puts rows from many goroutines, through each of the setups,
// until it crashes the engine. It returns the names that Put returned nil for.
func loadAndCrash(
	t *testing.T, engine *engines.Engine, table *sqlstore.Table, access engines.Access, setups ...setup,
) (acknowledged []string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), loadTimeout)
	defer cancel()
	var mu sync.Mutex
	enough := make(chan struct{})
	var wait sync.WaitGroup
	for i := range loadGoroutines {
		putter := *table
		putter.DB = setups[i%len(setups)].open(t, engine, access)
		wait.Go(func() {
			for ctx.Err() == nil {
				name := newName()
				if putter.Put(ctx, name, []byte(name)) != nil {
					continue // after the crash
				}
				mu.Lock()
				if acknowledged = append(acknowledged, name); len(acknowledged) == loadRows {
					close(enough)
				}
				mu.Unlock()
			}
		})
	}
	select {
	case <-enough:
	case <-ctx.Done():
		assert.NoError(t, ctx.Err(), "the engine is too slow")
	}
	engine.Crash()
	cancel()
	wait.Wait()
	return acknowledged
}

// lost starts the engine and returns those of names that it does not have.
func lost(t *testing.T, engine *engines.Engine, table *sqlstore.Table, setup setup, names []string) (missing []string) {
	t.Helper()
	engine.Start()
	reader := *table
	reader.DB = setup.open(t, engine, engines.Access{})
	for _, name := range names {
		blob, err := reader.Get(t.Context(), name)
		if err != nil || string(blob) != name {
			missing = append(missing, name)
		}
	}
	t.Logf("%d of %d acknowledged rows were lost", len(missing), len(names))
	return missing
}

// TestCrash_SQLite: processes that put rows into one file are killed.
func TestCrash_SQLite(t *testing.T) {
	t.Parallel()
	dsn := sqliteDSN(filepath.Join(t.TempDir(), "keys.db"))
	table := newTable(t, open(t, "sqlite", dsn), sqlstore.SQLite)
	for range count(t, "CDNCSR_CRASHES", 2) {
		var names [raceProcesses][]string
		var wait sync.WaitGroup
		for i := range names {
			cmd := child(t, work{Driver: "sqlite", DSN: dsn, Dialect: sqlstore.SQLite, Table: table.Name, Goroutines: 1})
			wait.Go(func() { names[i] = readAndKill(t, cmd) })
		}
		wait.Wait()
		for _, names := range names {
			assert.GreaterOrEqual(t, len(names), loadRows/raceProcesses)
			for _, name := range names {
				blob, err := table.Get(t.Context(), name)
				require.NoError(t, err)
				require.Equal(t, name, string(blob))
			}
		}
	}
	var integrity string
	require.NoError(t, table.DB.QueryRowContext(t.Context(), "PRAGMA integrity_check").Scan(&integrity))
	assert.Equal(t, "ok", integrity)
}

// readAndKill starts cmd, kills it after some lines, and returns all that it
// wrote.
func readAndKill(t *testing.T, cmd *exec.Cmd) (lines []string) {
	out, err := cmd.StdoutPipe()
	if !assert.NoError(t, err) || !assert.NoError(t, cmd.Start()) {
		return nil
	}
	scanner := bufio.NewScanner(out)
	for scanner.Scan() {
		if lines = append(lines, scanner.Text()); len(lines) == loadRows/raceProcesses {
			assert.NoError(t, cmd.Process.Kill())
		}
	}
	assert.NoError(t, scanner.Err())
	assert.Error(t, cmd.Wait(), "it was killed")
	return lines
}
