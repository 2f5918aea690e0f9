package stores_test

import (
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/csr/sqlstore"
	"github.com/cdncsr/cdncsr/internal/engines"
)

// TestCreate_ManyAtOnce: CREATE TABLE IF NOT EXISTS fails on PostgreSQL if
// another process makes the table at the same time; Create does not.
func TestCreate_ManyAtOnce(t *testing.T) {
	t.Parallel()
	db := pgx.open(t, engines.Postgres(t), engines.Access{})
	plain := 0
	for i := range 20 {
		table := &sqlstore.Table{DB: db, Dialect: sqlstore.Postgres, Name: fmt.Sprintf("created_%d", i)}
		errs := atOnce(8, func() error { return table.Create(t.Context()) })
		for _, err := range errs {
			assert.NoError(t, err)
		}
		for _, err := range atOnce(8, func() error {
			_, err := db.ExecContext(t.Context(), sqlstore.Postgres.Schema(table.Name+"_plain"))
			return err
		}) {
			if err != nil {
				plain++
			}
		}
	}
	assert.NotZero(t, plain, "the statement alone is enough, so this test shows nothing")
}

// atOnce calls f n times at once and returns the errors.
func atOnce(n int, f func() error) []error {
	errs := make([]error, n)
	var wait sync.WaitGroup
	for i := range errs {
		wait.Go(func() { errs[i] = f() })
	}
	wait.Wait()
	return errs
}

// TestGrants: an account with INSERT and SELECT can put and get, and can
// neither replace, delete, nor make a table.
func TestGrants(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		engine     *engines.Engine
		setup      setup
		schema     string
		statements []string
	}{
		"PostgreSQL": {engines.Postgres(t), pgx, "keys.", []string{
			"CREATE ROLE putter LOGIN", "GRANT USAGE ON SCHEMA keys TO putter",
			"GRANT INSERT, SELECT ON keys.of_domains TO putter",
		}},
		"MariaDB": {engines.MariaDB(t), mysql, "keys_.", []string{ // anyone may write to the database test
			"DROP USER IF EXISTS ''@localhost", // who would be taken for putter
			"CREATE USER putter@'%'", "GRANT INSERT, SELECT ON keys_.of_domains TO putter@'%'",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			admin := test.setup.open(t, test.engine, engines.Access{})
			run(t, admin, "CREATE SCHEMA "+strings.TrimSuffix(test.schema, "."))
			owner := &sqlstore.Table{DB: admin, Dialect: test.setup.dialect, Name: test.schema + "of_domains"}
			require.NoError(t, owner.Create(t.Context()))
			for _, statement := range test.statements {
				run(t, admin, statement)
			}
			table := *owner
			table.DB = test.setup.open(t, test.engine, engines.Access{User: "putter"})
			canPutAndGet(t, &table)
			canNotChange(t, &table)
			missing := table
			missing.Name = test.schema + "missing"
			assert.Error(t, missing.Create(t.Context()))
			isMissing(t, &missing)
		})
	}
}

func canPutAndGet(t *testing.T, table *sqlstore.Table) {
	t.Helper()
	name := newName()
	require.NoError(t, table.Put(t.Context(), name, []byte("value")))
	got, err := table.Get(t.Context(), name)
	require.NoError(t, err)
	assert.Equal(t, "value", string(got))
	assert.ErrorIs(t, table.Put(t.Context(), name, []byte("another")), fs.ErrExist)
	assert.NoError(t, table.Check(t.Context()))
	assert.NoError(t, table.Create(t.Context()), "it is there")
}

func canNotChange(t *testing.T, table *sqlstore.Table) {
	t.Helper()
	name := newName()
	require.NoError(t, table.Put(t.Context(), name, []byte("value")))
	_, err := table.Swap(t.Context(), name, []byte("value"), []byte("another"))
	assert.Error(t, err)
	_, err = table.DB.ExecContext(t.Context(), "DELETE FROM "+table.Name)
	assert.Error(t, err)
	got, err := table.Get(t.Context(), name)
	require.NoError(t, err)
	assert.Equal(t, "value", string(got))
}

func isMissing(t *testing.T, table *sqlstore.Table) {
	t.Helper()
	require.Error(t, table.Put(t.Context(), newName(), []byte("value")))
	_, err := table.Get(t.Context(), newName())
	require.Error(t, err)
	assert.NotErrorIs(t, err, fs.ErrNotExist, "a missing table is not a missing key")
	assert.Error(t, table.Check(t.Context()))
}

// TestCheck_PostgreSQL and its siblings: each setting that loses acknowledged
// rows is named.
func TestCheck_PostgreSQL(t *testing.T) {
	t.Parallel()
	unsafe := pgx.open(t, engines.Postgres(t, "-c", "fsync=off"), engines.Access{})
	table := newTable(t, unsafe, sqlstore.Postgres)
	assert.ErrorContains(t, table.Check(t.Context()), "fsync is off, want on")

	db := pgx.open(t, engines.Postgres(t, "-c", "synchronous_commit=off"), engines.Access{})
	table = newTable(t, db, sqlstore.Postgres)
	assert.NoError(t, table.Check(t.Context()), "each statement sees to that")
	run(t, db, "ALTER TABLE "+table.Name+" SET UNLOGGED")
	assert.ErrorContains(t, table.Check(t.Context()), "persistence of "+table.Name+" is u, want p")
}

