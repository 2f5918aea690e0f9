package sqlstore

import (
	"bytes"
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"github.com/cdncsr/cdncsr/csr/sealed"
)

// A Table is a [sealed.BlobStore] in a table of a SQL database, and a
// [sealed.Swapper]. Make the table by [Table.Create], or by a migration from
// [Dialect.Schema]. A Table is safe for concurrent use by any number of
// processes. Its fields must not be changed after its first use.
type Table struct {
	// DB is a database on the primary, not on a read-only endpoint. Required.
	// It is not closed.
	DB *sql.DB

	// Dialect is Postgres, MySQL, SQLite, or a caller's own. Required.
	Dialect Dialect

	// Name is the name of the table: up to 63 ASCII letters, digits and
	// underscores, perhaps with a schema and a dot in front. It is not quoted.
	// If empty, cdncsr_keys is used.
	Name string
}

var _ sealed.Swapper = (*Table)(nil)

const (
	maxBlob         = 1<<16 - 1       // bytes: what a BLOB of MySQL holds
	tokenSize       = 16              // bytes
	readBackTimeout = 5 * time.Second // for all attempts
)

// readBackWaits are the waits before each attempt to read a row back. The first
// may find other connections of the pool broken, or be faster than a database
// that still executes a statement whose connection broke.
var readBackWaits = [...]time.Duration{0, 50 * time.Millisecond, 200 * time.Millisecond}

// Put adds a row, in one statement, and reads it back. Its errors are those of
// [sealed.BlobStore]; those of the database are wrapped. A name that is not a
// PubMd5, and a blob that is empty or larger than 65,535 bytes, are errors.
//
// Put tells the truth if the connection breaks or ctx ends while it waits: it
// looks for its row for up to 5 s, whether ctx has ended or not. See the
// package documentation for the one case that stays open.
func (t *Table) Put(ctx context.Context, name string, blob []byte) error {
	if err := t.put(ctx, name, blob); err != nil {
		return t.failed("put", name, err)
	}
	return nil
}

func (t *Table) put(ctx context.Context, name string, blob []byte) error {
	insert, err := t.statement(ctx, t.dialect().Insert)
	if err != nil {
		return err
	}
	if err = checkRow(name, blob); err != nil {
		return err
	}
	token := newToken()
	_, insertErr := t.DB.ExecContext(ctx, insert, name, blob, token)
	insertErr = opaque(insertErr)
	row, err := t.readBack(ctx, name, insertErr)
	switch {
	case errors.Is(err, fs.ErrNotExist) && insertErr == nil:
		return errors.New("the database took the row but does not show it: connect to the primary")
	case errors.Is(err, fs.ErrNotExist):
		return insertErr
	case err != nil:
		return unknown(insertErr, err)
	case !bytes.Equal(row.token, token):
		return fs.ErrExist
	}
	return row.checkValue(blob)
}

// Get returns the value of the row of that name. Its errors are those of
// [sealed.BlobStore]; those of the database are wrapped. A missing table does
// not match fs.ErrNotExist; a name that is not a PubMd5 does.
func (t *Table) Get(ctx context.Context, name string) ([]byte, error) {
	row, err := t.get(ctx, name)
	if err != nil {
		return nil, t.failed("get", name, err)
	}
	return row.value, nil
}

// Swap replaces the value old of the row of that name by blob, in one
// statement, and reads it back as Put does. Only Swap needs the grant UPDATE.
// Its errors are those of [sealed.Swapper].
func (t *Table) Swap(ctx context.Context, name string, old, blob []byte) (swapped bool, err error) {
	if swapped, err = t.swap(ctx, name, old, blob); err != nil {
		return false, t.failed("swap", name, err)
	}
	return swapped, nil
}

