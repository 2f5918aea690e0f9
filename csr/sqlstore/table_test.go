package sqlstore_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"database/sql/driver"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/csr"
	"github.com/cdncsr/cdncsr/csr/csrtest"
	"github.com/cdncsr/cdncsr/csr/sealed"
	"github.com/cdncsr/cdncsr/csr/sqlstore"
)

func TestTable_IsABlobStore(t *testing.T) {
	csrtest.TestBlobStore(t, func(t *testing.T) sealed.BlobStore {
		table, _ := newTable(t)
		return table
	})
}

func TestTable_IsAKeyStoreBelowSealed(t *testing.T) {
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails
	ring, err := sealed.NewKeyring(key)
	require.NoError(t, err)
	csrtest.TestKeyStore(t, func(t *testing.T) csr.KeyStore {
		table, _ := newTable(t)
		return &sealed.Store{Blobs: table, AEAD: ring}
	})
}

// once returns a fault that occurs once.
func once(err error) func(context.Context) error {
	return func(context.Context) error {
		now := err
		err = nil
		return now
	}
}

func always(err error) func(context.Context) error {
	return func(context.Context) error { return err }
}

var (
	errCut  = errors.New("the connection was cut")
	errGone = errors.New("no route to the database")
)

var putFaults = map[string]struct {
	fault    func(f *fakeDB)
	want     error // nil: the row is there
	wantKept bool
}{
	"no fault": {func(*fakeDB) {}, nil, true},
	"refused":  {func(f *fakeDB) { f.beforeWrite = always(errCut) }, errCut, false},
	"answer lost": {
		func(f *fakeDB) { f.afterWrite = always(errCut) }, nil, true,
	},
	"answer lost, and the driver lets database/sql try again": { // lib/pq
		func(f *fakeDB) { f.afterWrite = once(driver.ErrBadConn) }, nil, true,
	},
	"connection was broken before": {
		func(f *fakeDB) { f.beforeWrite = once(driver.ErrBadConn) }, nil, true,
	},
	"answer lost, and two connections for reading broken": {
		func(f *fakeDB) {
			f.afterWrite = always(errCut)
			reads := 0
			f.beforeRead = func(context.Context) error {
				if reads++; reads < 3 {
					return errCut
				}
				return nil
			}
		}, nil, true,
	},
	"answer lost, and the database gone": {
		func(f *fakeDB) { f.afterWrite, f.beforeRead = always(errCut), always(errGone) }, errGone, true,
	},
	"answer lost, and the row appears late": {
		func(f *fakeDB) {
			f.afterWrite = always(errCut)
			reads := 0
			f.beforeRead = func(context.Context) error {
				reads++
				f.replica = reads < 3
				return nil
			}
		}, nil, true,
	},
	"answer lost, and the statement runs on for a while": {
		func(f *fakeDB) {
			var sent time.Time
			f.afterWrite = func(context.Context) error {
				sent = time.Now()
				return errCut
			}
			f.beforeRead = func(context.Context) error {
				f.replica = time.Since(sent) < 240*time.Millisecond // reads come at 0, 50 and 250 ms
				return nil
			}
		}, nil, true,
	},
	"database gone after its answer": {
		func(f *fakeDB) { f.beforeRead = always(errGone) }, errGone, true,
	},
	"database gone": {
		func(f *fakeDB) { f.beforeWrite, f.beforeRead = always(errGone), always(errGone) }, errGone, false,
	},
}

// TestPut_SaysWhatTheTableHas: whatever the driver says, Put returns nil if and
// only if the table has the row that it wrote.
func TestPut_SaysWhatTheTableHas(t *testing.T) {
	for what, test := range putFaults {
		bubble(t, what, func(t *testing.T) {
			table, fake := newTable(t)
			test.fault(fake)
			err := table.Put(t.Context(), name(1), []byte("value"))
			assert.ErrorIs(t, err, test.want)
			assert.NotErrorIs(t, err, fs.ErrExist)
			assert.NotContains(t, fmt.Sprint(err), "%!")
			row, kept := fake.rows[name(1)]
			assert.Equal(t, test.wantKept, kept)
			if kept {
				assert.Equal(t, "value", string(row.value))
				assert.Len(t, row.token, 16)
			}
		})
	}
}

