package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
)

// Create makes the table if it is missing, for programs without migrations. It
// is the only method that changes the database's schema. It may be called by
// many processes at once, and needs no grant if the table is there.
func (t *Table) Create(ctx context.Context) error {
	if err := t.create(ctx); err != nil {
		return fmt.Errorf("sqlstore: create: %w", err)
	}
	return nil
}

func (t *Table) create(ctx context.Context) error {
	statement, err := t.statement(ctx, t.dialect().Create)
	if err != nil {
		return err
	}
	_, createErr := t.DB.ExecContext(ctx, statement)
	// PostgreSQL fails if another makes the table at the same time, and any
	// database does where the account may not make tables.
	if err := t.probe(ctx); err != nil {
		if createErr != nil {
			return createErr
		}
		return fmt.Errorf("there is a table of that name, but: %w", err)
	}
	return nil
}

// probe returns an error unless the table is there and can be read.
func (t *Table) probe(ctx context.Context) error {
	query, err := t.statement(ctx, "SELECT name, value, token FROM {table} WHERE 1 = 0")
	if err != nil {
		return err
	}
	rows, err := t.DB.QueryContext(ctx, query)
	if err != nil {
		return err
	}
	return errors.Join(rows.Err(), rows.Close())
}

// Check returns an error that names every setting because of which the database
// may lose what it has acknowledged, if it or its machine crashes:
//
//   - PostgreSQL: fsync off, an UNLOGGED or temporary table, a partitioned
//     table or a view, since what it consists of is not checked, a standby;
//   - MySQL: innodb_flush_log_at_trx_commit other than 1, sync_binlog other
//     than 1 where there is a binary log, autocommit off, another engine than
//     InnoDB, a view, a read-only server;
//   - SQLite: synchronous below FULL with a write-ahead log, or below EXTRA
//     with another journal; a temporary table, or one in memory. These are the
//     settings of the database file, perhaps an attached one, that has the
//     table.
//
// It returns an error if the table is missing too. What a failover to a replica
// may lose is not checked: that depends on how the replica is fed.
func (t *Table) Check(ctx context.Context) error {
	if err := t.check(ctx); err != nil {
		return fmt.Errorf("sqlstore: check: %w", err)
	}
	return nil
}

func (t *Table) check(ctx context.Context) error {
	query, err := t.statement(ctx, t.dialect().Check)
	if err != nil {
		return err
	}
	if err = t.probe(ctx); err != nil {
		return err
	}
	rows, err := t.DB.QueryContext(ctx, query)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }() // rows.Err has its error
	mistakes, err := readMistakes(rows)
	if err != nil {
		return err
	}
	if len(mistakes) > 0 {
		return fmt.Errorf("the database may lose keys: %s", strings.Join(mistakes, "; "))
	}
	return nil
}

// readMistakes reads the rows that Dialect.Check returns.
func readMistakes(rows *sql.Rows) (mistakes []string, err error) {
	for rows.Next() {
		var name, value, want string
		if err := rows.Scan(&name, &value, &want); err != nil {
			return nil, err
		}
		mistakes = append(mistakes, fmt.Sprintf("%s is %s, want %s", name, value, want))
	}
	return mistakes, rows.Err()
}
