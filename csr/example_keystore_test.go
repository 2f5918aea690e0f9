package csr_test

import (
	"context"
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"log"
	"sync"

	"github.com/cdncsr/cdncsr/csr"
)

// secrets stands for the client of a service that stores secrets by name.
type secrets struct {
	mu     sync.Mutex
	values map[string][]byte
}

// create stores a new secret and reports whether the name was free.
func (s *secrets) create(name string, value []byte) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.values[name]; ok {
		return false
	}
	if s.values == nil {
		s.values = make(map[string][]byte)
	}
	s.values[name] = value
	return true
}

// read returns a secret, or nil.
func (s *secrets) read(name string) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.values[name]
}

// A secretStore is a csr.KeyStore that keeps each key as a secret.
type secretStore struct{ secrets *secrets }

func (s secretStore) Put(ctx context.Context, pubMd5 string, key crypto.Signer) error {
	if err := new(csr.MemStore).Put(ctx, pubMd5, key); err != nil { // checks ctx, the name and the key
		return fmt.Errorf("secretStore: put: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key) // an error for an HSM's
	if err != nil {
		return fmt.Errorf("secretStore: put: %w: %w", errors.ErrUnsupported, err)
	}
	if !s.secrets.create(pubMd5, der) {
		return fmt.Errorf("secretStore: put %s: %w", pubMd5, fs.ErrExist)
	}
	return nil
}

func (s secretStore) Get(ctx context.Context, pubMd5 string) (crypto.Signer, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("secretStore: get: %w", err)
	}
	der := s.secrets.read(pubMd5)
	if der == nil {
		return nil, fmt.Errorf("secretStore: get %q: %w", pubMd5, fs.ErrNotExist)
	}
	key, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, fmt.Errorf("secretStore: get %s: %w", pubMd5, err)
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("secretStore: get %s: a %T does not sign", pubMd5, key)
	}
	return signer, nil
}

// A store of your own has two methods. Its test is one call:
//
//	func TestSecretStore(t *testing.T) {
//		csrtest.TestKeyStore(t, func(*testing.T) csr.KeyStore { return secretStore{new(secrets)} })
//	}
func ExampleKeyStore() {
	store := secretStore{new(secrets)}
	g := csr.Generator{Keys: store, Source: csr.P256}
	resp, err := g.CreateCdnCertificateSigningRequest(context.Background(), &csr.Request{CommonName: "example.com"})
	if err != nil {
		log.Fatal(err)
	}
	_, err = store.Get(context.Background(), resp.PubMd5)
	fmt.Println(err)
	// Output: <nil>
}