// bubble runs a subtest in virtual time: reading back waits.
func bubble(t *testing.T, name string, f func(t *testing.T)) {
	t.Helper()
	t.Run(name, func(t *testing.T) { synctest.Test(t, f) })
}

func TestPut_NeverReplaces(t *testing.T) {
	for what, fault := range map[string]func(f *fakeDB){
		"no fault":    func(*fakeDB) {},
		"answer lost": func(f *fakeDB) { f.beforeWrite = always(errGone) },
	} {
		table, fake := newTable(t)
		require.NoError(t, table.Put(t.Context(), name(1), []byte("value")))
		before := fake.rows[name(1)]
		fault(fake)
		assert.ErrorIs(t, table.Put(t.Context(), name(1), []byte("value")), fs.ErrExist, what)
		assert.ErrorIs(t, table.Put(t.Context(), name(1), []byte("another")), fs.ErrExist, what)
		assert.Equal(t, before, fake.rows[name(1)], what)
	}
}

// TestPut_ContextEndsMeanwhile: a driver returns the context's error, whether
// the row is there or not.
func TestPut_ContextEndsMeanwhile(t *testing.T) {
	for _, written := range []bool{false, true} {
		bubble(t, fmt.Sprintf("written=%t", written), func(t *testing.T) {
			table, fake := newTable(t)
			ctx, cancel := context.WithCancel(t.Context())
			end := func(ctx context.Context) error {
				cancel()
				<-ctx.Done()
				return ctx.Err()
			}
			if written {
				fake.afterWrite = end
			} else {
				fake.beforeWrite = end
			}
			err := table.Put(ctx, name(1), []byte("value"))
			if written {
				assert.NoError(t, err, "the row is there")
			} else {
				assert.ErrorIs(t, err, context.Canceled)
			}
		})
	}
}

// TestPut_ReadingBackHasALimit: a database that hangs does not hang Put for
// longer than the caller's context and a few seconds.
func TestPut_ReadingBackHasALimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		table, fake := newTable(t)
		ctx, cancel := context.WithCancel(t.Context())
		fake.beforeWrite = func(ctx context.Context) error { cancel(); <-ctx.Done(); return ctx.Err() }
		fake.beforeRead = func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
		start := time.Now() // in virtual time
		err := table.Put(ctx, name(1), []byte("value"))
		assert.ErrorIs(t, err, context.Canceled)
		assert.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Equal(t, 5*time.Second, time.Since(start))
	})
}

