package stores_test

import (
	"errors"
	"io/fs"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/csr/sqlstore"
	"github.com/cdncsr/cdncsr/internal/engines"
)

func TestCut_PostgreSQL(t *testing.T) {
	t.Parallel()
	engine := engines.Postgres(t)
	for _, setup := range postgresSetups {
		t.Run(setup.name, func(t *testing.T) { cuts(t, engine, setup) })
	}
}

func TestCut_MariaDB(t *testing.T) {
	t.Parallel()
	engine := engines.MariaDB(t)
	for _, setup := range mysqlSetups[:2] {
		t.Run(setup.name, func(t *testing.T) { cuts(t, engine, setup) })
	}
}

// cuts shows that what Put says is what the table has, wherever the connection
// is cut.
func cuts(t *testing.T, engine *engines.Engine, setup setup) {
	direct := newTable(t, setup.open(t, engine, engines.Access{}), setup.dialect)
	n := count(t, "CDNCSR_CUTS", 30)
	for name, at := range places {
		var kept atomic.Int32
		var group sync.WaitGroup
		for cutter := range cutters {
			proxy := newProxy(t, engine.Addr)
			table := *direct
			table.DB = setup.open(t, engine, engines.Access{Addr: proxy.addr()})
			group.Go(func() {
				for i := cutter; i < n; i += cutters {
					if putAndCut(t, proxy, &table, direct, at) {
						kept.Add(1)
					}
				}
			})
		}
		group.Wait()
		t.Logf("%s: %d of %d were kept", name, kept.Load(), n)
		if at == atTheAnswer {
			assert.EqualValues(t, n, kept.Load())
		}
	}
}

// cutters is the number of those who put and cut at once, since Put waits
// before it gives up.
const cutters = 10

// putAndCut puts a blob while the connection is cut, and reports whether Put
// says that it is there. Many goroutines may call it.
func putAndCut(t *testing.T, proxy *proxy, table, direct *sqlstore.Table, at place) bool {
	name, blob := newName(), newSecret()
	proxy.cut(name, at)
	err := table.Put(t.Context(), name, blob)
	assert.True(t, proxy.hasCut())
	assert.NotErrorIs(t, err, fs.ErrExist, "it is its own row")
	got, getErr := direct.Get(t.Context(), name)
	switch {
	case err == nil:
		assert.NoError(t, getErr, "Put said that it is there")
		assert.Equal(t, blob, got)
	case at == afterItIsSent && getErr == nil: // the case that stays open: the engine was slower than Put
		assert.Equal(t, blob, got)
	default:
		assert.ErrorIs(t, getErr, fs.ErrNotExist, "Put said that it is not there: %v", err)
	}
	again := table.Put(t.Context(), name, blob)
	if err == nil || getErr == nil {
		assert.ErrorIs(t, again, fs.ErrExist)
	} else if !errors.Is(again, fs.ErrExist) || at != afterItIsSent {
		assert.NoError(t, again, "the name is free")
	}
	return err == nil
}

// TestCut_PlainInsertDoesNotKnow: without the token, an INSERT through the same
// proxy reports an error for a row that is there.
func TestCut_PlainInsertDoesNotKnow(t *testing.T) {
	t.Parallel()
	engine := engines.Postgres(t)
	for _, setup := range []setup{pgx, pq} {
		direct := newTable(t, setup.open(t, engine, engines.Access{}), setup.dialect)
		proxy := newProxy(t, engine.Addr)
		db := setup.open(t, engine, engines.Access{Addr: proxy.addr()})
		name := newName()
		proxy.cut(name, atTheAnswer)
		_, err := db.ExecContext(t.Context(), "INSERT INTO "+direct.Name+" (name, value, token) VALUES ($1, $2, $3)",
			name, []byte("value"), newSecret())
		require.True(t, proxy.hasCut())
		assert.Error(t, err, setup.name)
		_, err = direct.Get(t.Context(), name)
		assert.NoError(t, err, setup.name)
		require.NoError(t, db.Close())
	}
}
