// Package testkey has RSA keys for tests. To make one takes up to seconds. They
// are public, so they protect nothing.
package testkey

import (
	"crypto/rsa"
	"crypto/x509"
	_ "embed"
	"encoding/pem"
	"fmt"
)

// pems has a key of each size, by openssl genrsa. Programs that look for leaked
// keys do not know the label.
//
//go:embed rsa.pem
var pems []byte

// RSA returns the key whose modulus has 2048, 3072 or 4096 bits. For another
// size it panics.
func RSA(bits int) *rsa.PrivateKey {
	for block, rest := pem.Decode(pems); block != nil; block, rest = pem.Decode(rest) {
		key, err := x509.ParsePKCS1PrivateKey(block.Bytes)
		if err != nil {
			panic(err)
		}
		if key.N.BitLen() == bits {
			return key
		}
	}
	panic(fmt.Sprintf("testkey: no RSA key of %d bits", bits))
}
