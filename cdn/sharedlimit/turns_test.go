package sharedlimit_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/cdn/sharedlimit"
)

// fakeDB is a database whose answers the test sets. What the statements do is
// tested with real ones, in internal/engines.
type fakeDB struct {
	prepared []string
	args     []driver.Value
	wait     int64
	noRows   bool
	err      error
}

func (f *fakeDB) Connect(context.Context) (driver.Conn, error) { return f, nil }
func (f *fakeDB) Driver() driver.Driver                        { return nil }
func (f *fakeDB) Begin() (driver.Tx, error)                    { return nil, errors.ErrUnsupported }
func (f *fakeDB) Close() error                                 { return nil }
func (f *fakeDB) NumInput() int                                { return -1 }

func (f *fakeDB) Prepare(query string) (driver.Stmt, error) {
	if f.err != nil {
		return nil, f.err
	}
	f.prepared = append(f.prepared, query)
	return f, nil
}

func (f *fakeDB) Exec(args []driver.Value) (driver.Result, error) {
	f.args = args
	return f, f.err
}

func (f *fakeDB) Query(args []driver.Value) (driver.Rows, error) {
	f.args = args
	return &fakeRows{f, f.noRows}, f.err
}
func (f *fakeDB) LastInsertId() (int64, error) { return f.wait, nil }
func (f *fakeDB) RowsAffected() (int64, error) { return 2, nil }

type fakeRows struct {
	*fakeDB
	done bool
}

func (r *fakeRows) Columns() []string { return []string{"wait"} }

func (r *fakeRows) Next(dest []driver.Value) error {
	if r.done {
		return io.EOF
	}
	r.done = true
	dest[0] = r.wait
	return nil
}

func openFake(t *testing.T, f *fakeDB) *sql.DB {
	t.Helper()
	db := sql.OpenDB(f)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

func TestSQL_OnePreparedStatement(t *testing.T) {
	cases := map[string]struct {
		dialect sharedlimit.Dialect
		db      *fakeDB // if the turn is too far away
		words   string  // of the dialect
	}{
		"Postgres": {sharedlimit.Postgres, &fakeDB{noRows: true}, "ON CONFLICT"},
		"MySQL":    {sharedlimit.MySQL, &fakeDB{wait: 1_000_001}, "ON DUPLICATE KEY"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			db := &fakeDB{wait: 1500}
			turns := sharedlimit.SQL(openFake(t, db), c.dialect, "account")
			for range 3 {
				wait, ok, err := turns.Take(t.Context(), 2, 10*time.Millisecond, time.Second)
				require.NoError(t, err)
				assert.True(t, ok)
				assert.Equal(t, 1500*time.Microsecond, wait)
			}
			require.Len(t, db.prepared, 1)
			assert.Contains(t, db.prepared[0], c.words)
			assert.Equal(t, "account", db.args[0])
			assert.Contains(t, db.args, int64(20_000), "2 turns of 10 ms")

			_, ok, err := sharedlimit.SQL(openFake(t, c.db), c.dialect, "account").Take(t.Context(), 1, time.Millisecond, time.Second)
			require.NoError(t, err)
			assert.False(t, ok)

			db.err = errEngine
			_, ok, err = turns.Take(t.Context(), 1, time.Millisecond, time.Second)
			require.ErrorIs(t, err, errEngine)
			assert.False(t, ok)
		})
	}
}

func TestSQL_StatementIsPreparedLater(t *testing.T) {
	db := &fakeDB{err: errEngine}
	turns := sharedlimit.SQL(openFake(t, db), sharedlimit.MySQL, "account")
	_, _, err := turns.Take(t.Context(), 1, time.Millisecond, time.Second)
	require.ErrorIs(t, err, errEngine)
	db.err = nil
	_, ok, err := turns.Take(t.Context(), 1, time.Millisecond, time.Second)
	require.NoError(t, err)
	assert.True(t, ok)
}

