package stores_test

import (
	"bytes"
	"crypto"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/csr"
	"github.com/cdncsr/cdncsr/csr/sealed"
	"github.com/cdncsr/cdncsr/csr/sqlstore"
	"github.com/cdncsr/cdncsr/internal/engines"
)

// TestSecrecy_PostgreSQL and its siblings: neither a private key nor a ring is
// in a dump of the database, in its files, in its logs of every statement, in
// what the drivers log, or in any error.
func TestSecrecy_PostgreSQL(t *testing.T) {
	engine := engines.Postgres(t, "-c", "log_statement=all", "-c", "log_parameter_max_length=-1",
		"-c", "log_parameter_max_length_on_error=-1", "-c", "log_min_messages=debug1", "-c", "log_error_verbosity=verbose")
	host, port, err := net.SplitHostPort(engine.Addr)
	require.NoError(t, err)
	dump := []string{"pg_dump", "--host=" + host, "--port=" + port, "--username=postgres", "postgres"}
	for _, setup := range postgresSetups {
		t.Run(setup.name, func(t *testing.T) {
			secrecy(t, setup.open(t, engine, engines.Access{}), setup.dialect, dump, engine.Dir, filepath.Dir(engine.Log))
		})
	}
}

func TestSecrecy_MariaDB(t *testing.T) {
	engine := engines.MariaDB(t, "--general-log", "--general-log-file=general.log", "--log-bin", "--server-id=1",
		"--slow-query-log", "--long-query-time=0", "--log-warnings=9")
	host, port, err := net.SplitHostPort(engine.Addr)
	require.NoError(t, err)
	dump := []string{
		"mariadb-dump", "--no-defaults", "--host=" + host, "--port=" + port, "--user=root", "--hex-blob", "test",
	}
	for _, setup := range mysqlSetups {
		t.Run(setup.name, func(t *testing.T) {
			secrecy(t, setup.open(t, engine, engines.Access{}), setup.dialect, dump, engine.Dir, filepath.Dir(engine.Log))
		})
	}
}

func TestSecrecy_SQLite(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "keys.db")
	secrecy(t, open(t, "sqlite", sqliteDSN(file)), sqlstore.SQLite, []string{"sqlite3", file, ".dump"}, dir)
}

func secrecy(t *testing.T, db *sql.DB, dialect sqlstore.Dialect, dump []string, dirs ...string) {
	program := needProgram(t, dump[0])
	table := newTable(t, db, dialect)
	ringKey, otherKey, private := newSecret(), newSecret(), newSecret()
	identity, err := sealed.NewIdentity(private)
	require.NoError(t, err)
	keys, texts := use(t, table, newRing(t, ringKey, otherKey), identity)
	secrets := [][]byte{ringKey, otherKey, private}
	for _, key := range keys {
		secrets = append(secrets, secretOf(t, key))
	}
	out, err := exec.CommandContext(t.Context(), program, dump[1:]...).Output()
	require.NoError(t, err)
	name, err := csr.PubMD5(keys[0].Public())
	require.NoError(t, err)
	require.Contains(t, string(out), name, "the dump has the table")
	blob, err := table.Get(t.Context(), name)
	require.NoError(t, err)
	assert.True(t, newSearch(blob).in(out), "the dump has the sealed key, so it would have any other")

	s := newSearch(secrets...)
	assert.False(t, s.in(out), "in the dump")
	assert.False(t, s.in([]byte(fmt.Sprint(texts))), "in an error: %v", texts)
	assert.False(t, s.in(driverLog.bytes()), "in what a driver logged")
	found, files := s.inFiles(t, dirs...)
	assert.Empty(t, found)
	assert.NotZero(t, files)
	written, _ := newSearch(blob).inFiles(t, dirs...)
	assert.NotEmpty(t, written, "the files have the sealed key")
}

// use puts and gets keys of all kinds in all ways that end well or badly. It
// returns the keys, and the texts of all errors and values that a program may
// log.
func use(t *testing.T, table *sqlstore.Table, aeads ...sealed.AEAD) (keys []crypto.Signer, texts []string) {
	t.Helper()
	var errs []error
	for _, aead := range aeads {
		for _, keyType := range []csr.KeyType{csr.P256, csr.P384, csr.Ed25519, csr.RSA2048} {
			key, err := keyType.NewKey(t.Context())
			require.NoError(t, err)
			name, err := csr.PubMD5(key.Public())
			require.NoError(t, err)
			store := &sealed.Store{Blobs: table, AEAD: aead}
			require.NoError(t, store.Put(t.Context(), name, key))
			keys = append(keys, key)
			texts = append(texts, fmt.Sprintf("%v %+v %#v", store, *store, aead))
			errs = append(errs, fail(t, table, aead, name, key)...)
		}
	}
	for _, err := range errs {
		require.Error(t, err)
		for ; err != nil; err = errors.Unwrap(err) {
			texts = append(texts, err.Error(), fmt.Sprintf("%+v %#v", err, err))
		}
	}
	return keys, texts
}

// fail returns errors of a key that is in table.
func fail(t *testing.T, table *sqlstore.Table, aead sealed.AEAD, name string, key crypto.Signer) []error {
	t.Helper()
	store := &sealed.Store{Blobs: table, AEAD: aead}
	errs := []error{store.Put(t.Context(), name, key), store.Put(t.Context(), newName(), key)}
	_, err := (&sealed.Store{Blobs: table, AEAD: newRing(t, newSecret())}).Get(t.Context(), name)
	errs = append(errs, err)
	missing := *table
	missing.Name = "missing"
	_, err = (&sealed.Store{Blobs: &missing, AEAD: aead}).Get(t.Context(), name)
	errs = append(errs, err, (&sealed.Store{Blobs: &missing, AEAD: aead}).Put(t.Context(), name, key))

	blob, err := table.Get(t.Context(), name)
	require.NoError(t, err)
	moved := newName()
	require.NoError(t, table.Put(t.Context(), moved, blob))
	_, err = store.Get(t.Context(), moved)
	errs = append(errs, err)
	flipped, changed := newName(), bytes.Clone(blob)
	changed[len(changed)/2] ^= 1
	require.NoError(t, table.Put(t.Context(), flipped, changed))
	_, err = store.Get(t.Context(), flipped)
	return append(errs, err)
}

// needProgram returns the path of a program. Without it the test is skipped, or
// fails if the environment has CI=true.
func needProgram(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err == nil {
		return path
	}
	if os.Getenv("CI") == "true" {
		t.Fatal(err)
	}
	t.Skip(err)
	return ""
}