func TestPut_EndedContextSendsNothing(t *testing.T) {
	table, fake := newTable(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	assert.ErrorIs(t, table.Put(ctx, name(1), []byte("value")), context.Canceled)
	_, err := table.Get(ctx, name(1))
	assert.ErrorIs(t, err, context.Canceled)
	assert.Empty(t, fake.statements)
}

func TestPut_RefusesATruncatedValue(t *testing.T) {
	table, fake := newTable(t)
	fake.column = 16 // as MySQL does without a strict sql_mode
	err := table.Put(t.Context(), name(1), make([]byte, 20))
	require.Error(t, err)
	assert.NotErrorIs(t, err, fs.ErrExist)
	assert.NoError(t, table.Put(t.Context(), name(2), make([]byte, 16)))
}

func TestPut_RefusesAReplica(t *testing.T) {
	table, fake := newTable(t)
	fake.replica = true
	err := table.Put(t.Context(), name(1), []byte("value"))
	require.Error(t, err)
	assert.NotErrorIs(t, err, fs.ErrNotExist)
	assert.NotErrorIs(t, err, fs.ErrExist)
}

// TestTable_NoSocketIsNoMissingKey: the error of a database behind a Unix socket
// that is not there matches fs.ErrNotExist, and must not say that of a key.
func TestTable_NoSocketIsNoMissingKey(t *testing.T) {
	noSocket := &net.OpError{Op: "dial", Net: "unix", Err: os.NewSyscallError("connect", syscall.ENOENT)}
	require.ErrorIs(t, noSocket, fs.ErrNotExist)
	bubble(t, "no socket", func(t *testing.T) {
		table, fake := newTable(t)
		require.NoError(t, table.Put(t.Context(), name(1), []byte("value")))
		fake.beforeWrite, fake.beforeRead = always(noSocket), always(noSocket)
		_, getErr := table.Get(t.Context(), name(1))
		putErr := table.Put(t.Context(), name(2), []byte("value"))
		_, swapErr := table.Swap(t.Context(), name(1), []byte("value"), []byte("another"))
		for _, err := range []error{getErr, putErr, swapErr} {
			require.Error(t, err)
			assert.NotErrorIs(t, err, fs.ErrNotExist)
			assert.ErrorContains(t, err, "dial unix")
		}
	})
	bubble(t, "an error that matches fs.ErrExist", func(t *testing.T) {
		table, fake := newTable(t)
		fake.beforeWrite = always(os.NewSyscallError("write", syscall.EEXIST))
		err := table.Put(t.Context(), name(1), []byte("value"))
		require.Error(t, err)
		assert.NotErrorIs(t, err, fs.ErrExist, "the table has no such row")
	})
}

func TestTable_ErrorsNameTheTable(t *testing.T) {
	for tableName, want := range map[string]string{"": "in cdncsr_keys: ", "issuing.keys": "in issuing.keys: "} {
		table, _ := newTable(t)
		table.Name = tableName
		_, getErr := table.Get(t.Context(), name(1))
		putErr := table.Put(t.Context(), name(1), nil)
		_, swapErr := table.Swap(t.Context(), name(1), []byte("old"), nil)
		for _, err := range []error{getErr, putErr, swapErr} {
			assert.ErrorContains(t, err, name(1)+`" `+want)
		}
	}
}

// TestPut_StatementsAndGrants: INSERT and SELECT are all that Put and Get need.
func TestPut_StatementsAndGrants(t *testing.T) {
	table, fake := newTable(t)
	require.NoError(t, table.Put(t.Context(), name(1), []byte("value")))
	_, err := table.Get(t.Context(), name(1))
	require.NoError(t, err)
	require.Len(t, fake.statements, 3)
	assert.Regexp(t, "^INSERT INTO cdncsr_keys ", fake.statements[0])
	for _, statement := range fake.statements[1:] {
		assert.Regexp(t, "^/[*]FORCE_MASTER[*]/ SELECT .* FROM cdncsr_keys ", statement)
	}
}

func TestPut_NewTokenEachTime(t *testing.T) {
	table, fake := newTable(t)
	require.NoError(t, table.Put(t.Context(), name(1), []byte("value")))
	require.NoError(t, table.Put(t.Context(), name(2), []byte("value")))
	assert.NotEqual(t, fake.rows[name(1)].token, fake.rows[name(2)].token)
}

func TestTable_WrongInput(t *testing.T) {
	table, fake := newTable(t)
	for what, test := range map[string]struct {
		name string
		blob []byte
	}{
		"empty name":      {"", []byte("value")},
		"short name":      {name(1)[:31], []byte("value")},
		"upper case":      {strings.Repeat("A", 32), []byte("value")},
		"SQL":             {"' OR '1'='1' UNION SELECT 1, 2 --", []byte("value")},
		"no blob":         {name(1), nil},
		"65,536 bytes":    {name(1), make([]byte, 1<<16)},
		"name with a NUL": {name(1)[:31] + "\x00", []byte("value")},
	} {
		assert.Error(t, table.Put(t.Context(), test.name, test.blob), what)
		_, err := table.Swap(t.Context(), test.name, []byte("old"), test.blob)
		assert.Error(t, err, what)
		if test.name != name(1) {
			_, err := table.Get(t.Context(), test.name)
			assert.ErrorIs(t, err, fs.ErrNotExist, what)
		}
	}
	assert.Empty(t, fake.statements)
	assert.NoError(t, table.Put(t.Context(), name(1), bytes.Repeat([]byte{1}, 1<<16-1)))
}

func TestTable_RequiresItsFields(t *testing.T) {
	good, _ := newTable(t)
	for what, table := range map[string]*sqlstore.Table{
		"nil":                nil,
		"zero value":         {},
		"no DB":              {Dialect: sqlstore.Postgres},
		"no Dialect":         {DB: good.DB},
		"name with a quote":  {DB: good.DB, Dialect: sqlstore.MySQL, Name: "keys'; DROP TABLE x"},
		"name with a space":  {DB: good.DB, Dialect: sqlstore.MySQL, Name: "my keys"},
		"name of two dots":   {DB: good.DB, Dialect: sqlstore.MySQL, Name: "a.b.c"},
		"empty schema":       {DB: good.DB, Dialect: sqlstore.MySQL, Name: ".keys"},
		"empty table":        {DB: good.DB, Dialect: sqlstore.MySQL, Name: "db."},
		"begins with digit":  {DB: good.DB, Dialect: sqlstore.MySQL, Name: "1keys"},
		"not ASCII":          {DB: good.DB, Dialect: sqlstore.MySQL, Name: "schlüssel"},
		"64 letters":         {DB: good.DB, Dialect: sqlstore.MySQL, Name: strings.Repeat("k", 64)},
		"a {table} itself":   {DB: good.DB, Dialect: sqlstore.MySQL, Name: "{table}"},
		"a line end at last": {DB: good.DB, Dialect: sqlstore.MySQL, Name: "keys\n"},
	} {
		assert.Error(t, table.Put(t.Context(), name(1), []byte("value")), what)
		_, err := table.Get(t.Context(), name(1))
		require.Error(t, err, what)
		assert.NotErrorIs(t, err, fs.ErrNotExist, what)
		_, err = table.Swap(t.Context(), name(1), []byte("old"), []byte("value"))
		assert.Error(t, err, what)
		assert.Error(t, table.Create(t.Context()), what)
		assert.Error(t, table.Check(t.Context()), what)
	}
}

func TestTable_LongestName(t *testing.T) {
	table, fake := newTable(t)
	longest := strings.Repeat("k", 63)
	for _, table.Name = range []string{longest, longest + "." + longest} {
		require.NoError(t, table.Create(t.Context()))
		assert.Contains(t, fake.statements[len(fake.statements)-1], " "+table.Name+" ")
	}
}

func TestSwap_SaysWhatTheTableHas(t *testing.T) {
	for what, test := range map[string]struct {
		fault       func(f *fakeDB)
		old         string
		wantSwapped bool
		wantErr     error
		want        string
	}{
		"swapped":              {func(*fakeDB) {}, "old", true, nil, "new"},
		"changed before":       {func(*fakeDB) {}, "older", false, nil, "old"},
		"refused":              {func(f *fakeDB) { f.beforeWrite = always(errGone) }, "old", false, errGone, "old"},
		"answer lost":          {func(f *fakeDB) { f.afterWrite = always(errGone) }, "old", true, nil, "new"},
		"executed twice":       {func(f *fakeDB) { f.afterWrite = once(driver.ErrBadConn) }, "old", true, nil, "new"},
		"gone":                 {func(f *fakeDB) { f.beforeRead = always(errGone) }, "old", false, errGone, "new"},
		"changed, answer lost": {func(f *fakeDB) { f.afterWrite = always(errGone) }, "older", false, errGone, "old"},
	} {
		bubble(t, what, func(t *testing.T) {
			table, fake := newTable(t)
			require.NoError(t, table.Put(t.Context(), name(1), []byte("old")))
			test.fault(fake)
			swapped, err := table.Swap(t.Context(), name(1), []byte(test.old), []byte("new"))
			assert.ErrorIs(t, err, test.wantErr)
			assert.Equal(t, test.wantSwapped, swapped)
			assert.Equal(t, test.want, string(fake.rows[name(1)].value))
		})
	}
	table, _ := newTable(t)
	_, err := table.Swap(t.Context(), name(1), []byte("old"), []byte("new"))
	assert.ErrorIs(t, err, fs.ErrNotExist)
}

func TestSwap_RefusesATruncatedValue(t *testing.T) {
	table, fake := newTable(t)
	require.NoError(t, table.Put(t.Context(), name(1), []byte("old")))
	fake.column = 16
	swapped, err := table.Swap(t.Context(), name(1), []byte("old"), make([]byte, 20))
	assert.Error(t, err)
	assert.False(t, swapped)
}
