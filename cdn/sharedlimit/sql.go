package sharedlimit

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"time"
)

// A Dialect is the language of an SQL database.
type Dialect int

// The dialects that there are. The zero Dialect is invalid.
const (
	Postgres Dialect = iota + 1 // PostgreSQL 9.5 or later
	MySQL                       // MySQL 5.7 or later, MariaDB 10.2 or later
)

// maxAccount is the length of the column account.
const maxAccount = 100

// Each dialect has a clock that runs on during a statement and doesn't follow
// the session's time zone: a statement waits for the row's lock before it
// reads it. SYSDATE is MySQL's only clock of the kind, in local time, hence
// the difference.
const (
	postgresNow = `(extract(epoch FROM clock_timestamp()) * 1000000)::bigint`
	mysqlNow    = `(TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6)) + TIMESTAMPDIFF(MICROSECOND, NOW(6), SYSDATE(6)))`
)

// No row is returned if no turn is taken. Parameters: account, taken, ahead, far.
const postgresTake = `
INSERT INTO cdncsr_turns AS t (account, next_us) VALUES ($1, ` + postgresNow + ` + $2::bigint)
ON CONFLICT (account) DO UPDATE SET next_us = $2::bigint + CASE
	WHEN t.next_us > ` + postgresNow + ` + $4::bigint THEN ` + postgresNow + ` + $3::bigint
	ELSE greatest(t.next_us, ` + postgresNow + `) END
WHERE t.next_us <= ` + postgresNow + ` + $3::bigint OR t.next_us > ` + postgresNow + ` + $4::bigint
RETURNING greatest(t.next_us - $2::bigint - ` + postgresNow + `, 0)`

// The wait is the statement's insert ID, without a second round trip; it is 0
// where the row is new. Parameters: account, taken, far, ahead, ahead, far,
// ahead, taken.
const mysqlTake = `
INSERT INTO cdncsr_turns (account, next_us) VALUES (?, ` + mysqlNow + ` + ?)
ON DUPLICATE KEY UPDATE next_us = IF(
	LAST_INSERT_ID(IF(next_us > ` + mysqlNow + ` + ?, ?, GREATEST(next_us - ` + mysqlNow + `, 0))) <= ?,
	IF(next_us > ` + mysqlNow + ` + ?, ` + mysqlNow + ` + ?, GREATEST(next_us, ` + mysqlNow + `)) + ?,
	next_us)`

// Schema returns the statement that creates the table cdncsr_turns unless it
// exists. It is for the caller's migrations: nothing else creates it.
// PostgreSQL needs the grants SELECT, INSERT and UPDATE on it, MySQL INSERT,
// SELECT and UPDATE too. The table has a row for each account, and losing it
// costs nothing: at most the turns of one second are given twice.
func (d Dialect) Schema() string {
	switch d {
	case Postgres:
		return `CREATE UNLOGGED TABLE IF NOT EXISTS cdncsr_turns (
	account varchar(100) PRIMARY KEY,
	next_us bigint NOT NULL -- the next free turn, in microseconds since 1970
) WITH (fillfactor = 50)`
	case MySQL:
		return `CREATE TABLE IF NOT EXISTS cdncsr_turns (
	account varchar(100) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL PRIMARY KEY,
	next_us bigint NOT NULL -- the next free turn, in microseconds since 1970
) ENGINE=InnoDB`
	}
	return ""
}

// SQL returns the Turns of an account in the table cdncsr_turns, which
// [Dialect.Schema] creates. Everything is one prepared statement. Processes
// share the turns if they give the same account, a name of 1 to 100 bytes;
// another limit of the account needs another name.
//
// The db must be the primary, at the isolation level that is its default, and
// have a connection to spare: if none is free within a second, the turns are
// away.
func SQL(db *sql.DB, dialect Dialect, account string) Turns {
	return &sqlTurns{db: db, dialect: dialect, account: account}
}

type sqlTurns struct {
	db      *sql.DB
	dialect Dialect
	account string

	mu   sync.Mutex
	stmt *sql.Stmt // nil before the first Take
}

func (t *sqlTurns) Take(ctx context.Context, n int, interval, ahead time.Duration) (time.Duration, bool, error) {
	if err := t.check(); err != nil {
		return 0, false, err
	}
	r, err := newRequest(n, interval, ahead)
	if err != nil {
		return 0, false, err
	}
	wait, err := t.take(ctx, r)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return 0, false, nil
	case err != nil:
		return 0, false, fmt.Errorf("sharedlimit: take turns of the database: %w", err)
	}
	return r.answer(wait)
}

func (t *sqlTurns) check() error {
	switch {
	case t.db == nil:
		return errors.New("sharedlimit: SQL: db is nil")
	case t.dialect != Postgres && t.dialect != MySQL:
		return fmt.Errorf("sharedlimit: SQL: dialect %d: want Postgres or MySQL", int(t.dialect))
	case t.account == "" || len(t.account) > maxAccount:
		return fmt.Errorf("sharedlimit: SQL: account %.20q: has %d bytes: want 1 to %d", t.account, len(t.account), maxAccount)
	}
	return nil
}

// take returns the time until the first turn, in microseconds.
func (t *sqlTurns) take(ctx context.Context, r request) (wait int64, err error) {
	stmt, err := t.prepare(ctx)
	if err != nil {
		return 0, err
	}
	if t.dialect == Postgres {
		err = stmt.QueryRowContext(ctx, t.account, r.taken, r.ahead, r.far).Scan(&wait)
		return wait, err
	}
	result, err := stmt.ExecContext(ctx, t.account, r.taken, r.far, r.ahead, r.ahead, r.far, r.ahead, r.taken)
	if err != nil {
		return 0, err
	}
	return result.LastInsertId()
}

// prepare returns the statement: unprepared, with parameters, it would cost
// most drivers a second round trip.
func (t *sqlTurns) prepare(ctx context.Context) (*sql.Stmt, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.stmt != nil {
		return t.stmt, nil
	}
	text := postgresTake
	if t.dialect == MySQL {
		text = mysqlTake
	}
	stmt, err := t.db.PrepareContext(ctx, text)
	if err != nil {
		return nil, err
	}
	t.stmt = stmt
	return stmt, nil
}
