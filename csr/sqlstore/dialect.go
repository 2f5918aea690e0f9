package sqlstore

import (
	"errors"
	"fmt"
	"strings"
)

// A Dialect is what [Table] says to one kind of database. In each text {table}
// stands for the table's name. [Postgres], [MySQL] and [SQLite] are ready-made;
// for another database, copy and change one.
type Dialect struct {
	// Insert adds a row. Its arguments are the name (string), the value and
	// the token ([]byte), in this order. It must fail if there is a row of that
	// name.
	Insert string

	// Select returns the value and the token of the row of a name.
	Select string

	// Update replaces a value. Its arguments are the new value, the new token,
	// the name and the old value, in this order; the row must have both of the
	// last two.
	Update string

	// Create makes the table if it is missing.
	Create string

	// Check is a query without arguments. Each row that it returns is a
	// setting because of which the database may lose what it has acknowledged:
	// its name, its value and the value that it should have, as text.
	Check string
}

// The dialects of this package.
var (
	// Postgres is for PostgreSQL and what is compatible with it, such as
	// ApsaraDB RDS for PostgreSQL and PolarDB for PostgreSQL.
	Postgres Dialect = postgres

	// MySQL is for MySQL, MariaDB and what is compatible with them, such as
	// ApsaraDB RDS for MySQL and PolarDB for MySQL. The comment in front of
	// its SELECT makes a proxy of PolarDB send it to the primary.
	MySQL Dialect = mysql

	// SQLite is for SQLite 3.16 and later, for many processes of one machine.
	// Its settings are those of a connection, so they belong in the data
	// source name: journal_mode WAL, synchronous FULL and a busy_timeout,
	// since one process at a time writes.
	SQLite Dialect = sqlite
)

// Schema returns the statement that makes the table of that name, for
// migrations. An empty name is cdncsr_keys. It panics if the name is not one
// that [Table] accepts.
func (d Dialect) Schema(name string) string {
	text, err := d.text(d.Create, name)
	if err != nil {
		panic("sqlstore: schema: " + err.Error())
	}
	return text
}

// defaultName is the name of a table that has none.
const defaultName = "cdncsr_keys"

// text returns a text of d for the table of that name.
func (d Dialect) text(text, name string) (string, error) {
	if text == "" {
		return "", fmt.Errorf("the Dialect has no statement for it: %w", errors.ErrUnsupported)
	}
	if name == "" {
		name = defaultName
	}
	if err := checkTableName(name); err != nil {
		return "", err
	}
	return strings.ReplaceAll(text, "{table}", name), nil
}

// maxIdentifier is the number of bytes that PostgreSQL keeps of an identifier
// (NAMEDATALEN - 1); of a longer one it drops the rest. MySQL takes 64.
const maxIdentifier = 63

// checkTableName returns an error unless name can stand in a statement as it
// is: TABLE or SCHEMA.TABLE of ASCII letters, digits and underscores.
func checkTableName(name string) error {
	schema, table, hasSchema := strings.Cut(name, ".")
	if !hasSchema {
		schema, table = "s", schema
	}
	if !isIdentifier(schema) || !isIdentifier(table) {
		return fmt.Errorf("table name %.130q: want TABLE or SCHEMA.TABLE, each up to %d ASCII letters, digits or _",
			name, maxIdentifier)
	}
	return nil
}

func isIdentifier(s string) bool {
	const letters, digits = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_", "0123456789"
	return s != "" && len(s) <= maxIdentifier && strings.Trim(s, letters+digits) == "" && !strings.Contains(digits, s[:1])
}

// forceSync is a subquery that makes the commit of its statement wait for the
// disk; set_config's effect ends with the transaction, which is the statement.
// Only off is changed: the other values wait for the disk too.
const forceSync = `(SELECT set_config('synchronous_commit',
	CASE current_setting('synchronous_commit') WHEN 'off' THEN 'on' ELSE current_setting('synchronous_commit') END,
	true)) AS forced`