func TestRedis_OneCallOfEval(t *testing.T) {
	var answer any
	var failure error
	calls := 0
	turns := sharedlimit.Redis(func(_ context.Context, script string, keys []string, args ...any) (any, error) {
		calls++
		assert.Contains(t, script, "redis.call('TIME')")
		assert.Equal(t, []string{"key"}, keys)
		assert.Equal(t, []any{int64(20_000), int64(1_000_000), int64(1_160_000)}, args)
		return answer, failure
	}, "key")
	cases := map[string]struct {
		answer  any
		failure error
		want    time.Duration
		ok      bool
	}{
		"free":           {answer: int64(0), ok: true},
		"later":          {answer: int64(1_000_000), want: time.Second, ok: true},
		"too far away":   {answer: int64(1_000_001)},
		"not an integer": {answer: "0"},
		"nil":            {},
		"error":          {failure: errEngine},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			calls, answer, failure = 0, c.answer, c.failure
			wait, ok, err := turns.Take(t.Context(), 2, 10*time.Millisecond, time.Second)
			assert.Equal(t, c.ok, ok)
			assert.Equal(t, c.want, wait)
			_, isInteger := c.answer.(int64)
			assert.Equal(t, isInteger, err == nil)
			assert.Equal(t, c.failure != nil, errors.Is(err, errEngine))
			assert.Equal(t, 1, calls)
		})
	}
}

func TestTurns_InvalidArguments(t *testing.T) {
	db := openFake(t, new(fakeDB))
	eval := func(context.Context, string, []string, ...any) (any, error) { return int64(0), nil }
	cases := map[string]struct {
		turns sharedlimit.Turns
		want  string // in the error
	}{
		"no db":        {sharedlimit.SQL(nil, sharedlimit.Postgres, "account"), "db"},
		"no dialect":   {sharedlimit.SQL(db, 0, "account"), "dialect 0"},
		"no account":   {sharedlimit.SQL(db, sharedlimit.MySQL, ""), "account"},
		"long account": {sharedlimit.SQL(db, sharedlimit.MySQL, strings.Repeat("a", 101)), "101"},
		"no eval":      {sharedlimit.Redis(nil, "key"), "eval"},
		"no key":       {sharedlimit.Redis(eval, ""), "key"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			_, ok, err := c.turns.Take(t.Context(), 1, time.Millisecond, time.Second)
			require.ErrorContains(t, err, c.want)
			assert.False(t, ok)
			limiter := &sharedlimit.Limiter{Turns: c.turns, Processes: 2}
			require.ErrorContains(t, limiter.Wait(t.Context()), c.want, "it is no outage")
		})
	}
	for _, turns := range []sharedlimit.Turns{sharedlimit.Redis(eval, "key"), sharedlimit.SQL(db, sharedlimit.Postgres, "account")} {
		for _, n := range []int{0, 17} {
			_, _, err := turns.Take(t.Context(), n, time.Millisecond, time.Second)
			require.Error(t, err)
		}
		_, _, err := turns.Take(t.Context(), 1, 0, time.Second)
		require.Error(t, err)
		_, _, err = turns.Take(t.Context(), 1, time.Second, -1)
		require.Error(t, err)
	}
}

func TestTurns_LargestArguments(t *testing.T) {
	turns := sharedlimit.SQL(openFake(t, new(fakeDB)), sharedlimit.Postgres, strings.Repeat("a", 100))
	_, ok, err := turns.Take(t.Context(), 16, time.Second, time.Hour)
	require.NoError(t, err)
	assert.True(t, ok)
}

func TestTurns_ShortestIntervalIsAMicrosecond(t *testing.T) {
	eval := func(context.Context, string, []string, ...any) (any, error) { return int64(0), nil }
	db := openFake(t, new(fakeDB))
	for _, turns := range []sharedlimit.Turns{sharedlimit.Redis(eval, "key"), sharedlimit.SQL(db, sharedlimit.Postgres, "account")} {
		_, ok, err := turns.Take(t.Context(), 1, time.Microsecond, 0)
		require.NoError(t, err)
		assert.True(t, ok)
		_, _, err = turns.Take(t.Context(), 1, time.Microsecond-1, 0)
		require.ErrorContains(t, err, "interval 999ns")
	}
}

func TestDialect_Schema(t *testing.T) {
	for _, dialect := range []sharedlimit.Dialect{sharedlimit.Postgres, sharedlimit.MySQL} {
		assert.Contains(t, dialect.Schema(), "TABLE IF NOT EXISTS cdncsr_turns")
	}
	assert.Empty(t, sharedlimit.Dialect(0).Schema())
}