func (t *Table) swap(ctx context.Context, name string, old, blob []byte) (swapped bool, err error) {
	update, err := t.statement(ctx, t.dialect().Update)
	if err != nil {
		return false, err
	}
	if err = checkRow(name, blob); err != nil {
		return false, err
	}
	token := newToken()
	_, updateErr := t.DB.ExecContext(ctx, update, blob, token, name, old)
	updateErr = opaque(updateErr)
	row, err := t.readBack(ctx, name, updateErr)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, err
	case err != nil:
		return false, unknown(updateErr, err)
	case bytes.Equal(row.token, token):
		return true, row.checkValue(blob)
	}
	return false, updateErr
}

// unknown is the error of a statement whose effect could not be read back.
func unknown(statement, readBack error) error {
	if statement == nil {
		return fmt.Errorf("the database took it, but reading it back failed: %w", readBack)
	}
	return fmt.Errorf("%w; reading it back failed too: %w", statement, readBack)
}

// A row is what a name stands for.
type row struct{ value, token []byte }

// checkValue returns an error unless the row has the whole blob.
func (r row) checkValue(blob []byte) error {
	if !bytes.Equal(r.value, blob) {
		return fmt.Errorf("the table has kept %d bytes of %d, or others: make its columns as Dialect.Schema does",
			len(r.value), len(blob))
	}
	return nil
}

func (t *Table) get(ctx context.Context, name string) (row, error) {
	query, err := t.statement(ctx, t.dialect().Select)
	if err != nil {
		return row{}, err
	}
	if err = checkName(name); err != nil {
		return row{}, fmt.Errorf("%w: %w", fs.ErrNotExist, err)
	}
	var r row
	err = t.DB.QueryRowContext(ctx, query, name).Scan(&r.value, &r.token)
	if errors.Is(err, sql.ErrNoRows) {
		return row{}, fs.ErrNotExist
	}
	return r, opaque(err)
}

// opaque returns an error of the driver that does not match what only a row, or
// its absence, may match. A Unix socket that is not there matches
// fs.ErrNotExist.
func opaque(err error) error {
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrExist) {
		return errors.New(err.Error())
	}
	return err
}

// readBack is get for a caller who must know what became of a statement, even
// if ctx has ended.
func (t *Table) readBack(ctx context.Context, name string, statementErr error) (r row, err error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), readBackTimeout)
	defer cancel()
	for _, wait := range readBackWaits {
		sleep(ctx, wait)
		r, err = t.get(ctx, name)
		missing := errors.Is(err, fs.ErrNotExist)
		if err == nil || missing && statementErr == nil {
			break
		}
	}
	return r, err
}

// sleep waits, or returns when ctx ends.
func sleep(ctx context.Context, wait time.Duration) {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// statement returns a text for this table, or an error if t can't be used or
// ctx has ended.
func (t *Table) statement(ctx context.Context, text string) (string, error) {
	if t == nil || t.DB == nil {
		return "", errors.New("Table.DB is nil")
	}
	if err := ctx.Err(); err != nil {
		return "", err
	}
	return t.Dialect.text(text, t.Name)
}

func (t *Table) dialect() Dialect {
	if t == nil {
		return Dialect{}
	}
	return t.Dialect
}

// failed says what failed in which table.
func (t *Table) failed(what, name string, err error) error {
	table := defaultName
	if t != nil && t.Name != "" {
		table = t.Name
	}
	return fmt.Errorf("sqlstore: %s %.64q in %.64s: %w", what, name, table, err)
}

func newToken() []byte {
	token := make([]byte, tokenSize)
	_, _ = rand.Read(token) // never fails
	return token
}

// checkRow returns an error for what must not be written.
func checkRow(name string, blob []byte) error {
	if err := checkName(name); err != nil {
		return err
	}
	if len(blob) == 0 || len(blob) > maxBlob {
		return fmt.Errorf("blob of %d bytes: want 1 to %d", len(blob), maxBlob)
	}
	return nil
}

// checkName returns an error unless name is 32 lower-case hex digits.
func checkName(name string) error {
	if len(name) != 32 || strings.Trim(name, "0123456789abcdef") != "" {
		return errors.New("the name is not a PubMd5, 32 lower-case hex digits")
	}
	return nil
}