var postgres = Dialect{
	Insert: `INSERT INTO {table} (name, value, token) SELECT $1::text, $2::bytea, $3::bytea FROM ` + forceSync,
	Select: `SELECT value, token FROM {table} WHERE name = $1`,
	Update: `UPDATE {table} SET value = $1::bytea, token = $2::bytea FROM ` + forceSync + `
	WHERE name = $3 AND value = $4::bytea`,
	Create: `CREATE TABLE IF NOT EXISTS {table} (
	name  text COLLATE "C" NOT NULL PRIMARY KEY,
	value bytea NOT NULL,
	token bytea NOT NULL,
	added timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP
)`,
	Check: `SELECT name, setting, 'on' FROM pg_settings WHERE name = 'fsync' AND setting <> 'on'
UNION ALL SELECT 'pg_is_in_recovery()', 'true', 'false' WHERE pg_is_in_recovery()
UNION ALL SELECT 'persistence of {table}', relpersistence::text, 'p' FROM pg_class
	WHERE oid = '{table}'::regclass AND relpersistence <> 'p'
UNION ALL SELECT 'relkind of {table}', relkind::text, 'r' FROM pg_class
	WHERE oid = '{table}'::regclass AND relkind <> 'r'`,
}

var mysql = Dialect{
	Insert: `INSERT INTO {table} (name, value, token) VALUES (?, ?, ?)`,
	Select: `/*FORCE_MASTER*/ SELECT value, token FROM {table} WHERE name = ?`,
	Update: `UPDATE {table} SET value = ?, token = ? WHERE name = ? AND value = ?`,
	Create: `CREATE TABLE IF NOT EXISTS {table} (
	name  char(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
	value blob NOT NULL,
	token binary(16) NOT NULL,
	added timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP
) ENGINE=InnoDB`,
	Check: `SELECT 'innodb_flush_log_at_trx_commit', CAST(@@GLOBAL.innodb_flush_log_at_trx_commit AS CHAR), '1'
	FROM DUAL WHERE @@GLOBAL.innodb_flush_log_at_trx_commit <> 1
UNION ALL SELECT 'sync_binlog', CAST(@@GLOBAL.sync_binlog AS CHAR), '1' FROM DUAL
	WHERE @@GLOBAL.log_bin = 1 AND @@GLOBAL.sync_binlog <> 1
UNION ALL SELECT 'autocommit', '0', '1' FROM DUAL WHERE @@SESSION.autocommit <> 1
UNION ALL SELECT 'read_only', '1', '0' FROM DUAL WHERE @@GLOBAL.read_only = 1
UNION ALL SELECT 'engine of {table}', COALESCE(engine, table_type), 'InnoDB' FROM information_schema.tables
	WHERE table_name = SUBSTRING_INDEX('{table}', '.', -1) AND COALESCE(engine, table_type) <> 'InnoDB'
	AND table_schema = IF('{table}' LIKE '%.%', SUBSTRING_INDEX('{table}', '.', 1), DATABASE())`,
}

var sqlite = Dialect{
	Insert: `INSERT INTO {table} (name, value, token) VALUES (?, ?, ?)`,
	Select: `SELECT value, token FROM {table} WHERE name = ?`,
	Update: `UPDATE {table} SET value = ?, token = ? WHERE name = ? AND value = ?`,
	Create: `CREATE TABLE IF NOT EXISTS {table} (
	name  text NOT NULL PRIMARY KEY,
	value blob NOT NULL,
	token blob NOT NULL,
	added text NOT NULL DEFAULT CURRENT_TIMESTAMP
)`,
	Check: `WITH home AS (SELECT d.name, d.file FROM pragma_database_list AS d
	WHERE (instr('{table}', '.') = 0 OR lower(d.name) = lower(substr('{table}', 1, instr('{table}', '.') - 1)))
	AND EXISTS (SELECT 1 FROM pragma_table_info(substr('{table}', instr('{table}', '.') + 1), d.name))
	ORDER BY d.name <> 'temp', d.seq LIMIT 1)
SELECT 'journal_mode', journal_mode, 'wal' FROM home, pragma_journal_mode(home.name)
	WHERE journal_mode IN ('off', 'memory')
UNION ALL SELECT 'synchronous', CAST(synchronous AS text), '2 with journal_mode wal, 3 with another'
	FROM home, pragma_synchronous(home.name), pragma_journal_mode(home.name)
	WHERE NOT (synchronous = 3 OR synchronous = 2 AND journal_mode = 'wal')
UNION ALL SELECT 'file', 'none, it is in memory', 'a file' FROM home WHERE file = '' AND name <> 'temp'
UNION ALL SELECT 'file', 'none, it is temporary', 'a file' FROM home WHERE name = 'temp'
UNION ALL SELECT 'file', 'unknown', 'a file' WHERE NOT EXISTS (SELECT 1 FROM home)`,
}
