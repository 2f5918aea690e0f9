// Package sqlstore keeps sealed private keys in a table of a SQL database that
// many machines share: PostgreSQL, MySQL, MariaDB, SQLite, and what speaks like
// them. It uses database/sql alone; the driver is the caller's.
//
// A [Table] is a sealed.BlobStore, so the database never sees a key in the
// clear:
//
//	table := &sqlstore.Table{DB: db, Dialect: sqlstore.MySQL}
//	if err := table.Check(ctx); err != nil {
//		return err
//	}
//	keys := &sealed.Store{Blobs: table, AEAD: ring}
//
// # What Put promises
//
// Put writes a random token beside each value and reads the row back by name,
// whatever the INSERT said. Its own token with the whole value is success, also
// if the answer to the INSERT was lost or the context ended meanwhile; another
// token is fs.ErrExist. So neither the driver's error types nor its retries
// matter, and a value that the database cut off is an error.
//
// One case stays open. If the connection breaks while the database still
// executes the INSERT, the row may appear after it was looked for: Put has
// failed, and a key is in the table to which no CSR belongs. It does no harm.
//
// # The primary
//
// DB must connect to the primary. On a read-only replica, or behind a proxy
// that sends a SELECT to one, Get may report fs.ErrNotExist for a key that is
// there. Put returns an error where it does not see its own row.
//
// # Durability
//
// On PostgreSQL each statement waits for the disk, whatever synchronous_commit
// says for the session, the role or the server, unless fsync is off. MySQL and
// SQLite can't force that for one statement; [Table.Check] returns an error for
// a database whose settings let it lose what it has acknowledged. Call it once
// when a program starts.
//
// # Grants
//
// Put and Get need INSERT and SELECT on the table, and nothing else. An account
// with these two alone can neither replace nor delete a key, whatever becomes
// of its password. Only Swap, for sealed.Store's Reseal, needs UPDATE; use
// another account for it.
package sqlstore
