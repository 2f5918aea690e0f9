// Command keys does what bare does, and makes keys and CSRs by the standard
// library and x/net/idna: the least for names in any script and the key types
// of this library.
package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/url"
	"os"

	"golang.org/x/net/idna"
)

func main() {
	if err := ask(); err == nil {
		return
	}
	key, err := newKey(os.Getenv("KEY_TYPE"))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(keep(key), request(key, "example.com"))
}

func ask() error {
	resp, err := http.PostForm(os.Getenv("ENDPOINT"), url.Values{"CommonName": {"example.com"}})
	if err != nil {
		return err
	}
	var answer struct{ Csr string }
	err = json.NewDecoder(resp.Body).Decode(&answer)
	fmt.Println(answer.Csr, err, resp.Body.Close())
	return err
}

func newKey(kind string) (crypto.Signer, error) {
	switch kind {
	case "p-256":
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case "p-384":
		return ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	case "ed25519":
		_, key, err := ed25519.GenerateKey(rand.Reader)
		return key, err
	}
	return rsa.GenerateKey(rand.Reader, 2048)
}

// keep writes the key to a file and reads it back.
func keep(key crypto.Signer) error {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	if err = os.WriteFile("key.pem", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600); err != nil {
		return err
	}
	kept, err := os.ReadFile("key.pem")
	if err != nil {
		return err
	}
	block, _ := pem.Decode(kept)
	_, err = x509.ParsePKCS8PrivateKey(block.Bytes)
	return err
}

func request(key crypto.Signer, name string) error {
	name, err := idna.Lookup.ToASCII(name)
	if err != nil {
		return err
	}
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{DNSNames: []string{name}}, key)
	fmt.Println(string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der})))
	return err
}
