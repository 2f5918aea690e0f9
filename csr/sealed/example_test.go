package sealed_test

import (
	"context"
	"crypto/ecdh"
	"crypto/rand"
	"errors"
	"fmt"
	"log"
	"maps"

	"github.com/cdncsr/cdncsr/csr"
	"github.com/cdncsr/cdncsr/csr/sealed"
)

func Example() {
	key := make([]byte, 32) // from a secret manager, and in its backup
	_, _ = rand.Read(key)   // never fails
	ring, err := sealed.NewKeyring(key)
	if err != nil {
		log.Fatal(err)
	}
	blobs := newBlobs() // a *sqlstore.Table or a *sealed.Dir
	g := csr.Generator{Keys: &sealed.Store{Blobs: blobs, AEAD: ring}, Source: csr.P256}
	resp, err := g.CreateCdnCertificateSigningRequest(context.Background(), &csr.Request{CommonName: "example.com"})
	if err != nil {
		log.Fatal(err)
	}
	private, err := g.Keys.Get(context.Background(), resp.PubMd5)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%T in %d sealed bytes\n", private, len(blobs.blobs[resp.PubMd5]))
	// Output: *ecdsa.PrivateKey in 175 sealed bytes
}

func ExampleRecipient() {
	private, err := ecdh.X25519().GenerateKey(rand.Reader) // once, on a machine that is trusted
	if err != nil {
		log.Fatal(err)
	}
	blobs := newBlobs() // a *sqlstore.Table that both machines connect to

	// On the machines that make keys:
	recipient, err := sealed.NewRecipient(private.PublicKey().Bytes())
	if err != nil {
		log.Fatal(err)
	}
	g := csr.Generator{Keys: &sealed.Store{Blobs: blobs, AEAD: recipient}, Source: csr.P256}
	resp, err := g.CreateCdnCertificateSigningRequest(context.Background(), &csr.Request{CommonName: "example.com"})
	if err != nil {
		log.Fatal(err)
	}
	_, err = g.Keys.Get(context.Background(), resp.PubMd5)
	fmt.Println("makes keys, opens none:", errors.Is(err, errors.ErrUnsupported))

	// On the machine that installs certificates:
	identity, err := sealed.NewIdentity(private.Bytes())
	if err != nil {
		log.Fatal(err)
	}
	keys := &sealed.Store{Blobs: blobs, AEAD: identity}
	key, err := keys.Get(context.Background(), resp.PubMd5)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("opens: %T\n", key)
	// Output:
	// makes keys, opens none: true
	// opens: *ecdsa.PrivateKey
}

// Each NewKeyring is a deployment to all machines, which must be complete
// before the next one begins.
func ExampleStore_Reseal() {
	ctx := context.Background()
	oldKey, newKey := make([]byte, 32), make([]byte, 32)
	_, _ = rand.Read(oldKey) // never fails
	_, _ = rand.Read(newKey)
	blobs := newBlobs()

	ring, err := sealed.NewKeyring(oldKey) // as it was
	if err != nil {
		log.Fatal(err)
	}
	g := csr.Generator{Keys: &sealed.Store{Blobs: blobs, AEAD: ring}, Source: csr.P256}
	if _, err = g.CreateCdnCertificateSigningRequest(ctx, &csr.Request{CommonName: "example.com"}); err != nil {
		log.Fatal(err)
	}

	if _, err = sealed.NewKeyring(oldKey, newKey); err != nil { // 1. each machine can open by the new key
		log.Fatal(err)
	}
	ring, err = sealed.NewKeyring(newKey, oldKey) // 2. each machine seals by it
	if err != nil {
		log.Fatal(err)
	}
	store := &sealed.Store{Blobs: blobs, AEAD: ring}
	for name := range maps.Clone(blobs.blobs) { // 3. on one machine; of a table: SELECT name FROM cdncsr_keys
		if err = store.Reseal(ctx, name); err != nil {
			log.Fatal(err)
		}
	}
	ring, err = sealed.NewKeyring(newKey) // 4. nothing needs the old key
	if err != nil {
		log.Fatal(err)
	}
	store = &sealed.Store{Blobs: blobs, AEAD: ring}
	for name := range blobs.blobs {
		if _, err := store.Get(ctx, name); err != nil {
			log.Fatal(err)
		}
	}
	fmt.Println("rotated")
	// Output: rotated
}
