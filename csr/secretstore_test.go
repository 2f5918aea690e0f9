package csr_test

import (
	"testing"

	"github.com/cdncsr/cdncsr/csr"
	"github.com/cdncsr/cdncsr/csr/csrtest"
)

// TestSecretStore proves that the store in the example of KeyStore is a good
// one.
func TestSecretStore(t *testing.T) {
	csrtest.TestKeyStore(t, func(*testing.T) csr.KeyStore { return secretStore{new(secrets)} })
}
