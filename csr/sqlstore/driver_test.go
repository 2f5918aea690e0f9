package sqlstore_test

import (
	"bytes"
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/hex"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/cdncsr/cdncsr/csr/sqlstore"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fakeDB is a database with one table, and a driver.Connector for it. Its
// fields other than the first two are the faults that a test wants.
type fakeDB struct {
	mu         sync.Mutex
	rows       map[string]fakeRow
	statements []string

	beforeWrite func(ctx context.Context) error // if it fails, nothing is written
	afterWrite  func(ctx context.Context) error // the answer to what was written
	beforeRead  func(ctx context.Context) error
	column      int               // the bytes that a value may have; 0: any
	replica     bool              // reads come from a replica that has nothing yet
	answers     map[string]answer // to other statements, by their beginning
}

type fakeRow struct{ value, token []byte }

// An answer is what a statement other than those on rows returns.
type answer struct {
	rows   [][]driver.Value
	err    error
	rowErr error // instead of the end of the rows
}

var errDuplicate = errors.New("the driver's own error for a duplicate")

// newTable returns a Table in a new fakeDB.
func newTable(t testing.TB) (*sqlstore.Table, *fakeDB) {
	t.Helper()
	fake := &fakeDB{rows: make(map[string]fakeRow)}
	db := sql.OpenDB(fake)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return &sqlstore.Table{DB: db, Dialect: sqlstore.MySQL}, fake
}

func (f *fakeDB) Connect(context.Context) (driver.Conn, error) { return fakeConn{f}, nil }
func (f *fakeDB) Driver() driver.Driver                        { return nil }

type fakeConn struct{ *fakeDB }

func (fakeConn) Prepare(string) (driver.Stmt, error) { return nil, errors.New("not prepared") }
func (fakeConn) Close() error                        { return nil }
func (fakeConn) Begin() (driver.Tx, error)           { return nil, errors.New("one statement only") }

func (c fakeConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	c.mu.Lock()
	c.statements = append(c.statements, query)
	c.mu.Unlock()
	if !strings.HasPrefix(query, "INSERT") && !strings.HasPrefix(query, "UPDATE") {
		return driver.ResultNoRows, c.answer(query).err
	}
	if err := call(ctx, c.beforeWrite); err != nil {
		return nil, err
	}
	if err := c.write(query, args); err != nil {
		return nil, err
	}
	if err := call(ctx, c.afterWrite); err != nil {
		return nil, err
	}
	return driver.RowsAffected(1), nil
}

func call(ctx context.Context, fault func(ctx context.Context) error) error {
	if fault == nil {
		return nil
	}
	return fault(ctx)
}

// write does what the two statements do whose arguments it gets.
func (c fakeConn) write(query string, args []driver.NamedValue) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if strings.HasPrefix(query, "UPDATE") {
		name, _ := args[2].Value.(string)
		old, _ := args[3].Value.([]byte)
		if row, ok := c.rows[name]; ok && bytes.Equal(row.value, old) {
			c.rows[name] = c.newRow(args[0].Value, args[1].Value)
		}
		return nil
	}
	name, _ := args[0].Value.(string)
	if _, ok := c.rows[name]; ok {
		return errDuplicate
	}
	c.rows[name] = c.newRow(args[1].Value, args[2].Value)
	return nil
}

func (c fakeConn) newRow(value, token driver.Value) fakeRow {
	row := fakeRow{bytes.Clone(value.([]byte)), bytes.Clone(token.([]byte))}
	if c.column > 0 {
		row.value = row.value[:min(len(row.value), c.column)]
	}
	return row
}

func (c fakeConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	c.mu.Lock()
	c.statements = append(c.statements, query)
	c.mu.Unlock()
	if len(args) == 0 {
		a := c.answer(query)
		return &fakeRows{rows: a.rows, err: a.rowErr}, a.err
	}
	if err := call(ctx, c.beforeRead); err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	name, _ := args[0].Value.(string)
	row, ok := c.rows[name]
	if !ok || c.replica {
		return &fakeRows{}, nil
	}
	return &fakeRows{rows: [][]driver.Value{{row.value, row.token}}}, nil
}

func (c fakeConn) answer(query string) answer {
	for beginning, answer := range c.answers {
		if strings.HasPrefix(query, beginning) {
			return answer
		}
	}
	return answer{}
}

// fakeRows are the rows of an answer.
type fakeRows struct {
	rows [][]driver.Value
	err  error // nil: io.EOF
}

func (r *fakeRows) Columns() []string {
	if len(r.rows) == 0 {
		return nil
	}
	return make([]string, len(r.rows[0]))
}

func (r *fakeRows) Close() error { return nil }

func (r *fakeRows) Next(dest []driver.Value) error {
	if len(r.rows) == 0 && r.err != nil {
		return r.err
	}
	if len(r.rows) == 0 {
		return io.EOF
	}
	copy(dest, r.rows[0])
	r.rows = r.rows[1:]
	return nil
}

// name returns the n-th name.
func name(n byte) string { return hex.EncodeToString(bytes.Repeat([]byte{n}, 16)) }
