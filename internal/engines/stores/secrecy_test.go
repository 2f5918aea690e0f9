package stores_test

import (
	"bytes"
	"crypto"
	"database/sql"
	"errors"
	"fmt"
	"net"
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
	t.Parallel()
	engine := engines.Postgres(t, "-c", "log_statement=all", "-c", "log_parameter_max_length=-1",
		"-c", "log_parameter_max_length_on_error=-1", "-c", "log_min_messages=debug1", "-c", "log_error_verbosity=verbose")
	host, port, err := net.SplitHostPort(engine.Addr)
	require.NoError(t, err)
	dump := []string{engine.Program("pg_dump"), "--host=" + host, "--port=" + port, "--username=postgres", "postgres"}
	secrecy(t, openAll(t, engine, postgresSetups), sqlstore.Postgres, dump, engine.Dir, filepath.Dir(engine.Log))
}

func TestSecrecy_MariaDB(t *testing.T) {
	t.Parallel()
	engine := engines.MariaDB(t, "--general-log", "--general-log-file=general.log", "--log-bin", "--server-id=1",
		"--slow-query-log", "--long-query-time=0", "--log-warnings=9")
	host, port, err := net.SplitHostPort(engine.Addr)
	require.NoError(t, err)
	dump := []string{
		engine.Program("mariadb-dump"), "--no-defaults", "--host=" + host, "--port=" + port, "--user=root", "--hex-blob", "test",
	}
	secrecy(t, openAll(t, engine, mysqlSetups), sqlstore.MySQL, dump, engine.Dir, filepath.Dir(engine.Log))
}

func TestSecrecy_SQLite(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "keys.db")
	dump := []string{engines.Program(t, "sqlite3"), file, ".dump"}
	secrecy(t, map[string]*sql.DB{"SQLite": open(t, "sqlite", sqliteDSN(file))}, sqlstore.SQLite, dump, dir)
}

// openAll opens the engine's database by each of the setups.
func openAll(t *testing.T, engine *engines.Engine, setups []setup) map[string]*sql.DB {
	t.Helper()
	dbs := make(map[string]*sql.DB)
	for _, setup := range setups {
		dbs[setup.name] = setup.open(t, engine, engines.Access{})
	}
	return dbs
}

// secrecy uses a table through each of dbs, and then looks for what must be
// secret in the output of the command dump and in the files below dirs.
func secrecy(t *testing.T, dbs map[string]*sql.DB, dialect sqlstore.Dialect, dump []string, dirs ...string) {
	var secrets, blobs [][]byte
	var texts, names []string
	for setup, db := range dbs {
		t.Run(setup, func(t *testing.T) {
			u := useTable(t, newTable(t, db, dialect))
			secrets, texts = append(secrets, u.secrets...), append(texts, u.texts...)
			names, blobs = append(names, u.name), append(blobs, u.blob)
		})
	}
	require.Len(t, blobs, len(dbs))
	out, err := exec.CommandContext(t.Context(), dump[0], dump[1:]...).Output()
	require.NoError(t, err)
	for i, blob := range blobs {
		require.True(t, bytes.Contains(out, []byte(names[i])), "the dump has not the table")
		assert.True(t, newSearch(blob).in(out), "the dump has not the sealed key, so it might lack any other")
	}

	s := newSearch(secrets...)
	assert.False(t, s.in(out), "in the dump")
	for _, text := range texts {
		assert.False(t, s.in([]byte(text)), "in an error: %.300s", text)
	}
	assert.False(t, s.in(driverLog.bytes()), "in what a driver logged")
	found, files := s.inFiles(t, dirs...)
	assert.Empty(t, found)
	assert.NotZero(t, files)
	written, _ := newSearch(blobs...).inFiles(t, dirs...)
	assert.NotEmpty(t, written, "the files have not the sealed keys")
}

// A usage is what came of using a table.
type usage struct {
	secrets [][]byte
	texts   []string // of all errors and values that a program may log
	name    string   // of one of the keys
	blob    []byte   // the same key, sealed
}

// useTable puts keys that a ring and an identity seal.
func useTable(t *testing.T, table *sqlstore.Table) usage {
	t.Helper()
	ringKey, otherKey, private := newSecret(), newSecret(), newSecret()
	identity, err := sealed.NewIdentity(private)
	require.NoError(t, err)
	keys, texts := use(t, table, newRing(t, ringKey, otherKey), identity)
	u := usage{secrets: [][]byte{ringKey, otherKey, private}, texts: texts}
	for _, key := range keys {
		u.secrets = append(u.secrets, secretOf(t, key))
	}
	u.name, err = csr.PubMD5(keys[0].Public())
	require.NoError(t, err)
	u.blob, err = table.Get(t.Context(), u.name)
	require.NoError(t, err)
	return u
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
		missing := *table
		missing.Name = "missing"
		_, err := (&sealed.Store{Blobs: &missing, AEAD: aead}).Get(t.Context(), newName())
		name, key := newKey(t)
		keys = append(keys, key)
		errs = append(errs, err, (&sealed.Store{Blobs: &missing, AEAD: aead}).Put(t.Context(), name, key))
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
