// Package sealed keeps private keys encrypted: in a database or a directory
// that many machines share, and whose backups and administrators must not have
// the keys.
//
// A [Store] is a [csr.KeyStore]. It encrypts each key by an [AEAD] and hands
// the result to a [BlobStore], which never sees a key in the clear:
//
//	ring, err := sealed.NewKeyring(key) // 32 random bytes, the same on each machine
//	if err != nil {
//		return err
//	}
//	keys := &sealed.Store{
//		Blobs: &sqlstore.Table{DB: db, Dialect: sqlstore.Postgres},
//		AEAD:  ring,
//	}
//	g := &csr.Generator{Keys: keys}
//
// Package sqlstore has a BlobStore in a table of a SQL database. A [Dir] is one
// in a directory. Anything else that keeps bytes durably and never replaces
// them takes two methods, which csrtest.TestBlobStore tests.
//
// # Who can open
//
// With a [Keyring] each machine can seal and open. With a [Recipient], the
// machines that make keys hold only a public key, and a break-in there yields
// no older key; the machines that install certificates hold the [Identity].
// A key pair for the two is one of X25519:
//
//	private, err := ecdh.X25519().GenerateKey(rand.Reader)
//	// sealed.NewRecipient(private.PublicKey().Bytes()), sealed.NewIdentity(private.Bytes())
//
// A tink.AEAD, or a caller's own type in front of a key management service,
// stands in the same place. There is no default key and no mode without
// encryption, and a value in the clear is never accepted.
//
// If the ring or the identity is lost, so is every key that it sealed. Keep a
// copy where the database's backups are not.
//
// # What is bound
//
// A sealed key opens only under its own name: the associated data is
// "cdncsr private key v1 " and the PubMd5. A ciphertext has the ID of the key
// that sealed it, and no other key is tried. A key that does not open is an
// error that has the name and the reason: the ring lacks the key of that ID,
// the ciphertext was altered or moved from another name, or the store has a
// key in the clear. None of these matches fs.ErrNotExist, which says that
// there is no key of that name, so that nobody takes a lost ring for a missing
// key.
//
// # Rotation
//
// A new key is brought in by four steps, each complete on all machines before
// the next:
//
//  1. NewKeyring(old, new): every machine can open what new seals.
//  2. NewKeyring(new, old): every machine seals by new.
//  3. [Store.Reseal] for each name, on one machine.
//  4. NewKeyring(new), once [Keyring.String] and the store agree that no
//     ciphertext has the old key's ID, and no backup that may be restored has.
//
// An Identity is rotated likewise: NewIdentity(old, new), then the Recipients
// of new, then NewIdentity(new, old) and Reseal, then NewIdentity(new). Where
// the BlobStore is no [Swapper], or to change the kind of AEAD, copy each key
// by Get from the old Store and Put into a new one with another table or
// directory.
//
// Rotation protects new keys. A key that was stored while an old ring leaked
// must be replaced at the CA.
package sealed
