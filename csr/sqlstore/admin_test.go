package sqlstore_test

import (
	"database/sql/driver"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/csr/sqlstore"
)

var errDenied = errors.New("permission denied")

// TestCreate_IsContentWithATable: that the table is there counts, and not what
// CREATE TABLE said.
func TestCreate_IsContentWithATable(t *testing.T) {
	for what, test := range map[string]struct {
		create, probe, want error
	}{
		"made":                        {nil, nil, nil},
		"another made it, or may not": {errDenied, nil, nil},
		"failed":                      {errDenied, errGone, errDenied},
		"another table of that name":  {nil, errGone, errGone},
	} {
		table, fake := newTable(t)
		fake.answers = map[string]answer{"CREATE": {err: test.create}, "SELECT name, value, token": {err: test.probe}}
		assert.ErrorIs(t, table.Create(t.Context()), test.want, what)
	}
}

func TestCheck_NamesEverySetting(t *testing.T) {
	table, fake := newTable(t)
	require.NoError(t, table.Check(t.Context()))

	fake.answers = map[string]answer{"SELECT 'innodb": {rows: [][]driver.Value{
		{"innodb_flush_log_at_trx_commit", "2", "1"}, {"sync_binlog", []byte("1000"), "1"},
	}}}
	err := table.Check(t.Context())
	require.Error(t, err)
	assert.ErrorContains(t, err, "innodb_flush_log_at_trx_commit is 2, want 1; sync_binlog is 1000, want 1")

	fake.answers = map[string]answer{"SELECT 'innodb": {err: errDenied}}
	assert.ErrorIs(t, table.Check(t.Context()), errDenied, "what can't be checked is not taken for good")
	fake.answers = map[string]answer{"SELECT name, value, token": {err: errGone}}
	assert.ErrorIs(t, table.Check(t.Context()), errGone, "no table")
	fake.answers = map[string]answer{"SELECT 'innodb": {rowErr: errGone}}
	assert.ErrorIs(t, table.Check(t.Context()), errGone, "in the middle of the answer")
	fake.answers = map[string]answer{"SELECT 'innodb": {rows: [][]driver.Value{{"one column"}}}}
	assert.Error(t, table.Check(t.Context()))
}

func TestSchema_HasTheName(t *testing.T) {
	for what, dialect := range map[string]sqlstore.Dialect{
		"Postgres": sqlstore.Postgres, "MySQL": sqlstore.MySQL, "SQLite": sqlstore.SQLite,
	} {
		assert.Contains(t, dialect.Schema(""), "CREATE TABLE IF NOT EXISTS cdncsr_keys (", what)
		assert.Contains(t, dialect.Schema("cdn.Keys_2"), "CREATE TABLE IF NOT EXISTS cdn.Keys_2 (", what)
		assert.Panics(t, func() { dialect.Schema("keys; DROP TABLE x") }, what)
		for _, text := range []string{dialect.Insert, dialect.Select, dialect.Update, dialect.Create, dialect.Check} {
			assert.NotEmpty(t, text, what)
		}
	}
}
