package stores_test

import (
	"database/sql"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/keyset"

	"github.com/cdncsr/cdncsr/csr"
	"github.com/cdncsr/cdncsr/csr/csrtest"
	"github.com/cdncsr/cdncsr/csr/sealed"
	"github.com/cdncsr/cdncsr/csr/sqlstore"
	"github.com/cdncsr/cdncsr/internal/engines"
)

func TestConformance_PostgreSQL(t *testing.T) {
	t.Parallel()
	engine := engines.Postgres(t)
	for _, setup := range postgresSetups {
		t.Run(setup.name, func(t *testing.T) {
			conformance(t, setup.open(t, engine, engines.Access{}), setup.dialect)
		})
	}
}

func TestConformance_MariaDB(t *testing.T) {
	t.Parallel()
	engine := engines.MariaDB(t)
	for _, setup := range mysqlSetups {
		t.Run(setup.name, func(t *testing.T) {
			conformance(t, setup.open(t, engine, engines.Access{}), setup.dialect)
		})
	}
}

func TestConformance_SQLite(t *testing.T) {
	t.Parallel()
	conformance(t, openSQLite(t), sqlstore.SQLite)
}

// conformance is what every database must pass: the tests of both interfaces,
// with the library's AEADs and one of tink, Swap, and Check.
func conformance(t *testing.T, db *sql.DB, dialect sqlstore.Dialect) {
	t.Run("BlobStore", func(t *testing.T) {
		csrtest.TestBlobStore(t, func(t *testing.T) sealed.BlobStore { return newTable(t, db, dialect) })
	})
	identity, err := sealed.NewIdentity(newSecret())
	require.NoError(t, err)
	for name, aead := range map[string]sealed.AEAD{
		"Keyring": newRing(t, newSecret()), "Identity": identity, "tink": newTink(t),
	} {
		t.Run("KeyStore/"+name, func(t *testing.T) {
			csrtest.TestKeyStore(t, func(t *testing.T) csr.KeyStore {
				return &sealed.Store{Blobs: newTable(t, db, dialect), AEAD: aead}
			})
		})
	}
	t.Run("Reseal", func(t *testing.T) { reseal(t, newTable(t, db, dialect)) })
	t.Run("Check", func(t *testing.T) { assert.NoError(t, newTable(t, db, dialect).Check(t.Context())) })
}

// newTink returns an AEAD of github.com/tink-crypto/tink-go as it is.
func newTink(t *testing.T) sealed.AEAD {
	t.Helper()
	handle, err := keyset.NewHandle(aead.XAES256GCM192BitNonceKeyTemplate())
	require.NoError(t, err)
	primitive, err := aead.New(handle)
	require.NoError(t, err)
	return primitive
}

// reseal rotates a ring by compare and swap.
func reseal(t *testing.T, table *sqlstore.Table) {
	first, second := newSecret(), newSecret()
	name, key := newKey(t)
	require.NoError(t, (&sealed.Store{Blobs: table, AEAD: newRing(t, first)}).Put(t.Context(), name, key))
	before, err := table.Get(t.Context(), name)
	require.NoError(t, err)
	swapped, err := table.Swap(t.Context(), name, []byte("another"), []byte("blob"))
	require.NoError(t, err)
	require.False(t, swapped, "it has changed meanwhile")
	got, err := table.Get(t.Context(), name)
	require.NoError(t, err)
	require.Equal(t, before, got)

	for range 2 {
		require.NoError(t, (&sealed.Store{Blobs: table, AEAD: newRing(t, second, first)}).Reseal(t.Context(), name))
		_, err = (&sealed.Store{Blobs: table, AEAD: newRing(t, second)}).Get(t.Context(), name)
		require.NoError(t, err)
	}
	_, err = (&sealed.Store{Blobs: table, AEAD: newRing(t, first)}).Get(t.Context(), name)
	require.Error(t, err)
}
