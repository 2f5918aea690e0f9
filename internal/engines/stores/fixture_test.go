package stores_test

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	mysqldriver "github.com/go-sql-driver/mysql"
	_ "github.com/lib/pq"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	_ "modernc.org/sqlite"

	"github.com/cdncsr/cdncsr/csr"
	"github.com/cdncsr/cdncsr/csr/sealed"
	"github.com/cdncsr/cdncsr/csr/sqlstore"
	"github.com/cdncsr/cdncsr/internal/engines"
)

// TestMain runs the tests, or what a child process of one of them is to do, and
// fails if a goroutine is left.
func TestMain(m *testing.M) {
	_ = mysqldriver.SetLogger(&driverLog) // fails for nil only
	if os.Getenv(childEnv) != "" {
		os.Exit(runChild())
	}
	goleak.VerifyTestMain(m)
}

// driverLog has what drivers log.
var driverLog textLog

// A textLog is a logger of go-sql-driver.
type textLog struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *textLog) Print(v ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	fmt.Fprintln(&l.text, v...)
}

func (l *textLog) bytes() []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	return bytes.Clone(l.text.Bytes())
}

// A setup is a way to reach a kind of database.
type setup struct {
	name    string
	driver  string // of database/sql
	params  string // of the driver
	dialect sqlstore.Dialect
}

var (
	pgx   = setup{"pgx", "pgx", "", sqlstore.Postgres}
	pq    = setup{"pq", "postgres", "", sqlstore.Postgres}
	mysql = setup{"go-sql-driver", "mysql", "", sqlstore.MySQL}

	postgresSetups = []setup{
		pgx,
		{"pgx, simple protocol", "pgx", "default_query_exec_mode=simple_protocol", sqlstore.Postgres},
		{"pgx, exec", "pgx", "default_query_exec_mode=exec", sqlstore.Postgres},
		pq,
		{"pq, binary parameters", "postgres", "binary_parameters=yes", sqlstore.Postgres},
	}
	mysqlSetups = []setup{
		mysql,
		{"go-sql-driver, interpolated", "mysql", "interpolateParams=true", sqlstore.MySQL},
		{"go-sql-driver, found rows", "mysql", "clientFoundRows=true", sqlstore.MySQL},
		{"go-sql-driver, no strict mode", "mysql", "sql_mode=%27%27", sqlstore.MySQL},
	}
)

// open opens a database until the test ends.
func open(t testing.TB, driver, dsn string) *sql.DB {
	t.Helper()
	db, err := sql.Open(driver, dsn)
	require.NoError(t, err)
	db.SetMaxOpenConns(20)
	t.Cleanup(func() { _ = db.Close() }) // the engine may have gone
	return db
}

// open opens the engine's database by this setup, as access says.
func (s setup) open(t testing.TB, engine *engines.Engine, access engines.Access) *sql.DB {
	t.Helper()
	access.Params = strings.Trim(access.Params+"&"+s.params, "&")
	return open(t, s.driver, engine.DSN(access))
}

// sqliteDSN returns the data source name of a database file with what the
// documentation of sqlstore.SQLite asks for.
func sqliteDSN(file string) string {
	return "file:" + file + "?_pragma=busy_timeout(20000)&_pragma=journal_mode(wal)&_pragma=synchronous(full)"
}

func openSQLite(t testing.TB) *sql.DB {
	t.Helper()
	return open(t, "sqlite", sqliteDSN(filepath.Join(t.TempDir(), "keys.db")))
}

var tables atomic.Int32

// newTable makes a table of a new name.
func newTable(t testing.TB, db *sql.DB, dialect sqlstore.Dialect) *sqlstore.Table {
	t.Helper()
	table := &sqlstore.Table{DB: db, Dialect: dialect, Name: fmt.Sprintf("keys_%d", tables.Add(1))}
	require.NoError(t, table.Create(t.Context()))
	return table
}

func newSecret() []byte {
	secret := make([]byte, 32)
	_, _ = rand.Read(secret) // never fails
	return secret
}

func newRing(t testing.TB, first []byte, others ...[]byte) *sealed.Keyring {
	t.Helper()
	ring, err := sealed.NewKeyring(first, others...)
	require.NoError(t, err)
	return ring
}

// newKey returns a P-256 key and its name.
func newKey(t testing.TB) (name string, key crypto.Signer) {
	t.Helper()
	key, err := csr.P256.NewKey(t.Context())
	require.NoError(t, err)
	name, err = csr.PubMD5(key.Public())
	require.NoError(t, err)
	return name, key
}

// newName returns a random PubMd5.
func newName() string { return fmt.Sprintf("%x", newSecret()[:16]) }

// run executes a statement.
func run(t testing.TB, db *sql.DB, statement string, args ...any) {
	t.Helper()
	_, err := db.ExecContext(t.Context(), statement, args...)
	require.NoError(t, err, statement)
}

// count returns how often to do something: few times, or as many as the
// environment says.
func count(t testing.TB, variable string, few int) int {
	t.Helper()
	value := os.Getenv(variable)
	if value == "" {
		return few
	}
	n, err := strconv.Atoi(value)
	require.NoError(t, err, variable)
	require.Positive(t, n, variable)
	return n
}
