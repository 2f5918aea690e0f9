package stores_test

import (
	"crypto/x509"
	"encoding/json"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/csr/sealed"
	"github.com/cdncsr/cdncsr/csr/sqlstore"
	"github.com/cdncsr/cdncsr/internal/engines"
)

// 32 goroutines on 4 processes put the same keys.
const (
	raceProcesses  = 4
	raceGoroutines = 8
)

// raceKeys returns the number of keys: 1,000 if the environment has
// CDNCSR_ENGINES_FULL.
func raceKeys() int {
	if os.Getenv("CDNCSR_ENGINES_FULL") != "" {
		return 1000
	}
	return 250
}

func TestRace_PostgreSQL(t *testing.T) {
	t.Parallel()
	engine := engines.Postgres(t)
	for _, setup := range []setup{pgx, pq} {
		t.Run(setup.name, func(t *testing.T) {
			race(t, setup, engine.DSN(engines.Access{}), engine.Dir, filepath.Dir(engine.Log))
		})
	}
}

func TestRace_MariaDB(t *testing.T) {
	t.Parallel()
	engine := engines.MariaDB(t)
	race(t, mysql, engine.DSN(engines.Access{}), engine.Dir, filepath.Dir(engine.Log))
}

func TestRace_SQLite(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	race(t, setup{driver: "sqlite", dialect: sqlstore.SQLite}, sqliteDSN(filepath.Join(dir, "keys.db")), dir)
}

// TestRace_FindsAnUpsert: a database that replaces has more than one winner.
func TestRace_FindsAnUpsert(t *testing.T) {
	t.Parallel()
	dialect := sqlstore.SQLite
	dialect.Insert += " ON CONFLICT (name) DO UPDATE SET value = excluded.value, token = excluded.token"
	dsn := sqliteDSN(filepath.Join(t.TempDir(), "keys.db"))
	table := newTable(t, open(t, "sqlite", dsn), dialect)
	w, _ := newWork(t, "sqlite", dsn, table)
	w.Keys = w.Keys[:100]
	assert.NotZero(t, others(compete(t, w).Wins, 1))
}

// race shows that each key has one winner among all goroutines of all
// processes, that the others are told fs.ErrExist, that each key opens, and
// that dirs have none of them.
func race(t *testing.T, setup setup, dsn string, dirs ...string) {
	db := open(t, setup.driver, dsn)
	table := newTable(t, db, setup.dialect)
	w, names := newWork(t, setup.driver, dsn, table)
	total := compete(t, w)
	require.Empty(t, total.Errors[:min(3, len(total.Errors))], "and more, %d in all", len(total.Errors))
	assert.Zero(t, others(total.Wins, 1), "keys that have not one winner")
	assert.Zero(t, others(total.Losses, raceProcesses*raceGoroutines-1), "keys whose losers were not all told so")
	store := &sealed.Store{Blobs: table, AEAD: newRing(t, w.RingKey)}
	secrets := [][]byte{w.RingKey}
	for _, name := range names {
		key, err := store.Get(t.Context(), name)
		require.NoError(t, err)
		secrets = append(secrets, secretOf(t, key))
	}
	found, _ := newSearch(secrets...).inFiles(t, dirs...)
	assert.Empty(t, found)
	var rows int
	require.NoError(t, db.QueryRowContext(t.Context(), "SELECT count(*) FROM "+table.Name).Scan(&rows))
	assert.Equal(t, len(names), rows)
}

// others returns how many of counts are not want.
func others(counts []int, want int) (n int) {
	for _, count := range counts {
		if count != want {
			n++
		}
	}
	return n
}

// newWork returns the work of each process, and the names of its keys.
func newWork(t *testing.T, driver, dsn string, table *sqlstore.Table) (w work, names []string) {
	t.Helper()
	w = work{
		Driver: driver, DSN: dsn, Dialect: table.Dialect, Table: table.Name,
		RingKey: newSecret(), Goroutines: raceGoroutines,
	}
	for range raceKeys() {
		name, key := newKey(t)
		der, err := x509.MarshalPKCS8PrivateKey(key)
		require.NoError(t, err)
		names, w.Keys = append(names, name), append(w.Keys, der)
	}
	return w, names
}

// compete does w in all processes and returns the sum of their reports.
func compete(t *testing.T, w work) report {
	t.Helper()
	total := report{Wins: make([]int, len(w.Keys)), Losses: make([]int, len(w.Keys))}
	for _, r := range runAll(t, w) {
		total.Errors = append(total.Errors, r.Errors...)
		for i := range w.Keys {
			total.Wins[i] += r.Wins[i]
			total.Losses[i] += r.Losses[i]
		}
	}
	return total
}

// runAll does the same work in many processes at once.
func runAll(t *testing.T, w work) []report {
	t.Helper()
	reports, errs := make([]report, raceProcesses), make([]error, raceProcesses)
	var wait sync.WaitGroup
	for i := range raceProcesses {
		cmd := child(t, w)
		wait.Go(func() {
			out, err := cmd.Output()
			if err == nil {
				err = json.Unmarshal(out, &reports[i])
			}
			errs[i] = err
		})
	}
	wait.Wait()
	for _, err := range errs {
		require.NoError(t, err)
	}
	return reports
}