func TestCheck_MariaDB(t *testing.T) {
	t.Parallel()
	db := mysql.open(t, engines.MariaDB(t, "--log-bin", "--server-id=1", "--sync-binlog=1"), engines.Access{})
	table := newTable(t, db, sqlstore.MySQL)
	table.Name = "test." + table.Name
	require.NoError(t, table.Check(t.Context()))
	for setting, values := range map[string][2]string{
		"innodb_flush_log_at_trx_commit": {"2", "1"}, "sync_binlog": {"1000", "1"}, "read_only": {"1", "0"},
	} {
		run(t, db, "SET GLOBAL "+setting+" = "+values[0])
		assert.ErrorContains(t, table.Check(t.Context()), setting+" is "+values[0]+", want "+values[1])
		run(t, db, "SET GLOBAL "+setting+" = "+values[1])
	}
	run(t, db, "SET GLOBAL innodb_flush_log_at_trx_commit = 0")
	run(t, db, "SET GLOBAL sync_binlog = 0")
	err := table.Check(t.Context())
	assert.ErrorContains(t, err, "innodb_flush_log_at_trx_commit is 0")
	assert.ErrorContains(t, err, "sync_binlog is 0")
	run(t, db, "SET GLOBAL innodb_flush_log_at_trx_commit = 1")
	run(t, db, "SET GLOBAL sync_binlog = 1")
	run(t, db, "ALTER TABLE "+table.Name+" ENGINE=MyISAM")
	assert.ErrorContains(t, table.Check(t.Context()), "engine of "+table.Name+" is MyISAM, want InnoDB")
}

func TestCheck_MariaDBWithoutAutocommit(t *testing.T) {
	t.Parallel()
	db := mysql.open(t, engines.MariaDB(t), engines.Access{Params: "autocommit=0"})
	assert.ErrorContains(t, newTable(t, db, sqlstore.MySQL).Check(t.Context()), "autocommit is 0, want 1")
}

func TestCheck_SQLite(t *testing.T) {
	t.Parallel()
	for what, test := range map[string]struct{ params, want string }{
		"wal, normal":   {"?_pragma=journal_mode(wal)&_pragma=synchronous(normal)", "synchronous is 1"},
		"wal, off":      {"?_pragma=journal_mode(wal)&_pragma=synchronous(off)", "synchronous is 0"},
		"delete, full":  {"?_pragma=synchronous(full)", "synchronous is 2"},
		"memory, extra": {"?_pragma=journal_mode(memory)&_pragma=synchronous(extra)", "journal_mode is memory"},
		"off, extra":    {"?_pragma=journal_mode(off)&_pragma=synchronous(extra)", "journal_mode is off"},
		"wal, full":     {"?_pragma=journal_mode(wal)&_pragma=synchronous(full)", ""},
		"wal, extra":    {"?_pragma=journal_mode(wal)&_pragma=synchronous(extra)", ""},
		"delete, extra": {"?_pragma=synchronous(extra)", ""},
	} {
		t.Run(what, func(t *testing.T) {
			db := open(t, "sqlite", "file:"+filepath.Join(t.TempDir(), "keys.db")+test.params)
			err := newTable(t, db, sqlstore.SQLite).Check(t.Context())
			if test.want == "" {
				assert.NoError(t, err)
				return
			}
			assert.ErrorContains(t, err, test.want)
		})
	}
	t.Run("in memory", func(t *testing.T) {
		db := open(t, "sqlite", ":memory:?_pragma=synchronous(extra)")
		db.SetMaxOpenConns(1) // each has its own database
		assert.ErrorContains(t, newTable(t, db, sqlstore.SQLite).Check(t.Context()), "file is none")
	})
}

// TestPut_NeverTruncates: a server without a strict sql_mode, which is the
// default of some services, cuts off what does not fit and reports success.
func TestPut_NeverTruncates(t *testing.T) {
	t.Parallel()
	db := mysql.open(t, engines.MariaDB(t, "--sql-mode="), engines.Access{})
	run(t, db, "CREATE TABLE narrow (name char(32) PRIMARY KEY, value varbinary(16), token binary(16))")
	run(t, db, "INSERT INTO narrow VALUES (?, ?, ?)", newName(), make([]byte, 20), make([]byte, 16)) // succeeds
	table := &sqlstore.Table{DB: db, Dialect: sqlstore.MySQL, Name: "narrow"}
	blob := newName()
	err := table.Put(t.Context(), blob, make([]byte, 20))
	require.Error(t, err)
	assert.NotErrorIs(t, err, fs.ErrExist)
	assert.NoError(t, table.Put(t.Context(), newName(), make([]byte, 16)))
}
