package stores_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/csr/sqlstore"
	"github.com/cdncsr/cdncsr/internal/engines"
)

// TestCheck_PostgreSQLPartitionOrView shows that Check accepts an ordinary table
// only: a partition or the table behind a view may be UNLOGGED.
func TestCheck_PostgreSQLPartitionOrView(t *testing.T) {
	db := pgx.open(t, engines.Postgres(t), engines.Access{})
	const columns = " (name text COLLATE \"C\" NOT NULL PRIMARY KEY, value bytea NOT NULL, token bytea NOT NULL)"
	run(t, db, "CREATE TABLE parted"+columns+" PARTITION BY HASH (name)")
	run(t, db, "CREATE UNLOGGED TABLE part PARTITION OF parted FOR VALUES WITH (MODULUS 1, REMAINDER 0)")
	run(t, db, "CREATE UNLOGGED TABLE hidden"+columns)
	run(t, db, "CREATE VIEW seen AS SELECT * FROM hidden")
	for name, kind := range map[string]string{"parted": "p", "seen": "v"} {
		table := &sqlstore.Table{DB: db, Dialect: sqlstore.Postgres, Name: name}
		require.NoError(t, table.Put(t.Context(), newName(), []byte("value")), "it can be used")
		assert.ErrorContains(t, table.Check(t.Context()), "relkind of "+name+" is "+kind+", want r")
	}
}

// TestCheck_MariaDBView shows that a view of a table that is not durable is
// refused.
func TestCheck_MariaDBView(t *testing.T) {
	db := mysql.open(t, engines.MariaDB(t), engines.Access{})
	run(t, db, "CREATE TABLE hidden (name char(32) PRIMARY KEY, value blob, token binary(16)) ENGINE=MyISAM")
	run(t, db, "CREATE VIEW seen AS SELECT * FROM hidden")
	table := &sqlstore.Table{DB: db, Dialect: sqlstore.MySQL, Name: "seen"}
	require.NoError(t, table.Put(t.Context(), newName(), []byte("value")), "it can be used")
	assert.ErrorContains(t, table.Check(t.Context()), "engine of seen is VIEW, want InnoDB")
}

// TestCheck_SQLiteSchema shows that Check looks at the database that has the
// table, which need not be main.
func TestCheck_SQLiteSchema(t *testing.T) {
	dir := t.TempDir()
	db := open(t, "sqlite", sqliteDSN(filepath.Join(dir, "main.db")))
	db.SetMaxOpenConns(1) // each has its own temporary and attached databases
	run(t, db, "ATTACH ':memory:' AS mem")
	for _, schema := range []string{"lax", "strict"} {
		run(t, db, "ATTACH '"+filepath.Join(dir, schema+".db")+"' AS "+schema)
		run(t, db, "PRAGMA "+schema+".journal_mode=delete")
	}
	run(t, db, "PRAGMA lax.synchronous=full")
	run(t, db, "PRAGMA strict.synchronous=extra")
	run(t, db, "PRAGMA mem.synchronous=extra")
	for _, made := range []string{"main.good", "main.shadowed", "temp.shadowed", "mem.only", "lax.found", "strict.durable"} {
		run(t, db, sqlstore.SQLite.Schema(made))
	}
	for name, want := range map[string]string{
		"good":           "",
		"main.good":      "",
		"MAIN.Good":      "",
		"main.shadowed":  "",
		"shadowed":       "file is none, it is temporary",
		"temp.shadowed":  "file is none, it is temporary",
		"Temp.SHADOWED":  "file is none, it is temporary",
		"mem.only":       "file is none, it is in memory",
		"only":           "file is none, it is in memory",
		"lax.found":      "synchronous is 2, want",
		"found":          "synchronous is 2, want",
		"strict.durable": "",
		"durable":        "",
	} {
		err := (&sqlstore.Table{DB: db, Dialect: sqlstore.SQLite, Name: name}).Check(t.Context())
		if want == "" {
			assert.NoError(t, err, name)
			continue
		}
		assert.ErrorContains(t, err, want, name)
	}
}
